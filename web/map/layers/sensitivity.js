/** The Frobenius norm of the decoder's Jacobian. */

import { drawCells, makeCells, PINK, ramp } from "../cells.js";

/** @returns {import("../layers.js").LayerDrawing} */
export function createLayer() {
  return {
    order: -20,
    prepare: ({ strength, side }) => makeCells(side, (i) => [...PINK, strength[i] * 0.85]),
    draw: (scene, canvas) => drawCells(scene, canvas),
    legend: ({ most }) => [[ramp(PINK), `sensitivity ‖J‖: 0 to ${most.toFixed(0)} and more`]],
  };
}
