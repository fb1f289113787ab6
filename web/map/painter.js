/** Draws the map: the layers, axes, paths, labels, the posterior and the points A and B. */

import { find, findCanvas } from "../core/dom.js";
import { drawText, FONT, fitCanvas, readColours, trace } from "../core/drawing.js";

/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {import("../core/state.js").Path} Path */
/** @typedef {import("../core/drawing.js").Colours} Colours */

/**
 * What a layer draws on.
 *
 * @typedef {{
 *   context: CanvasRenderingContext2D, view: import("../core/view.js").MapView, colours: Colours,
 *   layers: Record<string, boolean>,
 * }} Scene
 */

/**
 * What the map shows instead of the model and its layers, in a view of its own.
 *
 * @typedef {{
 *   view: Scene["view"], draw: (scene: Scene) => void, drawTop: (scene: Scene) => void,
 * }} Epoch
 */

const LABEL_BELOW = 120; // pixels; a shorter path has no name on the map, its images below have it

/**
 * A word on a plate, to be readable on any background.
 *
 * @param {Scene} scene @param {string} text @param {Pixel} at @param {string} border
 */
export function drawPlate({ context, view, colours }, text, at, border) {
  context.font = `600 12px ${FONT}`;
  const wide = context.measureText(text).width + 12;
  const left = Math.min(view.side - wide - 2, Math.max(2, at.px - wide / 2));
  context.beginPath();
  context.roundRect(left, at.py - 10, wide, 20, 6);
  context.fillStyle = colours.ground;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = border;
  context.stroke();
  context.fillStyle = colours.ink;
  context.fillText(text, left + wide / 2, at.py + 1);
}

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

/** @param {Scene} scene */
export function drawTicks({ context, view, colours }) {
  const { centre, half, side, step } = view;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const name = (/** @type {number} */ v) =>
    v
      .toFixed(decimals)
      .replace(/^-(?=0\.?0*$)/, "")
      .replace("-", "−");
  const first = (/** @type {number} */ c) => Math.ceil((c - 0.92 * half) / step) * step;
  for (let x = first(centre.x); x < centre.x + 0.95 * half; x += step) {
    drawText(context, colours, name(x), view.toPixels({ x, y: 0 }).px, side - 12);
  }
  for (let y = first(centre.y); y < centre.y + 0.9 * half; y += step) {
    const px = 8 + 6 * Math.max(1, name(y).length / 2);
    drawText(context, colours, name(y), px, view.toPixels({ x: 0, y }).py);
  }
  drawText(context, colours, "x (z₁)", side - 26, side - 30);
  drawText(context, colours, "y (z₂)", 28, 14);
}

export class MapPainter {
  /** @type {Colours | null} */
  #colours = null;
  #page;
  #layers;
  #element;
  #base;
  #top;
  #cursor;

  /**
   * @param {import("../page.js").Page} page
   * @param {HTMLElement} element
   * @param {import("./layers.js").MapLayers} layers
   */
  constructor(page, element, layers) {
    this.#page = page;
    this.#element = element;
    this.#layers = layers;
    this.#base = findCanvas(element, ".map-base");
    this.#top = findCanvas(element, ".map-top");
    this.#cursor = find(element, ".map-cursor");
  }

  /** The next drawing reads the theme's colours again. */
  forgetColours() {
    this.#colours = null;
  }

  /**
   * Draws what lies above the layers and, with `all`, the layers too; false if the page's style or
   * size is not there yet.
   *
   * @param {boolean} all
   */
  draw(all) {
    const { view } = this.#page.state;
    view.side = this.#top.clientWidth;
    this.#colours ??= readColours(this.#element);
    if (!view.side || !this.#colours) return false;
    if (all) this.#drawBase();
    this.#drawTop();
    this.placeCursor();
    return true;
  }

  /** An element and not a drawing: moving it costs the browser almost nothing. */
  placeCursor() {
    const { view, z } = this.#page.state;
    const { px, py } = view.toPixels(z);
    this.#cursor.style.transform = `translate(${px}px, ${py}px)`;
  }

  /** @param {HTMLCanvasElement} canvas @returns {Scene} */
  #scene(canvas) {
    const { view, layers } = this.#page.state;
    const colours = /** @type {Colours} */ (this.#colours);
    return { context: fitCanvas(canvas, view.side), view, colours, layers };
  }

  // The layers that stay while the cursor moves. Those below 0, which fill the map, lie under the axes.
  #drawBase() {
    const scene = this.#scene(this.#base);
    const { epoch } = this.#page.state;
    if (epoch) {
      drawAxes(scene);
      epoch.draw(scene);
      drawTicks(scene);
      return;
    }
    const shown = this.#layers.shown();
    for (const layer of shown) if (layer.order < 0) layer.draw(scene);
    drawAxes(scene);
    for (const layer of shown) if (layer.order >= 0) layer.draw(scene);
    drawTicks(scene);
  }

  #drawTop() {
    const scene = this.#scene(this.#top);
    const { state } = this.#page;
    scene.context.lineJoin = "round";
    if (state.epoch) {
      state.epoch.drawTop(scene);
      return;
    }
    for (const path of state.paths) this.#drawPath(scene, path);
    for (const layer of this.#layers.shown()) layer.drawTop(scene);
    this.#drawReading(scene);
    this.#drawPathLabels(scene);
    for (const [flag, point] of Object.entries(state.marks)) {
      if (point) drawPlate(scene, flag, scene.view.toPixels(point), scene.colours.ink);
    }
  }

  /** @param {Scene} scene @param {Path} path */
  #drawPath({ context, view, colours }, { curve, points, method, scattered }) {
    const { pathStyles } = this.#page;
    if (!scattered) {
      const line = curve.map((z) => view.toPixels(z));
      context.lineWidth = 6.5;
      context.strokeStyle = colours.ground;
      trace(context, line);
      context.lineWidth = 3;
      context.strokeStyle = pathStyles.colour(method);
      context.setLineDash(pathStyles.dash(method));
      trace(context, line);
      context.setLineDash([]);
    }
    for (const z of points) {
      const { px, py } = view.toPixels(z);
      context.beginPath();
      context.arc(px, py, 3.5, 0, 2 * Math.PI);
      context.fillStyle = colours.ground;
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = scattered ? colours.ink : pathStyles.colour(method);
      context.stroke();
    }
  }

  // Each at another part of its path, and moved until no two cover each other.
  /** @param {Scene} scene */
  #drawPathLabels(scene) {
    const { view } = scene;
    const extent = (/** @type {Path} */ { curve }) => {
      const [a, b] = [view.toPixels(curve[0]), view.toPixels(curve[curve.length - 1])];
      return Math.hypot(a.px - b.px, a.py - b.py);
    };
    const { state, pathStyles } = this.#page;
    const named = state.paths.filter((path) => path.label && extent(path) > LABEL_BELOW);
    /** @type {Pixel[]} */
    const placed = [];
    for (const [i, { curve, label, method }] of named.entries()) {
      const share = (i + 1) / (named.length + 1);
      const at = view.toPixels(curve[Math.round(share * (curve.length - 1))]);
      const covers = (/** @type {Pixel} */ other) =>
        Math.abs(other.px - at.px) < 100 && Math.abs(other.py - at.py) < 22;
      while (placed.some(covers)) at.py += 22;
      placed.push(at);
      drawPlate(scene, label, at, pathStyles.colour(method));
    }
  }

  // The posterior of the newest image: its mean and the ellipses of 1 and 2 sigma, to scale.
  /** @param {Scene} scene */
  #drawReading(scene) {
    const { reading } = this.#page.state;
    if (!reading || reading.error !== undefined) return;
    const { context, view, colours } = scene;
    const { px, py } = view.toPixels({ x: reading.mu[0], y: reading.mu[1] });
    for (const sigma of [1, 2]) {
      context.beginPath();
      const [rx, ry] = reading.sigma.map((s) => sigma * s * view.unit);
      context.ellipse(px, py, rx, ry, 0, 0, 2 * Math.PI);
      context.lineWidth = 5;
      context.strokeStyle = colours.ground;
      context.stroke();
      context.lineWidth = 2;
      context.strokeStyle = colours.ink;
      context.setLineDash(sigma === 2 ? [5, 4] : []);
      context.stroke();
      context.setLineDash([]);
    }
    context.beginPath();
    context.arc(px, py, 3, 0, 2 * Math.PI);
    context.fillStyle = colours.ink;
    context.fill();
    const above = py - 18 - 2 * reading.sigma[1] * view.unit;
    drawPlate(scene, reading.title.split(",")[0], { px, py: above }, colours.ink);
  }
}
