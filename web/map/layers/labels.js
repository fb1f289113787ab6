/** The names of the classes at their mean positions, moved until no two cover each other. */

import { areWords } from "../../core/dom.js";
import { apart, drawDisc, trace } from "../../core/drawing.js";
import { drawPlate } from "../painter.js";

/** @typedef {import("../painter.js").Scene} Scene */
/** @typedef {import("../../core/view.js").Pixel} Pixel */
/** @typedef {import("../../page.js").Props} Props */

const PLATE = { px: 88, py: 22 }; // pixels that a name takes

// Names longer than a numeral are on plates, alternately below and above their positions.
/** @param {Scene} scene @param {Props} props @param {Pixel[]} homes */
function drawNames(scene, { names, palette }, homes) {
  /** @type {Pixel[]} */
  const placed = [];
  for (const [label, home] of homes.entries()) {
    const at = { ...home };
    const covers = (/** @type {Pixel} */ other) =>
      Math.abs(other.px - at.px) < PLATE.px && Math.abs(other.py - at.py) < PLATE.py;
    for (let i = 1; placed.some(covers); i++) {
      at.py = home.py + PLATE.py * Math.ceil(i / 2) * (i % 2 ? 1 : -1);
    }
    placed.push(at);
    scene.context.lineWidth = 2;
    scene.context.strokeStyle = palette[label];
    trace(scene.context, [home, at]);
  }
  for (const [label, at] of placed.entries()) drawPlate(scene, names[label], at, palette[label]);
}

/** @param {Scene} scene @param {Props} props @param {Pixel[]} homes */
function drawNumerals({ context, view, colours }, { names, palette }, homes) {
  const radius = view.side < 480 ? 9 : 12;
  for (const [label, at] of apart(homes, 2 * radius + 4).entries()) {
    const [home, colour, text] = [homes[label], palette[label], names[label]];
    drawDisc(context, colours, { home, at, radius, colour, text });
  }
}

/** @param {import("../../page.js").Page} page @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ props }) {
  return {
    drawTop(scene) {
      const homes = props.anchors.centroid.map(([x, y]) => scene.view.toPixels({ x, y }));
      (areWords(props.names) ? drawNames : drawNumerals)(scene, props, homes);
    },
  };
}
