/** The map of the model that the page's own is compared with, drawn as the map and the replay are. */

import { onResize, onTheme } from "../core/dom.js";
import { drawRings, fitCanvas, readColours } from "../core/drawing.js";
import { MapView } from "../core/view.js";
import { axisTexts, drawAxes, drawAxisTexts } from "../map/axes.js";
import { drawHighlight } from "../map/highlight.js";
import { createLayer } from "../map/layers/points.js";
import { drawNames } from "../training/labels.js";
import { nearestToward } from "./toward.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/encodings.js").Encodings} Encodings */

const HIT = 24; // pixels around a point within which it is pointed at
const UNIT = 26; // pixels of a sigma, below which only the outer ring has a name
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class SecondMap {
  /** The test image that is marked, or -1. */
  marked = -1;
  /** @type {import("../core/drawing.js").Colours | null} */
  #colours = null;
  /** @type {import("../training/labels.js").Memory} */
  #names = new Map();
  #frame = 0;
  #page;
  #encodings;
  #canvas;
  #points;

  /**
   * @param {Page} page of that model @param {Encodings} encodings of that model
   * @param {HTMLCanvasElement} canvas @param {(index: number) => void} onPoint
   */
  constructor(page, encodings, canvas, onPoint) {
    this.#page = page;
    this.#encodings = encodings;
    this.#canvas = canvas;
    /** Of the whole map. */
    this.range = page.props.range;
    this.view = new MapView(this.range);
    this.#points = createLayer(page, () => this.draw());
    const { signal } = page.state;
    canvas.ariaLabel = `Map of ${page.props.model.label}. Arrow keys go to the next test ${page.props.info.item} in their direction.`;
    const move = (/** @type {PointerEvent} */ event) => {
      const index = this.#indexAt(event);
      if (index >= 0) onPoint(index);
    };
    canvas.addEventListener("pointermove", move, { signal });
    canvas.addEventListener("pointerdown", move, { signal });
    const press = (/** @type {KeyboardEvent} */ event) => {
      const toward = ARROWS[event.key];
      if (!toward) return;
      event.preventDefault();
      const next = nearestToward(encodings.onMap.points, this.marked, toward);
      if (next >= 0) onPoint(next);
    };
    canvas.addEventListener("keydown", press, { signal });
    onResize(canvas, () => this.draw(), signal);
    const recolour = () => {
      this.#colours = null;
      this.draw();
    };
    onTheme(recolour, signal);
  }

  /** @param {PointerEvent} event */
  #indexAt({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    const at = this.view.toLatent({ px: clientX - box.left, py: clientY - box.top });
    const { index, distance } = this.#encodings.nearestPoint(at);
    return distance * this.view.unit <= HIT ? index : -1;
  }

  /** Marks a test image. @param {number} index */
  mark(index) {
    this.marked = index;
    this.draw();
  }

  /** Draws in the browser's next frame. */
  draw() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (!this.#page.state.signal.aborted) this.#paint();
    });
  }

  #paint() {
    this.#colours ??= readColours(this.#canvas);
    const side = this.#canvas.clientWidth;
    if (!side || !this.#colours) return;
    const { view } = this;
    view.side = side;
    const context = fitCanvas(this.#canvas, side);
    const scene = { context, view, colours: this.#colours, layers: {} };
    drawAxes(scene);
    this.#points.draw?.(scene, null);
    const named = view.unit > UNIT ? [1, 2, 3] : [3];
    const { height } = this.#page.state.plane;
    drawRings(context, this.#colours, view.toPixels({ x: 0, y: 0 }), view.unit, named, height);
    const texts = axisTexts(view, (text) => context.measureText(text).width);
    drawAxisTexts(scene, texts);
    const { labels, onMap } = this.#encodings;
    drawNames(scene, this.#page.props, onMap.points, labels, [], this.#names);
    if (this.marked >= 0) drawHighlight(scene, { z: this.#encodings.positionOf(this.marked) });
  }
}
