/** What the strip shows before the first comparison: a straight path, decoded in the browser alone. */

import { contextOf, find, imageCanvas } from "../core/dom.js";
import { between } from "../core/plane.js";

const IMAGES = 9;

/** @param {import("../page.js").Page} page @param {HTMLElement} element of the example */
export function startExample({ props, state, images }, element) {
  const [from, to] = ["from", "to"].map((name) =>
    Number(state.controls.find((control) => control.name === name)?.default),
  );
  const caption = `Example: a straight path from ${props.names[from]} to ${props.names[to]}`;
  find(element, "figcaption").textContent = caption;
  const [start, end] = [from, to].map((label) =>
    state.plane.position(props.anchors.typical[label]),
  );
  const contexts = Array.from({ length: IMAGES }, () => contextOf(imageCanvas()));
  find(element, ".frames").append(...contexts.map(({ canvas }) => canvas));
  images.loaded.then(
    () => {
      for (const [i, context] of contexts.entries()) {
        images.paint(context, between(start, end, i / (IMAGES - 1)));
      }
    },
    () => {}, // the decoded image says so
  );
}
