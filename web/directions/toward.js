/** Steps toward a position. */

import { between, distanceBetween } from "../core/plane.js";

/** @typedef {import("../core/view.js").Position} Position */

const STEP = 0.25; // in units of the prior's sigma

/**
 * How far away `goal` is, and in which direction: in degrees, counterclockwise from x.
 *
 * @param {Position} from @param {Position} goal
 */
export function toward(from, goal) {
  const [dx, dy] = [goal.x - from.x, goal.y - from.y];
  return { distance: distanceBetween(from, goal), degrees: (Math.atan2(dy, dx) * 180) / Math.PI };
}

/**
 * A step on, which ends at `goal` if that is closer.
 *
 * @param {Position} from @param {Position} goal
 * @returns {Position}
 */
export function stepToward(from, goal) {
  const { distance } = toward(from, goal);
  if (distance <= STEP) return goal;
  return between(from, goal, STEP / distance);
}
