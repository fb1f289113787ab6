/** The buttons of a lesson, so that it can be solved without another tab. */

import { find, makeButton } from "../core/dom.js";

/** @typedef {import("../page.js").Page} Page */

/**
 * A button that goes to a position, opens a tab or changes an attribute of the image.
 *
 * @typedef {{ label: string } & (
 *   { position: number[] } | { tab: string } | { attribute: string, sign: 1 | -1 })} LessonAction
 */

const GO_MS = 500; // of the way to a position
const STEP_MS = 260; // of a step along an attribute's gradient

export class LessonActions {
  #page;
  #list;
  #message;
  #busy = false;

  /** @param {Page} page @param {HTMLElement} root of the lessons */
  constructor(page, root) {
    this.#page = page;
    this.#list = find(root, ".actions");
    this.#message = find(root, ".acted");
  }

  /** @param {readonly LessonAction[]} actions */
  show(actions) {
    this.#message.textContent = "";
    this.#list.hidden = actions.length === 0;
    this.#list.replaceChildren(
      ...actions.map((action) => makeButton(action.label, () => this.#act(action))),
    );
  }

  /** @param {LessonAction} action */
  async #act(action) {
    const { server, state } = this.#page;
    if ("position" in action) {
      state.travel([state.plane.position(action.position)], GO_MS, "lesson");
      this.#message.textContent = "";
      return;
    }
    if ("tab" in action) {
      state.openTab(action.tab);
      return;
    }
    if (this.#busy) return;
    this.#busy = true;
    const from = state.goal; // while a step is still animated, the next one starts from its end
    const asked = state.moves;
    try {
      const { attribute, sign } = action;
      const { plane } = state;
      const answer = await server.ask("nudge", ...plane.asked(from), attribute, sign);
      const { message, stopped, path } = answer;
      this.#message.textContent = stopped ? message : "";
      const points = path.map((/** @type {number[]} */ z) => plane.position(z));
      state.arrive(asked, points.length > 1 ? points.slice(1) : points, STEP_MS, "lesson");
    } catch (error) {
      this.#message.textContent = /** @type {Error} */ (error).message;
    }
    this.#busy = false;
  }
}
