/** Draws the map: the layers, axes, paths, the posterior and, above them, all labels. */

import { find, findCanvas } from "../core/dom.js";
import { fitCanvas, readColours, remPixels, trace } from "../core/drawing.js";
import { PRINCIPAL } from "../core/plane.js";
import { axisTexts, drawAxes, drawAxisTexts } from "./axes.js";
import { cloudBox, cloudOf, isHidden } from "./cloud.js";
import { drawHighlight } from "./highlight.js";
import { MapLabels, PRIORITY } from "./map_labels.js";

/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {import("../core/state.js").Path} Path */
/** @typedef {import("../core/drawing.js").Colours} Colours */
/** @typedef {import("./map_labels.js").Label} Label */

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
const SHARES = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8]; // of a path, where its name may stand
const PATH_REACH = 30; // pixels
const TITLE_REACH = 80; // pixels
const MARK_REACH = 60; // pixels
const CROSS = 5; // pixels from the middle of a cross to its ends, in x and y

/** @param {CanvasRenderingContext2D} context @param {Colours} colours @param {number} px @param {number} py */
function drawCross(context, { ground, ink }, px, py) {
  for (const [width, colour] of /** @type {[number, string][]} */ ([
    [5, ground],
    [2, ink],
  ])) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    trace(context, [
      { px: px - CROSS, py: py - CROSS },
      { px: px + CROSS, py: py + CROSS },
    ]);
    trace(context, [
      { px: px - CROSS, py: py + CROSS },
      { px: px + CROSS, py: py - CROSS },
    ]);
  }
}

export class MapPainter {
  /** @type {Colours | null} */
  #colours = null;
  /** @type {import("./cloud.js").Cloud | null} the posterior as it is drawn */
  #cloud = null;
  #faint = false; // whether the crosshair is
  #page;
  #layers;
  #element;
  #base;
  #top;
  #cursor;
  #labels;
  #overlays;

  /**
   * @param {import("../page.js").Page} page
   * @param {HTMLElement} element
   * @param {import("./layers.js").MapLayers} layers
   * @param {import("./overlays.js").Overlays} overlays what lies over the map
   */
  constructor(page, element, layers, overlays) {
    this.#page = page;
    this.#element = element;
    this.#layers = layers;
    this.#overlays = overlays;
    this.#base = findCanvas(element, ".map-base");
    this.#top = findCanvas(element, ".map-top");
    this.#cursor = find(element, ".map-cursor");
    this.#labels = new MapLabels(element);
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
    this.#labels.rem = remPixels();
    if (!view.side || !this.#colours) return false;
    if (all) this.#drawBase();
    this.#drawTop();
    this.placeCursor();
    return true;
  }

  /** An element and not a drawing: moving it costs the browser almost nothing. */
  placeCursor() {
    const { view, z } = this.#page.state;
    const at = view.toPixels(z);
    this.#cursor.style.transform = `translate(${at.px}px, ${at.py}px)`;
    const faint = isHidden(this.#cloud, at);
    if (faint !== this.#faint) this.#cursor.toggleAttribute("data-faint", faint);
    this.#faint = faint;
    this.#labels.fadeUnder(at);
    this.#overlays.makeWay(at);
  }

  /** @param {HTMLCanvasElement} canvas @returns {Scene} */
  #scene(canvas) {
    const { view, layers } = this.#page.state;
    const colours = /** @type {Colours} */ (this.#colours);
    return { context: fitCanvas(canvas, view.side), view, colours, layers };
  }

  #axisTexts() {
    const { epoch, plane, view } = this.#page.state;
    const names = epoch && !plane.isWhole ? PRINCIPAL : plane.names; // a replay is seen there
    return axisTexts(view, (text) => this.#labels.widthOf(text), names);
  }

  // The layers that stay while the cursor moves. Those below 0, which fill the map, lie under the axes.
  #drawBase() {
    const scene = this.#scene(this.#base);
    const { epoch } = this.#page.state;
    const shown = epoch ? [] : this.#layers.shown();
    for (const layer of shown) if (layer.order < 0) layer.draw(scene);
    drawAxes(scene);
    for (const layer of shown) if (layer.order >= 0) layer.draw(scene);
    epoch?.draw(scene);
    drawAxisTexts(scene, this.#axisTexts());
  }

  #drawTop() {
    const scene = this.#scene(this.#top);
    const { state, highlight } = this.#page;
    this.#cloud = state.epoch ? null : cloudOf(state.reading, state.view, state.plane);
    scene.context.lineJoin = "round";
    if (state.epoch) {
      this.#overlays.settle(null, null);
      this.#labels.show(scene, [], [], [], null);
      state.epoch.drawTop(scene);
      return;
    }
    for (const path of state.paths) this.#drawPath(scene, path);
    for (const layer of this.#layers.shown()) layer.drawTop(scene);
    if (this.#cloud) drawCloud(scene, this.#cloud);
    if (highlight.pointed) drawHighlight(scene, highlight.pointed);
    this.#showLabels(scene);
  }

  /** @param {Scene} scene */
  #showLabels(scene) {
    const { state } = this.#page;
    const cursor = state.held || state.travelling ? null : state.view.toPixels(state.z);
    const obstacles = this.#axisTexts().map(({ box }) => box);
    if (this.#cloud) obstacles.push(cloudBox(this.#cloud));
    const covers = this.#overlays.settle(this.#cloud, cursor);
    const labels = [
      ...this.#layers.shown().flatMap((layer) => layer.labels(scene)),
      ...this.#pathLabels(scene),
      ...this.#titleLabel(scene),
      ...this.#markLabels(scene),
    ];
    this.#labels.show(scene, labels, obstacles, covers, cursor);
  }

  /** @param {Scene} scene @param {Path} path */
  #drawPath({ context, view, colours }, { curve, points, method, scattered, missed }) {
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
      if (missed) {
        drawCross(context, colours, px, py);
        continue;
      }
      context.beginPath();
      context.arc(px, py, 3.5, 0, 2 * Math.PI);
      context.fillStyle = colours.ground;
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = scattered ? colours.ink : pathStyles.colour(method);
      context.stroke();
    }
  }

  // Each at another part of its path where it can be.
  /** @param {Scene} scene @returns {Label[]} */
  #pathLabels({ view }) {
    const extent = (/** @type {Path} */ { curve }) => {
      const [a, b] = [view.toPixels(curve[0]), view.toPixels(curve[curve.length - 1])];
      return Math.hypot(a.px - b.px, a.py - b.py);
    };
    const { state, pathStyles } = this.#page;
    const named = state.paths.filter((path) => path.label && extent(path) > LABEL_BELOW);
    return named.map(({ curve, label, method }, i) => ({
      key: `path ${i}`,
      text: label,
      kind: "plate",
      colour: pathStyles.colour(method),
      priority: PRIORITY.path,
      homes: [(i + 1) / (named.length + 1), ...SHARES].map((share) =>
        view.toPixels(curve[Math.round(share * (curve.length - 1))]),
      ),
      reach: PATH_REACH,
    }));
  }

  /** Of the open image, unless the note beside it says more. @param {Scene} scene @returns {Label[]} */
  #titleLabel({ colours }) {
    const { reading } = this.#page.state;
    if (!this.#cloud || !reading || reading.error !== undefined) return [];
    if (this.#overlays.note.isOpen) return [];
    const text = reading.title.split(",")[0];
    const { px, py } = this.#cloud;
    return [
      {
        ...{ key: "reading", text, kind: "plate", colour: colours.ink },
        ...{ priority: PRIORITY.reading, homes: [{ px, py }], reach: TITLE_REACH, beside: true },
      },
    ];
  }

  /** @param {Scene} scene @returns {Label[]} */
  #markLabels({ view, colours }) {
    return Object.entries(this.#page.state.marks).flatMap(([flag, point]) =>
      point
        ? {
            ...{ key: `mark ${flag}`, text: flag, kind: "plate", colour: colours.ink },
            ...{ priority: PRIORITY.mark, homes: [view.toPixels(point)], reach: MARK_REACH },
          }
        : [],
    );
  }
}

/** The posterior of the newest image: its mean and the ellipses of 1 and 2 sigma, to scale. @param {Scene} scene @param {import("./cloud.js").Cloud} cloud */
function drawCloud({ context, colours }, { px, py, rx, ry, turn = 0 }) {
  for (const sigma of [1, 2]) {
    context.beginPath();
    context.ellipse(px, py, (sigma * rx) / 2, (sigma * ry) / 2, -turn, 0, 2 * Math.PI);
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
}
