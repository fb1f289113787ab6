/** Who is told of which changes. */

/** @typedef {(source?: string) => void} Listener */

/** @template {string} Topic */
export class Topics {
  /** @type {Map<Topic, Set<Listener>>} */
  #listeners = new Map();

  /** @param {Topic} topic @param {Listener} listener */
  subscribe(topic, listener) {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
  }

  /** @param {Topic} topic @param {string} [source] what caused the change */
  announce(topic, source) {
    for (const listener of this.#listeners.get(topic) ?? []) {
      try {
        listener(source);
      } catch (error) {
        reportError(error); // the others are told all the same
      }
    }
  }

  clear() {
    this.#listeners.clear();
  }
}
