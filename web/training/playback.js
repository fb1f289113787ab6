/** Plays the epochs one after the other. */

/** @typedef {Pick<import("../core/frames.js").Frames, "request" | "cancel">} Frames */

const DURATION = 10_000; // ms from the first epoch to the last
const MAX_EPOCH_MS = 500; // keeps a short training from playing slowly

/** The time an epoch plays. @param {number} last */
export function epochTime(last) {
  return Math.min(MAX_EPOCH_MS, DURATION / Math.max(1, last));
}

export class Playback {
  /** @type {{ frame: number } | null} while it runs */
  #run = null;
  #show;
  #frames;

  /**
   * @param {(epoch: number) => boolean} show an epoch, fractions included; false to stop there
   * @param {Frames} frames of the browser
   */
  constructor(show, frames) {
    this.#show = show;
    this.#frames = frames;
  }

  get running() {
    return this.#run !== null;
  }

  /** @param {number} from epoch @param {number} epochMs */
  start(from, epochMs) {
    this.stop();
    const run = { frame: 0 };
    this.#run = run;
    /** @type {number | null} */
    let started = null;
    const tick = (/** @type {number} */ now) => {
      if (this.#run !== run) return;
      started ??= now;
      const more = this.#show(from + (now - started) / epochMs);
      if (more && this.#run === run) run.frame = this.#frames.request(tick);
    };
    run.frame = this.#frames.request(tick);
  }

  stop() {
    if (this.#run) this.#frames.cancel(this.#run.frame);
    this.#run = null;
  }
}
