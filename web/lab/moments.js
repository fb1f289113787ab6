/** The snapshots of a run, put together from the parts in which they come. */

import { client } from "./client.js";

/** @typedef {import("../training/replay.js").Replay} Replay */
/** @typedef {import("./client.js").Run} Run */

const PART = 60; // snapshots at most; as in lab/lab.py

/** @template {Uint8Array | Int16Array} T @param {T} one @param {T} other @returns {T} */
function concat(one, other) {
  const whole = new /** @type {new (length: number) => T} */ (one.constructor)(
    one.length + other.length,
  );
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}

/** A replay of the moments of both. @param {Replay | null} before @param {Replay} part @param {number} total */
export function joined(before, part, total) {
  if (!before) return { ...part, total };
  const { recon, kl, beta } = before.curves;
  return {
    ...before,
    total,
    epochs: [...before.epochs, ...part.epochs],
    xy: concat(before.xy, part.xy),
    images: concat(before.images, part.images),
    grid_reaches: [...before.grid_reaches, ...part.grid_reaches],
    curves: {
      recon: [...recon, ...part.curves.recon],
      kl: [...kl, ...part.curves.kl],
      beta: [...beta, ...part.curves.beta],
    },
  };
}

export class Moments {
  /** @type {Replay | null} what has come so far */
  replay = null;
  #key = "";
  #busy = false;

  /** How many have come. */
  get count() {
    return this.replay?.epochs.length ?? 0;
  }

  /**
   * Fetches those that a run has made since.
   *
   * @param {Pick<Run, "name" | "starts" | "moments"> & { epochs?: number }} run
   * @returns {Promise<boolean>} whether there is anything new
   */
  async update(run) {
    const key = `${run.name} ${run.starts}`;
    if (key !== this.#key) {
      this.#key = key;
      this.replay = null;
    }
    if (this.#busy || this.count >= run.moments) return false;
    this.#busy = true;
    try {
      while (this.count < run.moments && this.#key === key) {
        const last = Math.min(run.moments, this.count + PART);
        const part = await client.part(run, this.count, last);
        if (this.#key !== key) return false;
        this.replay = joined(this.replay, part, run.epochs ?? part.epochs[part.epochs.length - 1]);
      }
      return true;
    } finally {
      this.#busy = false;
    }
  }
}
