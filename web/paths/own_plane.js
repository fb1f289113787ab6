/** Above two dimensions: turns the map so that a path lies in the plane that it shows. */

import { make, makeButton, write } from "../core/dom.js";
import { distanceOf } from "../core/plane.js";
import { turnTo } from "../plane/turn.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/plane.js").Spec} Spec */

const BENT = 0.02; // of a path's length from end to end: one that is straighter spans no plane
const FLAT = 0.005; // sigma, as it is rounded: a path that is closer lies in the plane

/** @param {readonly number[]} a @param {readonly number[]} b */
const minus = (a, b) => a.map((v, i) => v - b[i]);
/** @param {readonly number[]} a @param {readonly number[]} b */
const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);

/**
 * How far a point is from the line through two others, as a share of their distance.
 *
 * @param {readonly number[]} point @param {readonly number[]} from @param {readonly number[]} to
 */
function bend(point, from, to) {
  const [along, v] = [minus(to, from), minus(point, from)];
  const square = dot(along, along);
  const share = square > 0 ? dot(v, along) / square : 0;
  const away = v.map((value, i) => value - share * along[i]);
  return square > 0 ? Math.hypot(...away) / Math.sqrt(square) : 0;
}

/**
 * Three positions that span the plane of a path: its ends and where it bends farthest from the line
 * between them; of a straight one the ends and the cursor or, where that is on the line, the centre.
 *
 * @param {readonly number[][]} curve @param {number[]} cursor D numbers
 * @returns {number[][]}
 */
export function spanOf(curve, cursor) {
  const [from, to] = [curve[0], curve[curve.length - 1]];
  let middle = curve[0];
  for (const point of curve) {
    if (bend(point, from, to) > bend(middle, from, to)) middle = point;
  }
  const centre = cursor.map(() => 0);
  const third = [middle, cursor, centre].find((point) => bend(point, from, to) > BENT);
  return [from, to, third ?? centre];
}

/** How far from the plane a path lies, in words. @param {number} most @param {boolean} turned whether the plane was turned to it */
export function describeOff(most, turned) {
  if (most < FLAT) return "The path lies in the map's plane.";
  return `The path leaves ${turned ? "its" : "the map's"} plane by up to ${most.toFixed(2)}σ.`;
}

export class OwnPlane {
  /** @type {Spec | null} the plane that it has turned the map to */
  #spec = null;
  #button;
  #text = make("span");
  #page;
  #curve;

  /** @param {Page} page @param {readonly number[][]} curve of a path */
  constructor(page, curve) {
    this.#page = page;
    this.#curve = curve;
    this.#button = makeButton("Its plane", () => this.#turn());
    this.#button.title = "Turn the map so that this path lies in its plane";
    /** The button with the distance. */
    this.element = make("div", "", "own-plane");
    this.element.append(this.#button, this.#text);
    this.show();
  }

  get #shown() {
    return this.#spec !== null && this.#page.state.plane.spec === this.#spec;
  }

  /** Measures the path from the plane of the map, after every turn. */
  show() {
    const { plane } = this.#page.state;
    const most = Math.max(...this.#curve.map((z) => distanceOf(plane.position(z))));
    this.#button.ariaPressed = `${this.#shown}`;
    write(this.#text, describeOff(most, this.#shown));
  }

  async #turn() {
    const { state } = this.#page;
    const before = this.#spec;
    /** @type {Spec} */
    const spec = this.#shown
      ? { kind: "principal" }
      : { kind: "points", points: spanOf(this.#curve, state.plane.coordinates(state.z)) };
    this.#spec = spec;
    this.#button.ariaBusy = "true";
    try {
      await turnTo(this.#page, spec);
    } catch (error) {
      this.#spec = before;
      write(this.#text, /** @type {Error} */ (error).message);
    }
    this.#button.ariaBusy = "false";
  }
}
