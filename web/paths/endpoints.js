/** The ends of a path: what the form holds, and what the server takes. */

import { WHOLE } from "../core/plane.js";

/** @typedef {import("../core/view.js").Position} Position */

/** @typedef {number | string} End a class, "here", or the flag of a point on the map */

/**
 * The end that an option of the form stands for.
 *
 * @param {string} value of the option
 * @returns {End}
 */
export function readEnd(value) {
  return /^\d+$/.test(value) ? Number(value) : value;
}

/**
 * Whether all ends have their positions: the points A and B may not be on the map yet.
 *
 * @param {readonly End[]} ends @param {Record<string, Position | null>} marks by their flags
 */
export function arePicked(ends, marks) {
  return ends.every((end) => marks[end] !== null);
}

/**
 * An end as the server takes it: a class, or the coordinates of a position.
 *
 * @param {End} end @param {Position} z of the cursor @param {Record<string, Position | null>} marks
 * @param {import("../core/plane.js").Plane} plane
 */
export function resolveEnd(end, z, marks, plane = WHOLE) {
  const point = end === "here" ? z : marks[end];
  return point ? plane.listed(point) : end;
}
