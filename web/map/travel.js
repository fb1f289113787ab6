/** A view of the map that moves to another. */

import { partBetween } from "../core/view.js";

/** @typedef {import("../core/state.js").PageState} PageState */
/** @typedef {import("../core/view.js").Part} Part */

export const ZOOM = 400; // ms

/** The newest move, which ends the one before it. */
let newest = 0;

/**
 * Moves the view to a part of the map, at once where motion is reduced.
 *
 * @param {PageState} state @param {Part} part
 */
export function travelTo(state, part) {
  const mine = ++newest;
  const { view } = state;
  const from = { centre: view.centre, half: view.half };
  const show = (/** @type {Part} */ { centre, half }) => {
    view.show(centre, half);
    state.viewChanged();
    return { centre: view.centre, half: view.half };
  };
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    show(part);
    return;
  }
  const begun = performance.now();
  /** @type {Part} */
  let last = from;
  const tick = (/** @type {number} */ now) => {
    // Whoever zooms or pans meanwhile is where they want to be.
    const moved = view.centre.x !== last.centre.x || view.half !== last.half;
    if (mine !== newest || moved || state.view !== view) return;
    const t = Math.min(1, Math.max(0, (now - begun) / ZOOM));
    last = show(partBetween(from, part, t));
    if (t < 1) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
