/** A view of the map that moves to another. */

/** @typedef {import("../core/state.js").PageState} PageState */
/** @typedef {{ centre: import("../core/view.js").Position, half: number }} Part of the map */

export const ZOOM = 400; // ms

/**
 * The view in which a share of the way from one to another is done: the position that keeps its pixel
 * keeps it all the way.
 *
 * @param {Part} from @param {Part} to @param {number} t 0 ... 1 @returns {Part}
 */
export function between(from, to, t) {
  const eased = t * t * (3 - 2 * t);
  const half = from.half * (to.half / from.half) ** eased;
  const share = to.half === from.half ? eased : (half - from.half) / (to.half - from.half);
  return {
    centre: {
      x: from.centre.x + share * (to.centre.x - from.centre.x),
      y: from.centre.y + share * (to.centre.y - from.centre.y),
    },
    half,
  };
}

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
    last = show(between(from, part, t));
    if (t < 1) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
