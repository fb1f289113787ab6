/** The encoded test images, coloured by class. */

/** @typedef {import("../../page.js").Page} Page */

/** @param {Page} page @param {() => void} redraw @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ props, encodings }, redraw) {
  /** @type {import("../../core/encodings.js").Encodings | null} */
  let loaded = null;
  encodings.then(
    (found) => {
      loaded = found;
      redraw();
    },
    () => {}, // the map says that it could not be loaded
  );

  return {
    order: 20,
    draw({ context, view, layers }) {
      if (!loaded) return;
      const { means, labels } = loaded;
      const dot = Math.max(1.6, view.side / 300) * Math.min(3, view.zoom ** 0.35);
      context.globalAlpha = layers.images ? 0.4 : 0.6;
      for (const [label, colour] of props.palette.slice(0, props.names.length).entries()) {
        context.fillStyle = colour;
        for (let i = 0; i < labels.length; i++) {
          if (labels[i] !== label) continue;
          const { px, py } = view.toPixels({ x: means[2 * i], y: means[2 * i + 1] });
          context.fillRect(px - dot / 2, py - dot / 2, dot, dot);
        }
      }
      context.globalAlpha = 1;
    },
  };
}
