/**
 * Which class prevails in each cell of the map: striped where two mix, hatched where nothing was
 * encoded close by.
 */

import { contextOf } from "../../core/dom.js";
import { drawCells, makeCells } from "../cells.js";

/** @typedef {import("../painter.js").Scene} Scene */
/** @typedef {{ first: Uint8Array, second: Uint8Array, known: Uint8Array, side: number }} Regions */

// In CSS pixels, whatever the zoom.
const HATCHING = { gap: 9, width: 1 };
const STRIPES = { gap: 8, width: 2.8 }; // half of the gap, measured across
const OPACITY = 0.6; // axes, rings and points are drawn above

/** A canvas of the view's size. @param {Scene} scene @param {number} scale pixels to a CSS pixel @returns {Scene} */
function sceneLike(scene, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(scene.view.side * scale);
  canvas.height = canvas.width;
  const context = contextOf(canvas);
  context.scale(scale, scale);
  return { ...scene, context };
}

/** Puts a canvas of the view's size on a scene. @param {Scene} scene @param {HTMLCanvasElement} canvas */
function cover({ context, view }, canvas) {
  context.drawImage(canvas, 0, 0, view.side, view.side);
}

/**
 * Draws cells in diagonal lines, which run on from one cell to the next.
 *
 * @param {Scene} scene @param {HTMLCanvasElement} cells @param {number} scale
 * @param {{ gap: number, width: number }} lines
 */
function drawLined(scene, cells, scale, { gap, width }) {
  const { view } = scene;
  const lined = sceneLike(scene, scale);
  const { context } = lined;
  context.lineWidth = width;
  context.beginPath();
  for (let from = -view.side; from < view.side; from += gap) {
    context.moveTo(from - gap, view.side + gap);
    context.lineTo(from + view.side + gap, -gap);
  }
  context.stroke();
  context.globalCompositeOperation = "source-in";
  drawCells(lined, cells, false);
  cover(scene, context.canvas);
}

/** @param {string} code such as #3f90da */
function opaque(code) {
  const rgb = Number.parseInt(code.slice(1), 16);
  return [rgb >> 16, (rgb >> 8) & 255, rgb & 255, 255];
}

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

/** @returns {import("../layers.js").LayerDrawing} */
export function createLayer() {
  /** @type {import("../../core/drawing.js").Colours | null} */
  let painted = null;
  /** @type {ReturnType<typeof paintCells>} */
  let cells;
  return {
    order: -30,
    draw(scene, /** @type {Regions} */ regions) {
      if (painted !== scene.colours) cells = paintCells(regions, scene.colours);
      painted = scene.colours;
      const scale = scene.context.canvas.width / scene.view.side;
      const known = sceneLike(scene, scale);
      drawCells(known, cells.prevailing, false);
      drawLined(known, cells.mixed, scale, STRIPES);
      scene.context.globalAlpha = OPACITY;
      cover(scene, known.context.canvas);
      scene.context.globalAlpha = 1;
      drawLined(scene, cells.unknown, scale, HATCHING);
    },
    legend: () => [
      ["", "striped: two classes mix"],
      ["", "hatched: no data within 0.1"],
    ],
  };
}
