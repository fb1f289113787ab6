/**
 * The bar at the bottom of the window: while the map is used and the lesson's message is scrolled
 * out of view, it repeats the message.
 */

import { find, findButton } from "../core/dom.js";

export class Bar {
  #hidden = false; // by the user, until the next lesson
  #inView = true;
  #bar;

  /**
   * @param {HTMLElement} bar @param {HTMLElement} message that it repeats
   * @param {() => void} onReturn called when the user wants to see the lesson
   */
  constructor(bar, message, onReturn) {
    this.#bar = bar;
    findButton(bar, ".return").addEventListener("click", onReturn);
    findButton(bar, ".hide").addEventListener("click", () => {
      this.#hidden = true;
      this.#place();
    });
    const observer = new IntersectionObserver(
      (entries) => {
        this.#inView = entries[entries.length - 1].isIntersecting;
        this.#place();
      },
      { threshold: 0.5 },
    );
    observer.observe(message);
  }

  #place() {
    this.#bar.hidden = this.#inView || this.#hidden;
  }

  /** Shows itself again where the user has hidden it. */
  unhide() {
    this.#hidden = false;
    this.#place();
  }

  /** @param {boolean} done @param {string} head @param {string} text */
  show(done, head, text) {
    this.#bar.dataset.done = `${done}`;
    find(this.#bar, "b").textContent = head;
    find(this.#bar, "span").textContent = text;
  }
}
