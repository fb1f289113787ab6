/** Where the prior expects images and few were encoded, and the reverse. */

import { drawCells, makeCells, ORANGE, ramp, TEAL } from "../cells.js";

const EVEN = 128; // the level at which prior and data agree; 0: neither expects images

/** @param {number} level */
function paint(level) {
  if (level === 0) return [0, 0, 0, 0];
  return level > EVEN ? [...ORANGE, 1.5 * (level - EVEN)] : [...TEAL, 1.5 * (EVEN - level)];
}

/** @returns {import("../layers.js").LayerDrawing} */
export function createLayer() {
  return {
    order: -10,
    prepare: ({ strength, side }) => makeCells(side, (i) => paint(strength[i])),
    draw: (scene, canvas) => drawCells(scene, canvas),
    legend: ({ factor }) => [
      [ramp(ORANGE), `more expected than encoded (to over ${factor} ×)`],
      [ramp(TEAL), "fewer expected than encoded"],
    ],
  };
}
