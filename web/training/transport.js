/** The controls of the replay: play and pause, steps, the slider of epochs, the speed. */

import { find, findButton, findInput } from "../core/dom.js";
import { epochTime, Playback } from "./playback.js";

export class Transport {
  /** The epoch that is shown, whole. */
  epoch = 0;
  /** The same while it plays, fractions included; null at rest. @type {number | null} */
  between = null;
  #last = 0;
  #root;
  #slider;
  #play;
  #speed;
  #playback;
  #changed;
  #moved;
  #reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

  /**
   * @param {HTMLElement} root
   * @param {() => void} changed after a change of the epoch, and at every stop
   * @param {() => void} moved while it plays from one epoch to the next
   */
  constructor(root, changed, moved) {
    this.#root = root;
    this.#changed = changed;
    this.#moved = moved;
    this.#slider = findInput(root, ".epoch");
    this.#play = findButton(root, ".play");
    this.#speed = find(root, ".speed", HTMLSelectElement);
    this.#playback = new Playback((epoch) => this.#playTo(epoch), {
      request: (callback) => requestAnimationFrame(callback),
      cancel: (frame) => cancelAnimationFrame(frame),
    });
    this.#play.addEventListener("click", () => (this.running ? this.pause() : this.#start()));
    this.#slider.addEventListener("input", () => this.go(Number(this.#slider.value)));
    for (const [name, step] of /** @type {const} */ ([
      [".previous", -1],
      [".next", 1],
    ])) {
      findButton(root, name).addEventListener("click", () => this.go(this.epoch + step));
    }
    this.#speed.addEventListener("change", () => {
      if (this.running) this.#start();
    });
  }

  get running() {
    return this.#playback.running;
  }

  /** The last epoch, which is where the replay rests at first. */
  get last() {
    return this.#last;
  }

  /** Keeps the epoch, and the end at the end. @param {number} last */
  set last(last) {
    const ended = this.epoch >= this.#last;
    this.#last = last;
    this.#slider.max = `${last}`;
    this.epoch = ended ? last : Math.min(this.epoch, last);
  }

  /** Stops and shows an epoch. @param {number} epoch */
  go(epoch) {
    this.#stop();
    this.epoch = Math.min(this.#last, Math.max(0, epoch));
    this.#changed();
  }

  /** Stops at the epoch that is shown. */
  pause() {
    if (this.running) this.go(this.epoch);
  }

  /** Shows the epoch on the controls. */
  show() {
    const status = `Epoch ${this.epoch} of ${this.#last}`;
    find(this.#root, ".now").textContent = status;
    this.#slider.value = `${this.epoch}`;
    this.#slider.ariaValueText = status;
    this.#root.dataset.epoch = `${this.epoch}`;
  }

  // From the end it starts again.
  #start() {
    if (this.epoch >= this.#last) this.epoch = 0;
    this.between = this.epoch;
    this.#playback.start(this.epoch, epochTime(this.#last) / Number(this.#speed.value));
    this.#root.dataset.playing = "true";
    this.#play.textContent = "❚❚ Pause";
    this.#changed();
  }

  #stop() {
    this.#playback.stop();
    this.between = null;
    this.#root.dataset.playing = "false";
    this.#play.textContent = "▶ Play";
  }

  /** @param {number} epoch fractions included */
  #playTo(epoch) {
    if (epoch >= this.#last) {
      this.go(this.#last);
      return false;
    }
    const whole = Math.floor(epoch);
    const passed = whole > this.epoch;
    this.epoch = whole;
    this.between = this.#reducedMotion.matches ? whole : epoch;
    if (passed) this.#changed();
    else if (!this.#reducedMotion.matches) this.#moved();
    return true;
  }
}
