/** Cells drawn in diagonal lines: striped, or hatched where nothing is known. */

import { contextOf } from "../core/dom.js";
import { drawCells } from "./cells.js";

/** @typedef {import("./painter.js").Scene} Scene */

const HATCHING = { gap: 9, width: 1 }; // CSS pixels, whatever the zoom

/** A canvas of the view's size. @param {Scene} scene @param {number} scale pixels to a CSS pixel @returns {Scene} */
export function sceneLike(scene, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(scene.view.side * scale);
  canvas.height = canvas.width;
  const context = contextOf(canvas);
  context.scale(scale, scale);
  return { ...scene, context };
}

/** Puts a canvas of the view's size on a scene. @param {Scene} scene @param {HTMLCanvasElement} canvas */
export function cover({ context, view }, canvas) {
  context.drawImage(canvas, 0, 0, view.side, view.side);
}

/**
 * Draws cells in diagonal lines, which run on from one cell to the next.
 *
 * @param {Scene} scene @param {HTMLCanvasElement} cells @param {number} scale
 * @param {{ gap: number, width: number }} lines
 */
export function drawLined(scene, cells, scale, { gap, width }) {
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

/** Hatches cells. @param {Scene} scene @param {HTMLCanvasElement} cells in the theme's line colour */
export function drawHatched(scene, cells) {
  drawLined(scene, cells, scene.context.canvas.width / scene.view.side, HATCHING);
}
