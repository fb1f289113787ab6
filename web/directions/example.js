/** What the panel shows before the first step: an attribute that changes along its gradient. */

import { contextOf, find, imageCanvas } from "../core/dom.js";

const IMAGES = 5;
const STEP = 0.12; // in units of the prior's sigma

/**
 * Positions on a line through another, evenly spaced.
 *
 * @param {import("../core/view.js").Position} middle
 * @param {number} degrees of the line, counterclockwise from x
 */
export function along({ x, y }, degrees) {
  const angle = (degrees * Math.PI) / 180;
  return Array.from({ length: IMAGES }, (_, i) => {
    const far = (i - (IMAGES - 1) / 2) * STEP;
    return { x: x + far * Math.cos(angle), y: y + far * Math.sin(angle) };
  });
}

/**
 * The function that shows the first attribute around a position; it takes the direction in degrees.
 *
 * @param {import("../page.js").Page} page @param {HTMLElement} element of the example
 */
export function makeExample({ props, images }, element) {
  const { less, more } = props.attributes[0];
  find(element, "figcaption").textContent = `Example: ${less} to ${more}`;
  const contexts = Array.from({ length: IMAGES }, () => contextOf(imageCanvas()));
  find(element, ".frames").append(...contexts.map(({ canvas }) => canvas));
  return (/** @type {import("../core/view.js").Position} */ z, /** @type {number} */ degrees) => {
    for (const [i, position] of along(z, degrees).entries()) images.paint(contexts[i], position);
    element.toggleAttribute("data-drawn", images.ready);
  };
}
