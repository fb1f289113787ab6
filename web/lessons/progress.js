/** Which lesson comes next. */

/**
 * What the button that leads on says and which lesson it opens; null for none: the last lesson is
 * the only one that is not done.
 *
 * @param {readonly boolean[]} done of each lesson @param {number} current
 * @returns {{ text: string, to: number | null }}
 */
export function leadOn(done, current) {
  if (current < done.length - 1) return { text: done[current] ? "Next" : "Skip", to: current + 1 };
  const first = done.indexOf(false);
  if (first < 0) return { text: "Back to lesson 1", to: 0 };
  return { text: `Go to lesson ${first + 1}`, to: first === current ? null : first };
}
