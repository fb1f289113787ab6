/**
 * The part of the map around a posterior, to scale, in which the posterior can be dragged. It shows
 * the same part for as long as the image stays the same.
 */

import { onResize, onTheme } from "../core/dom.js";
import { fitCanvas, readColours } from "../core/drawing.js";
import { dragged, edgesOf, gripAt, halfAround, outlineOf, pressed } from "../core/posterior.js";
import { MapView } from "../core/view.js";

/** @typedef {import("../core/posterior.js").Posterior} Posterior */
/** @typedef {import("../core/view.js").Position} Position */
/** @typedef {import("../map/painter.js").Scene} Scene */
/** @typedef {{ posterior: Posterior, samples: readonly Position[], current: number }} Shown current: the index of z */

const REACH = 14; // pixels around an edge in which a press takes hold of it
const POINT = 2; // pixels, the side of an encoding
const CURSORS = { mu: "move", x: "ew-resize", y: "ns-resize" };

export class CloudMap {
  /** @type {Shown | null} */
  #shown = null;
  /** @type {import("../core/drawing.js").Colours | null} */
  #colours = null;
  /** @type {import("../core/encodings.js").Encodings | null} */
  #encodings = null;
  /** @type {{ posterior: Posterior, grip: import("../core/posterior.js").Grip, start: Position } | null} */
  #drag = null;
  #view;
  #canvas;
  #onChange;

  /**
   * @param {import("../page.js").Page} page @param {HTMLCanvasElement} canvas
   * @param {(posterior: Posterior) => void} onChange called with the posterior that the user made
   */
  constructor({ props, encodings, state: { signal } }, canvas, onChange) {
    this.#view = new MapView(props.range);
    this.#canvas = canvas;
    this.#onChange = onChange;
    this.#listen();
    onTheme(() => {
      this.#colours = null;
      this.draw();
    }, signal);
    onResize(canvas, () => this.draw(), signal);
    encodings.then(
      (loaded) => {
        this.#encodings = loaded;
        this.draw();
      },
      () => {}, // the map says that they could not be loaded
    );
  }

  /** Shows the part of the map around a posterior. @param {Posterior} posterior */
  centre(posterior) {
    this.#drag = null;
    this.#view.show(posterior.mu, halfAround(posterior));
  }

  /** @param {Shown} shown */
  show(shown) {
    this.#shown = shown;
    this.draw();
  }

  #listen() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
      canvas.addEventListener(end, () => {
        this.#drag = null;
      });
    }
    canvas.addEventListener("keydown", (event) => {
      if (!this.#shown) return;
      const next = pressed(this.#shown.posterior, event.key, event.shiftKey, this.#view);
      if (!next) return;
      event.preventDefault();
      this.#onChange(next);
    });
  }

  /** @param {PointerEvent} event */
  #positionOf({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    this.#view.side = box.width;
    return this.#view.toLatent({ px: clientX - box.left, py: clientY - box.top });
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0 || !this.#shown) return;
    this.#canvas.setPointerCapture(event.pointerId);
    const { posterior } = this.#shown;
    const start = this.#positionOf(event);
    this.#drag = { posterior, grip: gripAt(posterior, start, REACH / this.#view.unit), start };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.#shown) return;
    const now = this.#positionOf(event);
    if (!this.#drag) {
      const grip = gripAt(this.#shown.posterior, now, REACH / this.#view.unit);
      this.#canvas.style.cursor = CURSORS[grip];
      return;
    }
    const { posterior, grip, start } = this.#drag;
    this.#onChange(dragged(posterior, grip, start, now, this.#view));
  }

  draw() {
    this.#colours ??= readColours(this.#canvas);
    const [side, shown] = [this.#canvas.clientWidth, this.#shown];
    if (!side || !shown || !this.#colours) return;
    this.#view.side = side;
    const context = fitCanvas(this.#canvas, side);
    const scene = { context, view: this.#view, colours: this.#colours, layers: {} };
    this.#drawPoints(scene);
    drawPosterior(scene, shown);
    drawScale(scene);
  }

  /** @param {Scene} scene */
  #drawPoints({ context, view, colours }) {
    if (!this.#encodings) return;
    const { labels } = this.#encodings;
    context.globalAlpha = 0.55;
    for (let i = 0; i < labels.length; i++) {
      const { px, py } = view.toPixels(this.#encodings.positionOf(i));
      if (px < 0 || py < 0 || px > view.side || py > view.side) continue;
      context.fillStyle = colours.classes[labels[i]];
      context.fillRect(px - POINT / 2, py - POINT / 2, POINT, POINT);
    }
    context.globalAlpha = 1;
  }
}

/** The ellipses of 1 and 2 sigma with their handles, the mean and the samples. @param {Scene} scene @param {Shown} shown */
function drawPosterior({ context, view, colours }, { posterior, samples, current }) {
  const { px, py } = view.toPixels(posterior.mu);
  const outline = outlineOf(posterior);
  const [rx, ry] = [outline.rx * view.unit, outline.ry * view.unit];
  context.strokeStyle = colours.ink;
  context.lineWidth = 1.5;
  for (const [sigmas, dash] of /** @type {[number, number[]][]} */ ([
    [1, []],
    [2, [4, 3]],
  ])) {
    context.setLineDash(dash);
    context.beginPath();
    context.ellipse(px, py, sigmas * rx, sigmas * ry, -outline.turn, 0, 2 * Math.PI);
    context.stroke();
  }
  context.setLineDash([]);
  context.fillStyle = colours.ink;
  for (const edge of Object.values(edgesOf(posterior))) {
    context.fillRect(px + edge.x * view.unit - 3, py - edge.y * view.unit - 3, 6, 6);
  }
  dot(context, { px, py }, 2.5);
  context.fillStyle = colours.ground;
  for (const z of samples) {
    dot(context, view.toPixels(z), 2.5);
    context.stroke();
  }
  context.fillStyle = colours.accent;
  context.strokeStyle = colours.ground;
  dot(context, view.toPixels(samples[current]), 5);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {import("../core/view.js").Pixel} at @param {number} radius */
function dot(context, { px, py }, radius) {
  context.beginPath();
  context.arc(px, py, radius, 0, 2 * Math.PI);
  context.fill();
}

/** A bar with its length in units of the prior's sigma. @param {Scene} scene */
function drawScale({ context, view, colours }) {
  const length = view.step * view.unit;
  const [x, y] = [6, view.side - 6];
  context.strokeStyle = colours.ink;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + length, y);
  context.stroke();
  context.textAlign = "left";
  context.lineWidth = 4;
  context.strokeStyle = colours.ground;
  const text = `${Number(view.step.toPrecision(1))}`;
  context.strokeText(text, x, y - 10);
  context.fillStyle = colours.ink;
  context.fillText(text, x, y - 10);
}
