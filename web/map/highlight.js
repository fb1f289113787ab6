/** Draws what a control beside the map points out: a posterior, a position. */

import { outlineOf } from "../core/posterior.js";

/** @typedef {import("./painter.js").Scene} Scene */

const RING = 9; // pixels, the radius around a position

/** @param {Scene} scene @param {import("../core/highlight.js").Pointed} pointed */
export function drawHighlight(scene, { posterior, z }) {
  if (posterior) {
    for (const sigmas of [2, 1]) shade(scene, posterior, sigmas);
  }
  if (z) ring(scene, z);
}

/** @param {Scene} scene @param {import("../core/posterior.js").Posterior} posterior @param {number} sigmas */
function shade({ context, view, colours }, posterior, sigmas) {
  const { px, py } = view.toPixels(posterior.mu);
  const { rx, ry, turn } = outlineOf(posterior);
  const scale = sigmas * view.unit;
  context.beginPath();
  context.ellipse(px, py, scale * rx, scale * ry, -turn, 0, 2 * Math.PI);
  context.globalAlpha = 0.25;
  context.fillStyle = colours.accent;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 3;
  context.strokeStyle = colours.accent;
  context.stroke();
}

/** @param {Scene} scene @param {import("../core/view.js").Position} z */
function ring({ context, view, colours }, z) {
  const { px, py } = view.toPixels(z);
  for (const [width, colour] of /** @type {const} */ ([
    [7, "ground"],
    [3.5, "accent"],
  ])) {
    context.beginPath();
    context.arc(px, py, RING, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = colours[colour];
    context.stroke();
  }
}
