/** What the map points out while a control beside it is hovered, focused or dragged. */

/**
 * A posterior, a position or both.
 *
 * @typedef {{
 *   posterior?: import("./posterior.js").Posterior, z?: import("./view.js").Position,
 * }} Pointed
 */

export class Highlight {
  /** @type {Pointed | null} */
  #pointed = null;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** What is pointed out, or null. */
  get pointed() {
    return this.#pointed;
  }

  /** @param {Pointed | null} pointed */
  show(pointed) {
    if (!pointed && !this.#pointed) return;
    this.#pointed = pointed;
    for (const listener of this.#listeners) listener();
  }

  /** @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
  }

  /**
   * Points out what `pointed` returns while the pointer is over an element or the focus is in it.
   *
   * @param {HTMLElement} element @param {() => Pointed | null} pointed
   */
  follow(element, pointed) {
    for (const kind of ["pointerenter", "focusin"]) {
      element.addEventListener(kind, () => this.show(pointed()));
    }
    for (const kind of ["pointerleave", "focusout"]) {
      element.addEventListener(kind, () => this.show(null));
    }
  }
}
