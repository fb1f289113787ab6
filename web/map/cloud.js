/**
 * The posterior of the open image on the map, and the zoom to it: at first, most are smaller than the
 * crosshair that stands on them.
 */

import { WHOLE } from "../core/plane.js";
import { MapView, partBetween } from "../core/view.js";
import { boxAround } from "./placement.js";
import { ZOOM } from "./travel.js";

/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {import("../core/state.js").PageState} PageState */
/** @typedef {import("../core/plane.js").Plane} Plane */
/** @typedef {Pixel & { rx: number, ry: number, turn?: number }} Cloud its mean, the radii of the 2-sigma ellipse in pixels, and the direction of the first in radians */
/** @typedef {import("../core/view.js").Part} Part */

const SMALL = 24; // pixels of the larger radius; a smaller cloud is hidden by the crosshair
const GOAL = 40; // pixels of it after the zoom
const LARGE = 70; // pixels; a larger cloud has room for labels in it
const EDGE = 80; // pixels that then are between the mean and the edge of the map, if possible
const CROSSHAIR = 18; // pixels
const DRAWING = "the user's";

/** @param {Pick<PageState, "reading">["reading"]} reading @param {MapView} view @param {Plane} plane @returns {Cloud | null} */
export function cloudOf(reading, view, plane = WHOLE) {
  if (!reading || reading.error !== undefined) return null;
  const { rx, ry, turn } = plane.ellipse(reading.sigma);
  const [wide, high] = [rx, ry].map((sigma) => 2 * sigma * view.unit);
  return { ...view.toPixels(plane.position(reading.mu)), rx: wide, ry: high, turn };
}

/** @param {Cloud} cloud */
const isSmall = ({ rx, ry }) => Math.max(rx, ry) < SMALL;

/** What labels must not cover: a cloud, or the mean of a large one. @param {Cloud} cloud */
export function cloudBox(cloud) {
  const { rx, ry } = cloud;
  return Math.max(rx, ry) < LARGE ? boxAround(cloud, 2 * rx, 2 * ry) : boxAround(cloud, 10);
}

/** Whether the crosshair hides a cloud. @param {Cloud | null} cloud @param {Pixel} cursor */
export function isHidden(cloud, { px, py }) {
  if (!cloud || !isSmall(cloud)) return false;
  return Math.hypot(px - cloud.px, py - cloud.py) < CROSSHAIR + Math.max(cloud.rx, cloud.ry);
}

/**
 * The part of the map to zoom to, so that a cloud is seen; null where it is seen already.
 *
 * @param {MapView} view @param {PageState["reading"]} reading @param {Plane} plane
 * @returns {Part | null}
 */
export function partToSee(view, reading, plane = WHOLE) {
  const cloud = cloudOf(reading, view, plane);
  if (!cloud || !isSmall(cloud)) return null;
  const { side } = view;
  const next = new MapView(view.range);
  next.side = side;
  next.show(view.centre, view.half);
  const hold = (/** @type {number} */ v) => Math.min(side - EDGE, Math.max(EDGE, v));
  next.moveBy((cloud.px - hold(cloud.px)) / view.unit, (hold(cloud.py) - cloud.py) / view.unit);
  const mean = view.toLatent(cloud);
  next.zoomAt(next.toPixels(mean), GOAL / Math.max(cloud.rx, cloud.ry));
  return { centre: next.centre, half: next.half };
}

/** What a reading is of: the strokes of one drawing have many. @param {PageState["reading"]} reading */
function imageOf(reading) {
  if (!reading || reading.error !== undefined) return null;
  return reading.fromUser ? DRAWING : reading.title;
}

/** Zooms to the cloud of each image once, and back. */
export class CloudZoom {
  /** @type {string | null} the image that was zoomed to */
  #seen = null;
  /** @type {Part | null} the view before it */
  #former = null;
  /** @type {Part | null} where the zoom ends */
  #goal = null;
  #frame = 0;
  #moving = false; // whether a change of the view is its own
  #state;
  #reduced = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {PageState} state */
  constructor(state) {
    this.#state = state;
    state.subscribe("reading", () => this.#see());
    state.subscribe("view", () => this.#leave());
    state.subscribe("held", () => {
      if (state.held) this.#stop();
    });
  }

  get running() {
    return this.#frame !== 0;
  }

  #see() {
    const { reading, view, plane } = this.#state;
    const image = imageOf(reading);
    if (image === this.#seen) return;
    // A test image that was closed and is opened again has been seen; a new drawing has not.
    if (!image && this.#seen !== DRAWING) return;
    this.#seen = image;
    const part = partToSee(view, reading, plane);
    if (!part) return;
    this.#former ??= { centre: view.centre, half: view.half };
    this.#travel(part);
  }

  /** Goes back to the view before the zoom; whether there is one. */
  back() {
    const former = this.#former;
    if (former) this.#travel(former);
    this.#former = null;
    return former !== null;
  }

  // Whoever zooms is where they want to be: there is no way back but to the whole map.
  #leave() {
    if (this.#moving) return;
    this.#stop();
    if (this.#goal && Math.abs(this.#state.view.half / this.#goal.half - 1) > 1e-6) {
      this.#former = null;
      this.#goal = null;
    }
  }

  #stop() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  /** @param {Part} goal */
  #travel(goal) {
    this.#stop();
    this.#goal = goal;
    if (this.#reduced.matches) {
      this.#show(goal);
      return;
    }
    const { centre, half } = this.#state.view;
    const begun = performance.now();
    const tick = (/** @type {number} */ now) => {
      const t = Math.min(1, Math.max(0, (now - begun) / ZOOM));
      this.#frame = t < 1 ? requestAnimationFrame(tick) : 0;
      this.#show(partBetween({ centre, half }, goal, t));
    };
    this.#frame = requestAnimationFrame(tick);
  }

  /** @param {Part} part */
  #show({ centre, half }) {
    this.#state.view.show(centre, half);
    this.#moving = true;
    this.#state.viewChanged();
    this.#moving = false;
  }
}
