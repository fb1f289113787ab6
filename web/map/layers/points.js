/** The encoded test images, coloured by class; above two dimensions they fade with the distance. */

import { fitCanvas } from "../../core/drawing.js";
import { FADE, fadeOf, fadeSteps, faintestFrom } from "../../plane/fade.js";

/** @typedef {import("../../page.js").Page} Page */
/** @typedef {import("../painter.js").Scene} Scene */

/**
 * The points of each class, as x, y, x, y ...: so that one loop draws one colour.
 *
 * @param {Float32Array} means (N * 2,) @param {ArrayLike<number>} labels (N,) @param {number} classes
 */
export function byClass(means, labels, classes) {
  const counts = new Uint32Array(classes);
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++;
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
const OVER_IMAGES = 0.5;

/**
 * The points of each class and step of FADE, the faintest first.
 *
 * @param {import("../../core/encodings.js").Encodings} encodings @param {number} classes
 * @returns {{ points: Float32Array, label: number, step: number }[]}
 */
function grouped({ onMap: { points, distances }, labels }, classes) {
  const steps = fadeSteps(distances);
  const keys = Uint32Array.from(
    labels,
    (label, i) => classes * (FADE.length - 1 - steps[i]) + label,
  );
  const groups = byClass(points, keys, classes * FADE.length).map((found, key) => ({
    points: found,
    label: key % classes,
    step: FADE.length - 1 - Math.floor(key / classes),
  }));
  return groups.filter((group) => group.points.length > 0);
}

/** Of the distances that points fade with. @param {Float32Array} distances @returns {[string, string][]} */
function fadeLegend(distances) {
  const fade = fadeOf(distances);
  const width = 100 / FADE.length;
  const stops = FADE.map((share, i) => {
    const colour = `color-mix(in srgb, var(--ink) ${100 * share}%, transparent)`;
    return `${colour} ${i * width}% ${(i + 1) * width}%`;
  });
  const ramp = `linear-gradient(90deg, ${stops.join()})`;
  return [
    [
      ramp,
      `from the plane: under ${fade.near.toFixed(2)}σ to over ${faintestFrom(fade).toFixed(2)}σ`,
    ],
  ];
}

/** @param {Scene} scene @param {ReturnType<typeof grouped>} groups */
function drawPoints({ context, view, colours }, groups) {
  const dot = Math.max(1.6, view.side / 300) * Math.min(3, view.zoom ** 0.35);
  // The view's transform in numbers: an object for each of 10,000 points takes half of a frame.
  const { unit } = view;
  const left = (view.half - view.centre.x) * unit - dot / 2;
  const top = (view.centre.y + view.half) * unit - dot / 2;
  for (const { points, label, step } of groups) {
    context.globalAlpha = FADE[step];
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
export function createLayer({ props, state, encodings }, redraw) {
  /** @type {ReturnType<typeof grouped>} */
  let groups = [];
  /** @type {import("../../core/encodings.js").Encodings | null} */
  let loaded = null;
  // Kept, since drawing 10,000 points takes a frame: other layers change beneath them.
  const sheet = document.createElement("canvas");
  let shown = ""; // what the sheet depends on
  encodings.then(
    (known) => {
      loaded = known;
      const group = () => {
        groups = grouped(known, props.names.length);
        shown = "";
        redraw();
      };
      state.subscribe("plane", group);
      group();
    },
    () => {}, // the map says that it could not be loaded
  );

  if (!state.plane.isWhole) {
    let near = state.values.near;
    state.subscribe("controls", () => {
      if (state.values.near !== near) redraw();
      near = state.values.near;
    });
  }

  return {
    order: 20,
    legend: () => (loaded && !state.plane.isWhole ? fadeLegend(loaded.onMap.distances) : []),
    draw(scene) {
      const { context, view, layers, colours } = scene;
      const { centre, half, side } = view;
      const near = state.values.near === true;
      const needed = JSON.stringify([centre, half, side, devicePixelRatio, colours.classes, near]);
      if (needed !== shown) {
        const drawn = near ? groups.filter(({ step }) => step === 0) : groups;
        drawPoints({ ...scene, context: fitCanvas(sheet, side) }, drawn);
      }
      shown = needed;
      context.globalAlpha = layers.images ? OVER_IMAGES : OPACITY;
      context.drawImage(sheet, 0, 0, side, side);
      context.globalAlpha = 1;
    },
  };
}
