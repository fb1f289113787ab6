/** The row above the other tabs that repeats the task and the message of a lesson that was begun. */

import { find, findButton, write } from "../core/dom.js";

export class Bar {
  #hidden = true; // until the lessons are opened, and by the user until the next lesson
  #bar;
  #state;

  /**
   * @param {import("../core/state.js").PageState} state @param {HTMLElement} bar
   * @param {() => void} hidden called when the user hides it
   */
  constructor(state, bar, hidden) {
    this.#bar = bar;
    this.#state = state;
    findButton(bar, ".return").addEventListener("click", () => state.openTab("lessons"));
    findButton(bar, ".hide").addEventListener("click", () => {
      this.#hidden = true;
      this.#place();
      hidden();
    });
    state.subscribe("tab", () => this.#place());
  }

  /** Whether it is on the page, so that its message must be up to date. */
  get shown() {
    return !this.#bar.hidden;
  }

  #place() {
    this.#bar.hidden = this.#hidden || this.#state.tab === "lessons";
  }

  /** From now on it is shown above the other tabs. */
  unhide() {
    this.#hidden = false;
    this.#place();
  }

  /** @param {string} feedback */
  say(feedback) {
    write(find(this.#bar, ".feedback"), feedback);
  }

  /** @param {boolean} done @param {string} head @param {string} task @param {string} feedback */
  show(done, head, task, feedback) {
    this.#bar.dataset.done = `${done}`;
    write(find(this.#bar, "b"), head);
    write(find(this.#bar, ".task"), task);
    this.say(feedback);
  }
}
