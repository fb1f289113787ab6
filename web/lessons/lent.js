/** The layers that a solution turned on: they go when its lesson is left. */

export class LentLayers {
  /** @type {Set<string>} */
  #keys = new Set();
  #state;

  /** @param {import("../core/state.js").PageState} state */
  constructor(state) {
    this.#state = state;
    // What the user turns off and on again is theirs.
    state.subscribe("layers", () => {
      for (const key of this.#keys) if (!state.layers[key]) this.#keys.delete(key);
    });
  }

  /** @param {readonly string[]} keys */
  show(keys) {
    for (const key of keys) {
      if (this.#state.layers[key]) continue;
      this.#keys.add(key);
      this.#state.toggleLayer(key);
    }
  }

  giveBack() {
    const keys = [...this.#keys];
    this.#keys.clear();
    for (const key of keys) this.#state.toggleLayer(key);
  }
}
