/** The ends of a path: what the form holds, and what the server takes. */

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
 * An end as the server takes it: a class, or [x, y].
 *
 * @param {End} end @param {Position} z of the cursor @param {Record<string, Position | null>} marks
 */
export function resolveEnd(end, z, marks) {
  const point = end === "here" ? z : marks[end];
  return point ? [point.x, point.y] : end;
}

/**
 * The position that is `amount` of the way from z to an anchor.
 *
 * @param {Position} z @param {readonly number[]} anchor @param {number} amount 0 ... 1
 * @returns {Position}
 */
export function morphToward(z, [x, y], amount) {
  return { x: z.x + amount * (x - z.x), y: z.y + amount * (y - z.y) };
}
