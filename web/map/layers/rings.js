/** One, two and three standard deviations of the prior. */

import { drawRings } from "../../core/drawing.js";
import { PRIORITY } from "../map_labels.js";

const PLACES = 24; // for the name of a ring, along it
const FIRST = -Math.PI / 4; // below on the right

/** @param {import("../../core/view.js").MapView} view @param {number} radius */
function along(view, radius) {
  return Array.from({ length: PLACES }, (_, i) => {
    const angle = FIRST + (2 * Math.PI * i) / PLACES;
    return view.toPixels({ x: radius * Math.cos(angle), y: radius * Math.sin(angle) });
  });
}

/** @param {import("../../page.js").Page} page @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ state: { plane } }) {
  return {
    order: 40,
    draw: ({ context, view, colours }) =>
      drawRings(context, colours, view.toPixels({ x: 0, y: 0 }), view.unit, [], plane.height),
    labels: ({ view, colours }) =>
      [1, 2, 3]
        .filter((sigma) => sigma >= plane.height)
        .map((sigma) => ({
          key: `ring ${sigma}`,
          text: `${sigma}σ`,
          kind: "plain",
          colour: colours.quiet,
          priority: PRIORITY.ring,
          homes: along(view, Math.sqrt(sigma ** 2 - plane.height ** 2)),
          reach: 0,
        })),
  };
}
