/** Draws an epoch on a map: what was encoded and what was decoded then, with rings and names. */

import { contextOf, isDark } from "../core/dom.js";
import { drawRings } from "../core/drawing.js";
import { MapView } from "../core/view.js";
import { drawNames } from "./labels.js";
import { gridAt, hasImages, momentAt, positionsAt } from "./replay.js";

/** @typedef {import("../map/painter.js").Scene} Scene */
/** @typedef {import("./replay.js").Replay} Replay */
/** @typedef {import("../page.js").Props} Props */

/**
 * Those of some pixels that are not too close to one before: first of those in `former`, which stay
 * where they can, so that they do not flicker as they move.
 *
 * @param {readonly import("../core/view.js").Pixel[]} pixels @param {ReadonlySet<number>} former
 * @param {number} apart
 */
export function spreadOut(pixels, former, apart) {
  const order = [...former, ...pixels.keys()];
  /** @type {Set<number>} */
  const kept = new Set();
  for (const i of order) {
    const { px, py } = pixels[i];
    const isFree = (/** @type {number} */ k) =>
      Math.hypot(pixels[k].px - px, pixels[k].py - py) >= apart;
    if ([...kept].every(isFree)) kept.add(i);
  }
  return kept;
}

/** The layers of the map that an epoch has too. */
export const LAYERS = ["points", "images", "rings", "labels"];
// Alone, each point has the contrast of its class's colour; above decoded images, these stay seen.
const OPACITY = 1;
const OVER_IMAGES = 0.5;
const RECONSTRUCTIONS = 16; // as many beside each other fill the map
const APART = 0.6; // of their side, at least: closer ones would hide each other
const UNIT = 26; // pixels of a sigma, below which only the outer ring has a name

export class EpochDrawing {
  view = new MapView(1);
  /** @type {import("../map/placement.js").Box[]} what names must not cover */
  taken = [];
  #props;
  #sheet = document.createElement("canvas");
  #shown = ""; // what the sheet holds
  #positions = new Float32Array(0);
  #moment = 0;
  /** @type {Set<number>} the reconstructions that were drawn */
  #spread = new Set();
  /** @type {import("./labels.js").Memory} */
  #names = new Map();

  /** @param {Props} props @param {Replay} replay */
  constructor(props, replay) {
    this.#props = props;
    this.replay = replay;
    this.#sheet.width = 28 * replay.grid_side;
    this.#sheet.height = this.#sheet.width;
  }

  /** What the next drawing shows. @param {number} epoch fractions included */
  set epoch(epoch) {
    this.#positions = positionsAt(this.replay, epoch);
    this.#moment = momentAt(this.replay, epoch);
  }

  /** What lies under the cursor. @param {Scene} scene */
  draw(scene) {
    const { context, view, colours, layers } = scene;
    const images = layers.images && hasImages(this.replay);
    if (images) this.#drawImages(scene);
    if (layers.points || !images) this.#drawPoints(scene);
    if (!layers.rings) return;
    const named = view.unit > UNIT ? [1, 2, 3] : [3];
    drawRings(context, colours, view.toPixels({ x: 0, y: 0 }), view.unit, named);
  }

  /** The names of the classes. @param {Scene} scene */
  drawTop(scene) {
    if (!scene.layers.labels) return;
    drawNames(scene, this.#props, this.#positions, this.replay.labels, this.taken, this.#names);
  }

  /** @param {Scene} scene */
  #drawImages(scene) {
    const { replay } = this;
    const level = isDark() ? 255 : 0;
    const key = `${this.#moment} ${level}`;
    if (key !== this.#shown) {
      this.#shown = key;
      const pixels = gridAt(replay, this.#moment, level);
      contextOf(this.#sheet).putImageData(new ImageData(pixels, this.#sheet.width), 0, 0);
    }
    scene.context.imageSmoothingEnabled = true;
    if (replay.reconstructed.length) this.#drawReconstructions(scene);
    else this.#drawGrid(scene);
  }

  /** Each where its image is encoded. @param {Scene} scene */
  #drawReconstructions({ context, view }) {
    const { grid_side: side, reconstructed } = this.replay;
    const size = view.side / RECONSTRUCTIONS;
    const pixels = reconstructed.map((row) => {
      const [x, y] = this.#positions.subarray(2 * row, 2 * row + 2);
      return view.toPixels({ x, y });
    });
    this.#spread = spreadOut(pixels, this.#spread, APART * size);
    for (const i of this.#spread) {
      const { px, py } = pixels[i];
      const from = { x: 28 * (i % side), y: 28 * Math.floor(i / side) };
      const to = { x: px - size / 2, y: py - size / 2 };
      context.drawImage(this.#sheet, from.x, from.y, 28, 28, to.x, to.y, size, size);
    }
  }

  /** @param {Scene} scene */
  #drawGrid({ context, view }) {
    // The outermost images have their middles at the grid's reach.
    const { grid_reaches, grid_side: side } = this.replay;
    const reach = grid_reaches[this.#moment];
    const half = reach + reach / (side - 1);
    const from = view.toPixels({ x: -half, y: half });
    const size = 2 * half * view.unit;
    context.drawImage(this.#sheet, from.px, from.py, size, size);
  }

  /** @param {Scene} scene */
  #drawPoints({ context, view, layers, colours }) {
    const dot = Math.max(3, view.side / 150);
    const { unit } = view;
    const left = (view.half - view.centre.x) * unit - dot / 2;
    const top = (view.centre.y + view.half) * unit - dot / 2;
    context.globalAlpha = layers.images ? OVER_IMAGES : OPACITY;
    for (const [i, label] of this.replay.labels.entries()) {
      context.fillStyle = colours.classes[label % colours.classes.length];
      const [x, y] = [this.#positions[2 * i], this.#positions[2 * i + 1]];
      context.fillRect(x * unit + left, top - y * unit, dot, dot);
    }
    context.globalAlpha = 1;
  }
}
