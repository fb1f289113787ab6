/** Moves the view of the map to another part. */

import { partBetween } from "../core/view.js";

/** @typedef {import("../core/view.js").Part} Part */

const GLIDE = 800; // ms

export class Glide {
  #frame = 0;
  #state;
  #reduced = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {import("../core/state.js").PageState} state */
  constructor(state) {
    this.#state = state;
  }

  stop() {
    cancelAnimationFrame(this.#frame);
  }

  /**
   * Resolves once the map shows the part; never if it is stopped before.
   *
   * @param {Part} goal @param {boolean} smooth false: at once
   */
  async to(goal, smooth) {
    this.stop();
    const { centre, half } = this.#state.view;
    const same = half === goal.half && centre.x === goal.centre.x && centre.y === goal.centre.y;
    if (same) return;
    if (!smooth || this.#reduced.matches) {
      this.#show(goal);
      return;
    }
    await new Promise((resolve) => {
      const begun = performance.now();
      const tick = (/** @type {number} */ now) => {
        const t = Math.min(1, Math.max(0, (now - begun) / GLIDE));
        this.#show(partBetween({ centre, half }, goal, t));
        if (t < 1) this.#frame = requestAnimationFrame(tick);
        else resolve(null);
      };
      this.#frame = requestAnimationFrame(tick);
    });
  }

  /** @param {Part} part */
  #show({ centre, half }) {
    this.#state.view.show(centre, half);
    this.#state.viewChanged();
  }
}
