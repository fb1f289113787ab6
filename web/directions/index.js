/**
 * Directions from the cursor: gradient steps that change one attribute, and steps toward each class.
 * Python is asked for the attributes when the cursor rests and the tab is open.
 */

import { classColour } from "../core/class_colours.js";
import { areWords, find, make, makeButton } from "../core/dom.js";
import { Rest } from "../core/rest.js";
import { ServerError } from "../core/server.js";
import { makeArrow } from "./arrow.js";
import { Attributes } from "./attributes.js";
import { stepToward, toward } from "./toward.js";

/** @typedef {import("../page.js").Page} Page */

const STEP_MS = 260; // of a step's animation
const REST = 150; // ms without a move before the attributes are asked for
const HERE = 0.005; // a class that is closer has no direction
const LOST = "The server is not responding. Move the cursor to retry.";

/**
 * The buttons that lead to the classes; the function that shows their directions from the cursor.
 *
 * @param {Page} page @param {HTMLElement} list
 */
function startClasses({ props, state }, list) {
  list.classList.toggle("named", areWords(props.names));
  const goalOf = (/** @type {number} */ label) => {
    return state.plane.position(props.anchors[String(state.values.anchor)][label]);
  };
  const shows = props.names.map((name, label) => {
    const { arrow, point } = makeArrow();
    const length = make("span", "", "distance");
    const button = makeButton("", () => {
      state.travel([stepToward(state.goal, goalOf(label))], STEP_MS, "nudge");
    });
    button.style.setProperty("--digit", classColour(label));
    const unseen = (/** @type {string} */ text) => make("span", text, "visually-hidden");
    const here = make("i", "•");
    here.ariaHidden = "true";
    button.append(unseen("Toward "), make("b", name), arrow, here);
    button.append(unseen(" at a distance of "), length);
    list.append(button);
    return () => {
      const { distance, degrees } = toward(state.z, goalOf(label));
      point(degrees);
      button.classList.toggle("here", distance < HERE);
      length.textContent = distance.toFixed(2);
    };
  });
  return () => {
    for (const show of shows) show();
  };
}

/** @param {Page} page @param {HTMLElement} element */
export function start(page, element) {
  const { state, server } = page;
  const root = find(element, ".directions");
  const sensitivity = find(root, ".sensitivity");
  const attributes = new Attributes(page, root);
  const showClasses = startClasses(page, find(root, ".toward"));
  const isOpen = () => state.tab === "directions";
  const rest = new Rest(state, REST, ask);

  async function ask() {
    if (!isOpen()) return;
    const from = state.z;
    try {
      const answer = await server.ask("here", ...state.plane.asked(from));
      if (state.z !== from) return;
      attributes.show(from, answer.attributes);
      sensitivity.textContent = answer.message;
      root.dataset.state = "shown";
    } catch (error) {
      if (state.z !== from) return;
      root.dataset.state = "failed";
      const said = error instanceof ServerError && error.refused;
      sensitivity.textContent = "";
      attributes.fail(said ? error.message : LOST);
    }
  }

  function follow() {
    if (!isOpen()) return;
    showClasses();
    root.dataset.state = "moving";
    rest.await();
  }

  state.subscribe("position", follow);
  state.subscribe("tab", follow);
  state.subscribe("controls", () => {
    if (isOpen()) showClasses();
  });
}
