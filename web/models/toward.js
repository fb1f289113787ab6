/** The next point in a direction, for arrow keys on a map of points. */

/**
 * The nearest point within 45 degrees of a direction; -1 if there is none. Without a point to start
 * from, the one nearest to the middle.
 *
 * @param {ArrayLike<number>} points x, y, x, y ...
 * @param {number} from the index of a point, or -1
 * @param {readonly [number, number]} toward of length 1, along an axis
 */
export function nearestToward(points, from, [tx, ty]) {
  const [x, y] = from < 0 ? [0, 0] : [points[2 * from], points[2 * from + 1]];
  let [found, least] = [-1, Number.POSITIVE_INFINITY];
  for (let i = 0; 2 * i < points.length; i++) {
    const [dx, dy] = [points[2 * i] - x, points[2 * i + 1] - y];
    const along = dx * tx + dy * ty;
    const across = Math.abs(dx * ty) + Math.abs(dy * tx);
    if (i === from || (from >= 0 && !(along > 0 && across <= along))) continue;
    const square = dx * dx + dy * dy;
    if (square < least) [found, least] = [i, square];
  }
  return found;
}
