/**
 * Which class prevails in each cell of the map; hatched where nothing was encoded close by, so that
 * pale means contested and nothing else.
 */

import { contextOf } from "../../core/dom.js";
import { drawCells, makeCells } from "../cells.js";

/** @typedef {import("../painter.js").Scene} Scene */

const GAP = 9; // CSS pixels between two lines of the hatching

/** The hatching over the whole view, kept where `unknown` covers it. @param {Scene} scene @param {HTMLCanvasElement} unknown */
function drawHatching({ context, view, colours, layers }, unknown) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(view.side);
  canvas.height = canvas.width;
  const hatching = contextOf(canvas);
  hatching.strokeStyle = colours.line;
  hatching.beginPath();
  for (let from = -view.side; from < view.side; from += GAP) {
    hatching.moveTo(from, view.side);
    hatching.lineTo(from + view.side, 0);
  }
  hatching.stroke();
  hatching.globalCompositeOperation = "destination-in";
  drawCells({ context: hatching, view, colours, layers }, unknown, false);
  context.drawImage(canvas, 0, 0);
}

/** @param {import("../../page.js").Page} page @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ props }) {
  const colours = props.palette.map((code) => Number.parseInt(code.slice(1), 16));
  return {
    order: -30,
    prepare: ({ winners, strength, side }) => ({
      known: makeCells(side, (i) => {
        const rgb = colours[winners[i]];
        return [rgb >> 16, (rgb >> 8) & 255, rgb & 255, strength[i]];
      }),
      unknown: makeCells(side, (i) => [0, 0, 0, strength[i] ? 0 : 255]),
    }),
    draw(scene, { known, unknown }) {
      drawCells(scene, known, false);
      drawHatching(scene, unknown);
    },
    legend: () => [["", "hatched: nothing was encoded within 0.1; pale: several classes"]],
  };
}
