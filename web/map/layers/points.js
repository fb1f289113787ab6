/** The encoded test images, coloured by class. */

import { fitCanvas } from "../../core/drawing.js";

/** @typedef {import("../../page.js").Page} Page */
/** @typedef {import("../painter.js").Scene} Scene */

/**
 * The points of each class, as x, y, x, y ...: so that one loop draws one colour.
 *
 * @param {Float32Array} means (N * 2,) @param {Uint8Array} labels (N,) @param {number} classes
 */
export function byClass(means, labels, classes) {
  const counts = new Uint32Array(classes);
  for (const label of labels) counts[label]++;
  const groups = Array.from(counts, (count) => new Float32Array(2 * count));
  counts.fill(0);
  for (let i = 0; i < labels.length; i++) {
    const at = 2 * counts[labels[i]]++;
    groups[labels[i]][at] = means[2 * i];
    groups[labels[i]][at + 1] = means[2 * i + 1];
  }
  return groups;
}

// Alone, each point has the contrast of its class's colour; above decoded images, these stay seen.
const OPACITY = 1;
const OVER_IMAGES = 0.4;

/** @param {Scene} scene @param {Float32Array[]} groups */
function drawPoints({ context, view, layers, colours }, groups) {
  const dot = Math.max(1.6, view.side / 300) * Math.min(3, view.zoom ** 0.35);
  // The view's transform in numbers: an object for each of 10,000 points takes half of a frame.
  const { unit } = view;
  const left = (view.half - view.centre.x) * unit - dot / 2;
  const top = (view.centre.y + view.half) * unit - dot / 2;
  context.globalAlpha = layers.images ? OVER_IMAGES : OPACITY;
  for (const [label, points] of groups.entries()) {
    context.fillStyle = colours.classes[label];
    for (let i = 0; i < points.length; i += 2) {
      const px = points[i] * unit + left;
      const py = top - points[i + 1] * unit;
      if (px < -dot || py < -dot || px > view.side || py > view.side) continue;
      context.fillRect(px, py, dot, dot);
    }
  }
  context.globalAlpha = 1;
}

/** @param {Page} page @param {() => void} redraw @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ props, encodings }, redraw) {
  /** @type {Float32Array[]} */
  let groups = [];
  // Kept, since drawing 10,000 points takes a frame: other layers change beneath them.
  const sheet = document.createElement("canvas");
  let shown = ""; // what the sheet depends on
  encodings.then(
    ({ means, labels }) => {
      groups = byClass(means, labels, props.names.length);
      shown = "";
      redraw();
    },
    () => {}, // the map says that it could not be loaded
  );

  return {
    order: 20,
    draw(scene) {
      const { context, view, layers, colours } = scene;
      const { centre, half, side } = view;
      const kinds = [layers.images, colours.classes];
      const needed = JSON.stringify([centre, half, side, devicePixelRatio, ...kinds]);
      if (needed !== shown) drawPoints({ ...scene, context: fitCanvas(sheet, side) }, groups);
      shown = needed;
      context.drawImage(sheet, 0, 0, side, side);
    },
  };
}
