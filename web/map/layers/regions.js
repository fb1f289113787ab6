/** Which class prevails in each cell of the map. */

import { drawCells, makeCells } from "../cells.js";

/** @param {import("../../page.js").Page} page @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ props }) {
  const colours = props.palette.map((code) => Number.parseInt(code.slice(1), 16));
  return {
    order: -30,
    prepare: ({ winners, strength, side }) =>
      makeCells(side, (i) => {
        const rgb = colours[winners[i]];
        return [rgb >> 16, (rgb >> 8) & 255, rgb & 255, strength[i]];
      }),
    draw: (scene, canvas) => drawCells(scene, canvas, false),
  };
}
