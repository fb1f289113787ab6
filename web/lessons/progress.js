/** Which lesson comes next, and what has come of all. */

/**
 * What the button that leads on says and which lesson it opens; null where there is no other.
 *
 * @param {readonly boolean[]} done of each lesson @param {number} current
 * @returns {{ text: string, to: number | null }}
 */
export function leadOn(done, current) {
  if (current < done.length - 1) return { text: done[current] ? "Next" : "Skip", to: current + 1 };
  const first = done.indexOf(false);
  const to = first < 0 || first === current ? 0 : first;
  const text = to === first ? `Go to lesson ${to + 1}` : `Back to lesson ${to + 1}`;
  return { text, to: to === current ? null : to };
}

/**
 * How all lessons ended, once all have: a solution that was shown is none that was found.
 *
 * @param {readonly ("solved" | "shown" | null)[]} ends
 */
export function describeAll(ends) {
  if (ends.includes(null)) return "";
  const solved = ends.filter((how) => how === "solved").length;
  if (solved === ends.length) return `All ${solved} lessons are solved.`;
  return `All ${ends.length} lessons are done: ${solved} solved, ${ends.length - solved} shown.`;
}
