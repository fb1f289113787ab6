/** How wide the clouds of the images encoded nearby are; hatched where none was. */

import { drawCells, makeCells, opaque, ramp, VIOLET } from "../cells.js";
import { drawHatched } from "../lines.js";

const FAINTEST = 0.08; // opacity where the clouds are narrowest
const DENSEST = 0.9;

/** The opacity, 0 ... 255, of a level from 1 to 255; 0 where nothing is known. @param {number} level */
export function opacityOf(level) {
  return level && 255 * (FAINTEST + (DENSEST - FAINTEST) * ((level - 1) / 254));
}

/** @typedef {{ strength: Uint8Array, side: number, least: number, most: number }} Widths */

/** @param {import("../../page.js").Page} page @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ props }) {
  /** @type {HTMLCanvasElement | null} */
  let unknown = null;
  let painted = ""; // the colour of the hatching
  /** @type {Uint8Array | null} whose it is: a turn of the plane brings another */
  let shown = null;
  return {
    order: -25,
    prepare: ({ strength, side }) => ({
      strength,
      side,
      widths: makeCells(side, (i) => [...VIOLET, opacityOf(strength[i])]),
    }),
    draw(scene, { strength, side, widths }) {
      const { line } = scene.colours;
      if (!unknown || painted !== line || shown !== strength) {
        const colour = opaque(line);
        unknown = makeCells(side, (i) => (strength[i] ? [0, 0, 0, 0] : colour));
        painted = line;
        shown = strength;
      }
      drawHatched(scene, unknown);
      drawCells(scene, widths);
    },
    legend: ({ least, most }) => [
      [
        ramp(VIOLET),
        `posterior σ: ${least.toPrecision(2)} to ${most.toPrecision(2)} of the prior's`,
      ],
      ["", `hatched: no data within ${Number(props.radius.toFixed(3))}`],
    ],
  };
}
