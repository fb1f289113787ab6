/** The axes of the map and their texts, of which none touches another. */

import { drawText, trace } from "../core/drawing.js";
import { WHOLE } from "../core/plane.js";
import { boxAround, overlap } from "./placement.js";

/** @typedef {import("./painter.js").Scene} Scene */
/** @typedef {import("../core/view.js").MapView} MapView */
/** @typedef {import("./placement.js").Box} Box */
/** @typedef {{ text: string, px: number, py: number, box: Box }} AxisText */

const HEIGHT = 14; // pixels of a text
const GAP = 4; // pixels between two texts

/** @param {Scene} scene */
export function drawAxes({ context, view, colours }) {
  const { px, py } = view.toPixels({ x: 0, y: 0 });
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  trace(context, [
    { px: 0, py },
    { px: view.side, py },
  ]);
  trace(context, [
    { px, py: 0 },
    { px, py: view.side },
  ]);
}

/**
 * The names of both axes and their ticks; a tick that would touch another text is left out.
 *
 * @param {MapView} view @param {(text: string) => number} widthOf in pixels
 * @param {readonly string[]} names of x and y
 */
export function axisTexts(view, widthOf, [nameX, nameY] = WHOLE.names) {
  const { centre, half, side, step } = view;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const name = (/** @type {number} */ v) =>
    v
      .toFixed(decimals)
      .replace(/^-(?=0\.?0*$)/, "")
      .replace("-", "−");
  /** @type {AxisText[]} */
  const texts = [];
  function add(/** @type {string} */ text, /** @type {number} */ px, /** @type {number} */ py) {
    const box = boxAround({ px, py }, widthOf(text), HEIGHT);
    if (!texts.some((other) => overlap(box, other.box, GAP))) texts.push({ text, px, py, box });
  }
  // In two dimensions both names are as wide.
  const middle = (/** @type {string} */ text) => Math.max(22, widthOf(text) / 2);
  add(nameX, side - 4 - middle(nameX), side - 30);
  add(nameY, 6 + middle(nameY), 14);
  const first = (/** @type {number} */ c) => Math.ceil((c - 0.92 * half) / step) * step;
  for (let x = first(centre.x); x < centre.x + 0.95 * half; x += step) {
    add(name(x), view.toPixels({ x, y: 0 }).px, side - 12);
  }
  for (let y = first(centre.y); y < centre.y + 0.9 * half; y += step) {
    add(name(y), 4 + widthOf(name(y)) / 2, view.toPixels({ x: 0, y }).py);
  }
  return texts;
}

/** @param {Scene} scene @param {readonly AxisText[]} texts */
export function drawAxisTexts({ context, colours }, texts) {
  for (const { text, px, py } of texts) drawText(context, colours, text, px, py);
}
