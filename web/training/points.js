/** The encoded images of a moment: a point each, and above them the rings, names and labels. */

import { apart, drawDisc, drawRings, drawText, fitCanvas } from "../core/drawing.js";
import { positionsAt } from "./replay.js";

/** @typedef {import("../core/drawing.js").Colours} Colours */
/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {import("../page.js").Props} Props */
/** @typedef {{ x: number, y: number, count: number }} Sum of a class's positions */

const UNIT = 26; // pixels of a sigma, below which only the outer ring has a name
const NAMED_AXES = 240; // pixels of the square, below which the axes have no names
const ROUNDS = 40; // to push labels apart that all start at the same position

/** Where positions are on a square that shows -range ... range. */
class Square {
  /** @param {number} side in pixels @param {number} range */
  constructor(side, range) {
    this.side = side;
    this.range = range;
    this.unit = side / (2 * range);
  }

  /** @param {number} x @param {number} y @returns {Pixel} */
  toPixels(x, y) {
    return { px: (x + this.range) * this.unit, py: (this.range - y) * this.unit };
  }

  /** @param {Pixel} at @param {number} margin @returns {Pixel} the nearest on the square */
  hold({ px, py }, margin) {
    const clamp = (/** @type {number} */ v) => Math.min(this.side - margin, Math.max(margin, v));
    return { px: clamp(px), py: clamp(py) };
  }
}

/**
 * The sum of the positions of each class.
 *
 * @param {Float32Array} positions @param {Uint8Array} labels @param {number} classes
 */
export function sumsOf(positions, labels, classes) {
  /** @type {Sum[]} */
  const sums = Array.from({ length: classes }, () => ({ x: 0, y: 0, count: 0 }));
  for (const [i, label] of labels.entries()) {
    const sum = sums[label];
    sum.x += positions[2 * i];
    sum.y += positions[2 * i + 1];
    sum.count++;
  }
  return sums;
}

/** How many positions are not on the square. @param {Float32Array} positions @param {number} range */
export function countOutside(positions, range) {
  let outside = 0;
  for (let i = 0; i < positions.length; i += 2) {
    if (Math.max(Math.abs(positions[i]), Math.abs(positions[i + 1])) > range) outside++;
  }
  return outside;
}

/**
 * @param {HTMLCanvasElement} canvas @param {Square} square @param {Float32Array} positions
 * @param {Uint8Array} labels @param {readonly string[]} palette
 */
function drawDots(canvas, square, positions, labels, palette) {
  const context = fitCanvas(canvas, square.side);
  const dot = Math.max(3, square.side / 110);
  context.globalAlpha = 0.75;
  for (const [i, label] of labels.entries()) {
    const at = square.toPixels(positions[2 * i], positions[2 * i + 1]);
    const { px, py } = square.hold(at, dot / 2);
    context.fillStyle = palette[label];
    context.fillRect(px - dot / 2, py - dot / 2, dot, dot);
  }
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {Colours} colours @param {Square} square @param {number} outside */
function drawFrame(context, colours, { side, unit }, outside) {
  const centre = { px: side / 2, py: side / 2 };
  drawRings(context, colours, centre, unit, unit > UNIT ? [1, 2, 3] : [3]);
  if (side > NAMED_AXES) {
    drawText(context, colours, "x (z₁)", side - 26, side - 14);
    drawText(context, colours, "y (z₂)", 28, 14);
  }
  if (!outside) return;
  context.textAlign = "right";
  drawText(context, colours, `${outside} outside the view`, side - 10, 14);
  context.textAlign = "center";
}

/** @param {CanvasRenderingContext2D} context @param {Colours} colours @param {Square} square @param {Props} props @param {Sum[]} sums */
function drawLabels(context, colours, square, { names, palette }, sums) {
  const { side } = square;
  const radius = side < 240 ? 7 : side < 360 ? 9 : 11;
  const shown = [...sums.keys()].filter((label) => sums[label].count);
  const homes = shown.map((label) => {
    const { x, y, count } = sums[label];
    return square.hold(square.toPixels(x / count, y / count), radius + 2);
  });
  // Before training all are at one position: from a small circle, each is pushed in its own direction.
  const starts = homes.map(({ px, py }, i) => {
    const angle = (2 * Math.PI * shown[i]) / names.length;
    return { px: px + Math.cos(angle), py: py + Math.sin(angle) };
  });
  for (const [i, moved] of apart(starts, 2 * radius + 4, ROUNDS).entries()) {
    const [label, home] = [shown[i], homes[i]];
    const [name, colour, at] = [names[label], palette[label], square.hold(moved, radius + 2)];
    const fits = name.length <= 2;
    drawDisc(context, colours, { home, at, radius, colour, text: fits ? name : "" });
    if (!fits) drawText(context, colours, name, at.px, at.py + radius + 8);
  }
}

/**
 * Draws the positions at an epoch.
 *
 * @param {{ points: HTMLCanvasElement, overlay: HTMLCanvasElement }} canvases
 * @param {import("./replay.js").Replay} replay @param {number} epoch fractions included
 * @param {number} range half side of the square in sigma @param {Props} props @param {Colours} colours
 */
export function drawPoints({ points, overlay }, replay, epoch, range, props, colours) {
  const side = points.clientWidth;
  if (!side) return;
  const square = new Square(side, range);
  const positions = positionsAt(replay, epoch);
  drawDots(points, square, positions, replay.labels, props.palette);
  const context = fitCanvas(overlay, side);
  drawFrame(context, colours, square, countOutside(positions, range));
  const sums = sumsOf(positions, replay.labels, props.names.length);
  drawLabels(context, colours, square, props, sums);
}
