/**
 * The plane through the latent space that the map shows; see geometry/plane.py. In two dimensions it
 * is the whole space, and a position is its coordinates.
 */

/** @typedef {import("./view.js").Position} Position */

/**
 * What Python says of a plane (explorer/planes.py): its point closest to the centre of the prior, two
 * orthonormal axes, and the share of the encodings' variance that it holds, as a number and in words.
 *
 * @typedef {{ origin: number[], axes: number[][], variance: number, message: string }} PlaneRecord
 * @typedef {Pick<PlaneRecord, "origin" | "axes"> & Partial<PlaneRecord>} Shape
 */

/**
 * The planes that Python finds; see explorer/planes.py. Dimensions count from 1.
 *
 * @typedef {{ kind: "principal" } | { kind: "dimensions", dimensions: number[], through: number[] }
 *   | { kind: "points", points: number[][] }} Spec
 */

/** The names of its axes. */
export const PRINCIPAL = ["x (1st principal axis)", "y (2nd principal axis)"];
const NEAR = 1e-3; // of the prior's sigma: a position that is closer to the plane lies in it

/** The name of a dimension, as in z₁₂. @param {number} dimension from 1 */
export function dimensionName(dimension) {
  return `z${`${dimension}`.replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)])}`;
}

/** What the axes are called. @param {Spec} spec */
function namesOf(spec) {
  if (spec.kind === "principal") return PRINCIPAL;
  if (spec.kind === "points") return ["x (in the plane)", "y (in the plane)"];
  const [x, y] = spec.dimensions.map(dimensionName);
  return [`x (${x})`, `y (${y})`];
}

export class Plane {
  #origin = [0, 0];
  #axes = [
    [1, 0],
    [0, 1],
  ];
  /** The names of x and y. */
  names = ["x (z₁)", "y (z₂)"];
  /** @type {Spec} what it contains */
  spec = { kind: "principal" };
  /** How often it was turned. */
  version = 0;
  /** How much of the encodings' variance it holds, in words. */
  message = "";
  /** The largest coordinate of a position that Python takes. */
  limit;

  /** @param {Shape} [record] @param {number} [limit] */
  constructor(record, limit = Number.POSITIVE_INFINITY) {
    if (record) this.turn(record);
    this.limit = limit;
  }

  /** Shows another plane; plane/turn.js does so on the page. @param {Shape} record @param {Spec} spec */
  turn({ origin, axes, message = "" }, spec = { kind: "principal" }) {
    this.#origin = origin;
    this.#axes = axes;
    this.message = message;
    this.spec = spec;
    this.version++;
    if (!this.isWhole) this.names = namesOf(spec);
  }

  get latentDim() {
    return this.#origin.length;
  }

  /** Whether it is all there is. */
  get isWhole() {
    return this.latentDim === 2;
  }

  /** What another thread needs to know of it. */
  get record() {
    return { origin: this.#origin, axes: this.#axes };
  }

  /** The distance from the plane to the centre of the prior. */
  get height() {
    return Math.hypot(...this.#origin);
  }

  /**
   * Writes the D coordinates of a position; allocates nothing.
   *
   * @param {Position} position @param {{ [i: number]: number }} out
   */
  write({ x, y, off }, out) {
    const origin = this.#origin;
    const [first, second] = this.#axes;
    for (let i = 0; i < origin.length; i++) {
      out[i] = origin[i] + x * first[i] + y * second[i] + (off ? off[i] : 0);
    }
  }

  /** The D coordinates of a position. @param {Position} position */
  coordinates(position) {
    /** @type {number[]} */
    const z = new Array(this.latentDim);
    this.write(position, z);
    return z;
  }

  /** The position that has D coordinates. @param {ArrayLike<number>} z @returns {Position} */
  position(z) {
    if (this.isWhole) return { x: z[0], y: z[1] };
    const from = this.#origin.map((v, i) => z[i] - v);
    const [x, y] = this.project(from);
    const off = from.map((v, i) => v - x * this.#axes[0][i] - y * this.#axes[1][i]);
    return Math.hypot(...off) < NEAR ? { x, y } : { x, y, off };
  }

  /** The part of a vector of D numbers that lies in the plane. @param {ArrayLike<number>} vector */
  project(vector) {
    const [first, second] = this.#axes;
    let [x, y] = [0, 0];
    for (let i = 0; i < first.length; i++) {
      x += first[i] * vector[i];
      y += second[i] * vector[i];
    }
    return [x, y];
  }

  /** A position as functions of Python take it, in two arguments. @param {Position} position */
  asked(position) {
    return this.isWhole ? [position.x, position.y] : [this.coordinates(position), null];
  }

  /** A position as one argument, or in a file. @param {Position} position */
  listed(position) {
    return this.isWhole ? [position.x, position.y] : this.coordinates(position);
  }

  /**
   * Projects encodings: x, y, x, y ... in the plane, and how far from it each lies.
   *
   * @param {Float32Array} means (N * D,)
   */
  projections(means) {
    const size = this.latentDim;
    const count = means.length / size;
    const distances = new Float32Array(count);
    if (this.isWhole) return { points: means, distances };
    const points = new Float32Array(2 * count);
    const [first, second] = this.#axes;
    for (let n = 0; n < count; n++) {
      let [x, y, square] = [0, 0, 0];
      for (let i = 0; i < size; i++) {
        const v = means[n * size + i] - this.#origin[i];
        x += first[i] * v;
        y += second[i] * v;
        square += v * v;
      }
      points[2 * n] = x;
      points[2 * n + 1] = y;
      distances[n] = Math.sqrt(Math.max(0, square - x * x - y * y));
    }
    return { points, distances };
  }

  /**
   * The covariance [[a, b], [b, c]] that a posterior of independent dimensions has on the plane.
   *
   * @param {readonly number[]} sigma D numbers
   */
  spread(sigma) {
    const [first, second] = this.#axes;
    let [a, b, c] = [0, 0, 0]; // A diag(sigma^2) A^T
    for (const [i, s] of sigma.entries()) {
      a += s * s * first[i] * first[i];
      b += s * s * first[i] * second[i];
      c += s * s * second[i] * second[i];
    }
    return { a, b, c };
  }

  /**
   * The ellipse of one standard deviation that such a posterior casts on the plane.
   *
   * @param {readonly number[]} sigma D numbers
   */
  ellipse(sigma) {
    if (this.isWhole) return { rx: sigma[0], ry: sigma[1], turn: 0 };
    return ellipseOf(this.spread(sigma));
  }
}

/**
 * The ellipse of one standard deviation: its radii, and the direction of the first in radians,
 * counterclockwise from x.
 *
 * @param {{ a: number, b: number, c: number }} covariance [[a, b], [b, c]]
 */
export function ellipseOf({ a, b, c }) {
  const spread = Math.hypot((a - c) / 2, b);
  const [larger, smaller] = [(a + c) / 2 + spread, Math.max(0, (a + c) / 2 - spread)];
  return { rx: Math.sqrt(larger), ry: Math.sqrt(smaller), turn: Math.atan2(2 * b, a - c) / 2 };
}

/** Of two dimensions. */
export const WHOLE = new Plane();

/** How far a position is from the plane. @param {Position} position */
export function distanceOf({ off }) {
  return off ? Math.hypot(...off) : 0;
}

/** @param {Position} a @param {Position} b */
export function distanceBetween(a, b) {
  const apart = (b.off ?? a.off ?? []).map((_, i) => (b.off?.[i] ?? 0) - (a.off?.[i] ?? 0));
  return Math.hypot(b.x - a.x, b.y - a.y, ...apart);
}

/** Whether two positions are the same but for what `Plane.position` rounds. @param {Position} a @param {Position} b */
export function areSame(a, b) {
  if (a.x !== b.x || a.y !== b.y) return false;
  return (!a.off && !b.off) || distanceBetween(a, b) < NEAR;
}

/**
 * The position that is a share of the way from one to another.
 *
 * @param {Position} a @param {Position} b @param {number} share 0 ... 1
 * @returns {Position}
 */
export function between(a, b, share) {
  const [x, y] = [a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)];
  if (!a.off && !b.off) return { x, y };
  const off = (a.off ?? b.off ?? []).map((_, i) => {
    const [from, to] = [a.off?.[i] ?? 0, b.off?.[i] ?? 0];
    return from + share * (to - from);
  });
  return Math.hypot(...off) < NEAR ? { x, y } : { x, y, off };
}
