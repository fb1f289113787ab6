/**
 * Which class prevails in each cell of the map: striped where two mix, hatched where nothing was
 * encoded close by.
 */

import { drawCells, makeCells, opaque } from "../cells.js";
import { cover, drawHatched, drawLined, sceneLike } from "../lines.js";

/** @typedef {{ first: Uint8Array, second: Uint8Array, known: Uint8Array, side: number }} Regions */

const STRIPES = { gap: 8, width: 2.8 }; // CSS pixels, whatever the zoom; half of the gap, measured across
const OPACITY = 0.6; // axes, rings and points are drawn above

/** The cells in a theme's colours. @param {Regions} regions @param {import("../../core/drawing.js").Colours} colours */
function paintCells({ first, second, known, side }, { classes, line }) {
  const clear = [0, 0, 0, 0];
  const [ofClass, ofLine] = [classes.map(opaque), opaque(line)];
  return {
    prevailing: makeCells(side, (i) => (known[i] ? ofClass[first[i]] : clear)),
    mixed: makeCells(side, (i) =>
      known[i] && second[i] !== first[i] ? ofClass[second[i]] : clear,
    ),
    unknown: makeCells(side, (i) => (known[i] ? clear : ofLine)),
  };
}

/** @param {import("../../page.js").Page} page @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ props }) {
  /** @type {import("../../core/drawing.js").Colours | null} */
  let painted = null;
  /** @type {Regions | null} of which plane */
  let shown = null;
  /** @type {ReturnType<typeof paintCells>} */
  let cells;
  return {
    order: -30,
    draw(scene, /** @type {Regions} */ regions) {
      if (painted !== scene.colours || shown !== regions) {
        cells = paintCells(regions, scene.colours);
      }
      painted = scene.colours;
      shown = regions;
      const scale = scene.context.canvas.width / scene.view.side;
      const known = sceneLike(scene, scale);
      drawCells(known, cells.prevailing, false);
      drawLined(known, cells.mixed, scale, STRIPES);
      scene.context.globalAlpha = OPACITY;
      cover(scene, known.context.canvas);
      scene.context.globalAlpha = 1;
      drawHatched(scene, cells.unknown);
    },
    legend: () => [
      ["", "striped: two classes mix"],
      ["", `hatched: no data within ${Number(props.radius.toFixed(3))}`],
    ],
  };
}
