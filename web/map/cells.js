/** Layers that fill the map with cells, one pixel each. */

import { contextOf } from "../core/dom.js";

/** @typedef {import("./painter.js").Scene} Scene */

/**
 * A canvas of side x side cells.
 *
 * @param {number} side
 * @param {(i: number) => readonly number[]} rgba the colour of the i-th cell from the top left
 */
export function makeCells(side, rgba) {
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const image = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) image.data.set(rgba(i), 4 * i);
  contextOf(canvas).putImageData(image, 0, 0);
  return canvas;
}

/**
 * Draws cells over the whole map.
 *
 * @param {Scene} scene @param {CanvasImageSource} canvas @param {boolean} smooth
 */
export function drawCells({ context, view }, canvas, smooth = true) {
  const { px, py } = view.toPixels({ x: -view.range, y: view.range });
  const size = 2 * view.range * view.unit;
  context.imageSmoothingEnabled = smooth;
  context.drawImage(canvas, px, py, size, size);
}

/** A CSS background from clear to a colour. @param {readonly number[]} rgb */
export function ramp(rgb) {
  return `linear-gradient(90deg, rgb(${rgb.join(" ")} / 0), rgb(${rgb.join(" ")}))`;
}

/** A colour that covers what lies beneath, 0 ... 255 each. @param {string} code such as #3f90da */
export function opaque(code) {
  const rgb = Number.parseInt(code.slice(1), 16);
  return [rgb >> 16, (rgb >> 8) & 255, rgb & 255, 255];
}

// Hues that differ from each other and from the classes, on a light and a dark background alike: for
// another one, take a place on the colour wheel between two of them, and look at it on all classes.
export const PINK = [214, 51, 132];
export const ORANGE = [232, 117, 0];
export const TEAL = [0, 150, 150];
export const VIOLET = [112, 72, 232];
