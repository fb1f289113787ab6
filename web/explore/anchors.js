/**
 * The two positions that stand for a class, its prototype and its mean position, side by side with
 * their images. The chosen one is where the cursor goes.
 */

import { findCanvas } from "../core/dom.js";

/** @typedef {import("../page.js").Page} Page */

/**
 * The function that shows a class and moves the cursor to its chosen position.
 *
 * @param {Page} page @param {HTMLElement} element @param {HTMLElement} note says what lies there
 */
export function startAnchors({ props, state, images }, element, note) {
  const { names, plurals, anchors, anchor_notes } = props;
  /** @type {Record<string, (label: number) => string>} */
  const titles = {
    typical: (label) => `Prototype: the most typical ${names[label]}`,
    centroid: (label) => `Mean position (centroid) of all ${plurals[label]}`,
  };
  const labels = names.map((_, label) => label);
  let shown = props.start;

  const positionOf = (/** @type {string} */ anchor, /** @type {number} */ label) => {
    return state.plane.position(anchors[anchor][label]);
  };
  const options = [...element.querySelectorAll("label")].map((option) => {
    const input = /** @type {HTMLInputElement} */ (option.control);
    const title = option.querySelector("span");
    const paint = images.painter(findCanvas(option, "canvas"), () =>
      positionOf(input.value, shown),
    );
    const describe = () => {
      if (title) title.textContent = titles[input.value](shown);
      paint();
    };
    input.addEventListener("change", () => {
      state.setValue("anchor", input.value);
      go(labelHere() ?? shown);
    });
    return { input, describe };
  });

  /** The class at one of whose positions the cursor stands. */
  function labelHere() {
    return labels.find((label) =>
      Object.keys(anchors).some((anchor) => state.isAt(positionOf(anchor, label))),
    );
  }

  function describe() {
    for (const option of options) option.describe();
  }

  function check() {
    for (const { input } of options) input.checked = input.value === state.values.anchor;
  }

  /** @param {number} label */
  function go(label) {
    shown = label;
    describe();
    const anchor = String(state.values.anchor);
    state.set(positionOf(anchor, label), "class");
    note.textContent = anchor_notes[anchor][label];
  }

  state.subscribe("controls", check);
  check();
  describe();
  images.loaded.then(describe, () => {}); // the decoded image says so
  return go;
}
