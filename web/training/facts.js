/** What happens to a model at an epoch, in words. */

import { find, write } from "../core/dom.js";
import { describe, lastEpoch, momentAt } from "./replay.js";

/** @typedef {import("./replay.js").Replay} Replay */

export class Facts {
  #info;
  #replay;

  /**
   * @param {import("../page.js").Props} props @param {HTMLTemplateElement} template
   * @param {string} label @param {Replay} replay @param {boolean} second of two
   */
  constructor({ info }, template, label, replay, second) {
    this.#info = info;
    this.#replay = replay;
    this.root = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    find(this.root, ".heading b").textContent = label;
    find(this.root, ".description small").textContent = replay.summary;
    this.root.querySelector(".curve")?.classList.toggle("second", second);
  }

  /** @param {number} epoch */
  show(epoch) {
    const replay = this.#replay;
    const moment = momentAt(replay, epoch);
    const at = replay.epochs[moment];
    const finished = epoch > lastEpoch(replay);
    find(this.root, ".heading span").textContent = finished
      ? `finished at epoch ${at}`
      : `epoch ${at}`;
    // A screen reader announces every write to a live region: only what is new is written.
    write(find(this.root, ".description span"), describe(replay, moment, this.#info));
  }
}
