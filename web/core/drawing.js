/** Drawing on canvases: what the map and the training replay share. */

import { contextOf } from "./dom.js";

/** @typedef {import("./view.js").Pixel} Pixel */

/**
 * The theme's colours; `classes` has one for each class.
 *
 * @typedef {{
 *   ink: string, quiet: string, line: string, ground: string, accent: string, classes: string[],
 * }} Colours
 */

export const FONT = "system-ui, sans-serif";

/**
 * The theme's colours at an element; null while the page's style is not there yet.
 *
 * @param {HTMLElement} element
 * @returns {Colours | null}
 */
export function readColours(element) {
  const style = getComputedStyle(element);
  const read = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const colours = {
    ink: read("--ink"),
    quiet: read("--quiet"),
    line: read("--line"),
    ground: read("--map-ground"),
    accent: read("--accent"),
  };
  const classes = [];
  for (let colour = read("--class-0"); colour; colour = read(`--class-${classes.length}`)) {
    classes.push(colour);
  }
  return Object.values(colours).every(Boolean) ? { ...colours, classes } : null;
}

/** A rem in CSS pixels: what is drawn or measured on a canvas follows the page's type size by it. */
export function remPixels() {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}

/**
 * Clears a square canvas and fits it to the screen; the context then draws in CSS pixels.
 *
 * @param {HTMLCanvasElement} canvas @param {number} side in CSS pixels
 */
export function fitCanvas(canvas, side) {
  const size = Math.round(side * (devicePixelRatio || 1));
  if (canvas.width !== size) {
    canvas.width = size;
    canvas.height = size;
  }
  const context = contextOf(canvas);
  context.setTransform(size / side, 0, 0, size / side, 0, 0);
  context.clearRect(0, 0, side, side);
  context.font = `${0.75 * remPixels()}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  return context;
}

/**
 * Text that stands out from what lies beneath it.
 *
 * @param {CanvasRenderingContext2D} context @param {Colours} colours
 * @param {string} text @param {number} px @param {number} py
 */
export function drawText(context, colours, text, px, py) {
  context.lineWidth = 4;
  context.strokeStyle = colours.ground;
  context.strokeText(text, px, py);
  context.fillStyle = colours.quiet;
  context.fillText(text, px, py);
}

/**
 * A line of several pixels.
 *
 * @param {CanvasRenderingContext2D} context @param {readonly Pixel[]} points
 */
export function trace(context, points) {
  context.beginPath();
  for (const { px, py } of points) context.lineTo(px, py);
  context.stroke();
}

/**
 * The rings of 1, 2 and 3 standard deviations of the prior.
 *
 * @param {CanvasRenderingContext2D} context @param {Colours} colours
 * @param {Pixel} centre @param {number} unit pixels of a standard deviation
 * @param {readonly number[]} [named] the rings whose names are drawn
 * @param {number} [height] of the plane over the centre, in standard deviations
 */
export function drawRings(context, colours, { px, py }, unit, named = [], height = 0) {
  for (const sigma of [1, 2, 3]) {
    if (sigma < height) continue; // the plane does not meet that sphere
    const radius = Math.sqrt(sigma ** 2 - height ** 2) * unit;
    context.strokeStyle = colours.quiet;
    context.lineWidth = 1;
    context.setLineDash([5, 5]);
    context.beginPath();
    context.arc(px, py, radius, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
    const reach = radius * Math.SQRT1_2;
    if (named.includes(sigma)) drawText(context, colours, `${sigma}σ`, px + reach, py + reach);
  }
}

/**
 * A disc with a class's name.
 *
 * @param {CanvasRenderingContext2D} context @param {Colours} colours @param {Pixel} at its middle
 * @param {{ radius: number, size: number, colour: string, text: string }} label in pixels
 */
export function drawDisc(context, colours, at, { radius, size, colour, text }) {
  context.font = `700 ${size}px ${FONT}`;
  context.strokeStyle = colour;
  context.beginPath();
  context.arc(at.px, at.py, radius, 0, 2 * Math.PI);
  context.fillStyle = colours.ground;
  context.fill();
  context.lineWidth = 3;
  context.stroke();
  context.fillStyle = colours.ink;
  context.fillText(text, at.px, at.py + 1);
}
