/** The encoder's clouds, true to scale, on the part of the latent space that the prior fills. */

import { drawRings, fitCanvas } from "../core/drawing.js";
import { MapView } from "../core/view.js";

const HALF = 3.2; // sigma; the 3σ ring and its name
const LEAST = 0.8; // pixels; a smaller cloud is drawn as a dot of this radius
const OPACITY = 0.35;

/**
 * The ellipses of clouds, x, y and the radii of each in pixels.
 *
 * @param {Float32Array} clouds mu_x, mu_y, sigma_x, sigma_y of each @param {MapView} view
 * @param {number} reach sigmas at which a cloud ends
 */
export function ellipses(clouds, view, reach) {
  return Array.from({ length: clouds.length / 4 }, (_, i) => {
    const [x, y, sx, sy] = clouds.subarray(4 * i, 4 * i + 4);
    const { px, py } = view.toPixels({ x, y });
    const radius = (/** @type {number} */ sigma) => Math.max(LEAST, reach * sigma * view.unit);
    return { px, py, rx: radius(sx), ry: radius(sy) };
  });
}

/**
 * @param {HTMLCanvasElement} canvas @param {Float32Array} clouds @param {Uint8Array} labels
 * @param {number} reach @param {import("../core/drawing.js").Colours} colours
 */
export function drawClouds(canvas, clouds, labels, reach, colours) {
  const side = canvas.clientWidth;
  if (!side) return;
  const view = new MapView(HALF);
  view.side = side;
  const context = fitCanvas(canvas, side);
  drawRings(context, colours, view.toPixels({ x: 0, y: 0 }), view.unit, [3]);
  context.globalAlpha = OPACITY;
  for (const [i, { px, py, rx, ry }] of ellipses(clouds, view, reach).entries()) {
    context.fillStyle = colours.classes[labels[i]];
    context.beginPath();
    context.ellipse(px, py, rx, ry, 0, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
}
