/**
 * The decoded manifold: the images decoded at the middle of each tile. When the view zooms in, the
 * tiles stay as large on the screen and so become finer in z. A worker draws them; until they come,
 * the last sheet is shown where it belongs.
 */

import { SIDE } from "../../core/decoder.js";
import { contextOf, isDark } from "../../core/dom.js";

/** @typedef {import("../../page.js").Page} Page */
/** @typedef {import("../../core/view.js").MapView} MapView */
/** @typedef {import("../../core/view.js").Position} Position */

const TILE = 36; // CSS pixels, about
const LEAST = 8; // tiles a side

/** @param {MapView} view @param {number} tiles a side */
function middles({ centre, half }, tiles) {
  const step = (/** @type {number} */ i) => ((i + 0.5) / tiles) * 2 * half;
  return {
    xs: Float64Array.from({ length: tiles }, (_, i) => centre.x - half + step(i)),
    ys: Float64Array.from({ length: tiles }, (_, i) => centre.y + half - step(i)),
  };
}

/** @param {Page} page @param {() => void} redraw @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ images, state: { plane } }, redraw) {
  /** @type {{ key: string, centre: Position, half: number, canvas: HTMLCanvasElement } | null} */
  let sheet = null;
  let asked = ""; // the key of the sheet that was asked for
  images.loaded.then(redraw, () => {}); // the map says that it could not be loaded

  /** @param {MapView} view */
  async function refresh(view) {
    const tiles = Math.max(LEAST, Math.round(view.side / TILE));
    const ink = isDark() ? 255 : 0;
    const { centre, half } = view;
    const key = [tiles, ink, centre.x, centre.y, half, plane.version].join(" ");
    if (key === sheet?.key || key === asked) return;
    asked = key;
    try {
      const pixels = await images.sheet({ ...middles(view, tiles), ink });
      if (!pixels || key !== asked) return;
      const canvas = document.createElement("canvas");
      canvas.width = SIDE * tiles;
      canvas.height = SIDE * tiles;
      contextOf(canvas).putImageData(new ImageData(pixels, SIDE * tiles), 0, 0);
      sheet = { key, centre, half, canvas };
      redraw();
    } catch {
      asked = ""; // the next drawing asks again
    }
  }

  return {
    order: 10,
    legend: () =>
      images.hasWorker
        ? []
        : [["", "This browser has no workers: the page pauses while the images are drawn"]],
    draw({ context, view }) {
      if (!images.ready) return;
      refresh(view);
      if (!sheet) return;
      const { centre, half, canvas } = sheet;
      const from = view.toPixels({ x: centre.x - half, y: centre.y + half });
      const size = 2 * half * view.unit;
      context.imageSmoothingEnabled = true;
      context.drawImage(canvas, from.px, from.py, size, size);
    },
  };
}
