/** When the cursor rests: the only moments at which the page asks the server about its position. */

/** @typedef {import("./state.js").PageState} PageState */

export class Rest {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #due = false; // whether `ask` waits for a rest
  #state;
  #ms;
  #ask;

  /**
   * @param {PageState} state
   * @param {number} ms without a move, a held pointer or an animation
   * @param {() => void} ask
   */
  constructor(state, ms, ask) {
    this.#state = state;
    this.#ms = ms;
    this.#ask = ask;
    state.signal.addEventListener("abort", () => clearTimeout(this.#timer), { once: true });
    state.subscribe("held", () => {
      if (this.#due) this.#wait();
    });
  }

  /** Calls `ask` once the cursor rests; a call that is waiting starts to wait anew. */
  await() {
    this.#due = true;
    this.#wait();
  }

  #wait() {
    clearTimeout(this.#timer);
    if (this.#state.signal.aborted) return;
    // The end of a drag, and the moves of an animation, come here again.
    if (this.#state.held || this.#state.travelling) return;
    this.#timer = setTimeout(() => {
      this.#due = false;
      this.#ask();
    }, this.#ms);
  }
}
