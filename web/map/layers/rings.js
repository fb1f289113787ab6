/** One, two and three standard deviations of the prior. */

import { drawRings } from "../../core/drawing.js";

/** @returns {import("../layers.js").LayerDrawing} */
export function createLayer() {
  return {
    order: 40,
    draw: ({ context, view, colours }) =>
      drawRings(context, colours, view.toPixels({ x: 0, y: 0 }), view.unit),
  };
}
