/** The steps of the tour, as data. */

/** @typedef {import("../core/view.js").Position} Position */

/**
 * A record of explorer/tour.py: one idea, and what the page does to show it.
 *
 * @typedef {{
 *   key: string, title: string, text: string, more: string, route: Position[], layers: string[],
 *   view: import("../core/view.js").Part | null, image: number | null, opens: boolean,
 *   tab: string, press: string, show: string,
 *   values: Record<string, import("../core/link.js").Value>,
 * }} Step
 */

// How many steps a key goes on.
const STEPS = new Map([
  ["ArrowLeft", -1],
  ["ArrowRight", 1],
  ["PageUp", -1],
  ["PageDown", 1],
]);
const ARROWS = "input, select, textarea, [role=tablist], .map-top, .photo"; // move something else

/**
 * The step before or after another; null beyond either end.
 *
 * @param {readonly Pick<Step, "key">[]} steps @param {string} key @param {number} by
 */
export function stepBeside(steps, key, by) {
  return steps[steps.findIndex((step) => step.key === key) + by]?.key ?? null;
}

/**
 * What a key does in the tour: how many steps it goes on, or "leave"; null for nothing. Presenters
 * press Page Up and Page Down, which work wherever the focus is.
 *
 * @param {string} key @param {Pick<Element, "closest"> | null} target that has the focus
 */
export function actionOf(key, target) {
  if (key === "Escape") return "leave";
  if (key.startsWith("Arrow") && target?.closest(ARROWS)) return null;
  return STEPS.get(key) ?? null;
}
