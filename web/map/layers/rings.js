/** One, two and three standard deviations of the prior. */

import { drawRings } from "../../core/drawing.js";
import { PRIORITY } from "../map_labels.js";

const PLACES = 24; // for the name of a ring, along it
const FIRST = -Math.PI / 4; // below on the right

/** @param {import("../../core/view.js").MapView} view @param {number} sigma */
function along(view, sigma) {
  return Array.from({ length: PLACES }, (_, i) => {
    const angle = FIRST + (2 * Math.PI * i) / PLACES;
    return view.toPixels({ x: sigma * Math.cos(angle), y: sigma * Math.sin(angle) });
  });
}

/** @returns {import("../layers.js").LayerDrawing} */
export function createLayer() {
  return {
    order: 40,
    draw: ({ context, view, colours }) =>
      drawRings(context, colours, view.toPixels({ x: 0, y: 0 }), view.unit),
    labels: ({ view, colours }) =>
      [1, 2, 3].map((sigma) => ({
        key: `ring ${sigma}`,
        text: `${sigma}σ`,
        kind: "plain",
        colour: colours.quiet,
        priority: PRIORITY.ring,
        homes: along(view, sigma),
        reach: 0,
      })),
  };
}
