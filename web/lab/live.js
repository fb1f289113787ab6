/** A run on the map: its newest snapshot, or the one that is chosen; the curves and a comparison. */

import { find, findInput, write } from "../core/dom.js";
import { readColours } from "../core/drawing.js";
import { unpack } from "../core/packed.js";
import { ComparedMap } from "../training/compared.js";
import { CURVES, Plot } from "../training/curves.js";
import { EpochDrawing } from "../training/epoch_drawing.js";
import { sharedExtent } from "../training/extent.js";
import { epochTexts, lastEpoch } from "../training/replay.js";
import { Moments } from "./moments.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../training/replay.js").Replay} Replay */
/** @typedef {import("./client.js").Run} Run */
/** @typedef {import("./client.js").ListedRun} ListedRun */

const MOVE_MS = 700; // from a snapshot to the next

export class LiveMap {
  #page;
  #root;
  #stage;
  #slider;
  #moments = new Moments();
  /** @type {EpochDrawing | null} */
  #drawing = null;
  /** @type {ComparedMap | null} */
  #compared = null;
  /** @type {Plot[]} */
  #plots = [];
  /** @type {Run | null} */
  #run = null;
  #drawn = ""; // the run whose snapshots the drawing has
  #frame = 0;
  #shown = 0; // the epoch, fractions included
  #following = true;
  #open = false;
  #reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {Page} page @param {HTMLElement} root of the lab @param {import("../training/stage.js").EpochStage} stage */
  constructor(page, root, stage) {
    this.#page = page;
    this.#root = find(root, ".run");
    this.#stage = stage;
    this.#slider = findInput(root, ".moment");
    this.#slider.addEventListener("input", () => this.#choose(Number(this.#slider.value)));
    find(root, ".follow").addEventListener("click", () => this.follow());
    for (const topic of /** @type {const} */ (["view", "layers"])) {
      page.state.subscribe(topic, () => this.#drawCompared());
    }
  }

  /** Whether it may use the map. @param {boolean} open */
  set open(open) {
    if (open === this.#open) return; // a move to the newest snapshot goes on
    this.#open = open;
    cancelAnimationFrame(this.#frame);
    if (!open) this.#stage.clear();
    else if (this.#following) this.follow();
    else this.#draw();
  }

  /** Shows the newest snapshot from now on. */
  follow() {
    this.#following = true;
    this.#choose(this.#moments.count - 1);
  }

  /** Fetches and shows what a run has made since. @param {Run} run */
  async show(run) {
    const fresh = run.name !== this.#run?.name;
    this.#run = run;
    if (fresh) {
      this.#following = true;
      this.#shown = 0;
    }
    const changed = await this.#moments.update(run);
    const { replay } = this.#moments;
    if (!replay || (!changed && !fresh)) return;
    const key = `${run.name} ${run.starts}`;
    if (this.#drawing && key === this.#drawn) this.#drawing.replay = replay;
    else {
      this.#drawing = new EpochDrawing({ ...this.#page.props, names: run.class_names }, replay);
      this.#drawn = key;
    }
    this.#slider.max = `${this.#moments.count - 1}`;
    this.#root.dataset.moments = `${this.#moments.count}`;
    this.#drawPlots();
    if (this.#following) this.#moveTo(lastEpoch(replay));
    else this.#draw();
  }

  /** @param {number} moment */
  #choose(moment) {
    const { replay } = this.#moments;
    if (!replay) return;
    cancelAnimationFrame(this.#frame);
    this.#following = moment >= this.#moments.count - 1;
    this.#shown = replay.epochs[moment];
    this.#draw();
  }

  /** Lets the points move to an epoch. @param {number} epoch */
  #moveTo(epoch) {
    cancelAnimationFrame(this.#frame);
    const [from, begun] = [Math.min(this.#shown, epoch), performance.now()];
    const tick = (/** @type {number} */ now) => {
      const share = Math.min(1, Math.max(0, (now - begun) / MOVE_MS));
      this.#shown = from + share * (epoch - from);
      this.#draw();
      if (share < 1) this.#frame = requestAnimationFrame(tick);
    };
    if (this.#reducedMotion.matches || !this.#open) tick(begun + MOVE_MS);
    else this.#frame = requestAnimationFrame(tick);
  }

  // --- drawing ---

  get #replays() {
    return [this.#moments.replay, this.#compared?.replay].flatMap((replay) => replay ?? []);
  }

  #drawPlots() {
    const holder = find(this.#root, ".plots");
    const replays = this.#replays.filter(({ epochs }) => epochs.length > 1);
    holder.replaceChildren();
    const last = Math.max(...replays.map((replay) => replay.total ?? lastEpoch(replay)));
    this.#plots = replays.length
      ? CURVES.map((curve) => new Plot(curve, replays, last, holder))
      : [];
  }

  #draw() {
    const { replay } = this.#moments;
    const drawing = this.#drawing;
    if (!replay || !drawing) return;
    const moment = replay.epochs.findLastIndex((epoch) => epoch <= this.#shown + 1e-9);
    this.#slider.value = `${moment}`;
    const { epoch, last } = epochTexts(replay, moment);
    const text = `epoch ${epoch} of ${last}`;
    this.#slider.ariaValueText = text;
    write(find(this.#root, ".scrub output"), text);
    find(this.#root, ".follow").hidden = this.#following;
    for (const plot of this.#plots) plot.mark(this.#shown);
    if (!this.#open) return;
    const extent = sharedExtent(this.#replays, this.#shown);
    this.#stage.show(drawing, this.#shown, extent, this.#compared ? "This run" : "");
    this.#drawCompared();
  }

  #drawCompared() {
    const colours = this.#compared && this.#open && readColours(this.#root);
    if (!colours || !this.#compared || !this.#page.state.epoch) return;
    this.#compared.draw(this.#shown, this.#page.state.view, colours);
  }

  // --- the comparison ---

  /**
   * Shows another training beside it, or none.
   *
   * @param {{ label: string, file: string } | ListedRun | null} other a recorded replay, or a run
   */
  async compare(other) {
    this.#compared = null;
    if (other) {
      const label = "file" in other ? other.label : other.title;
      const replay = await this.#load(other);
      if (replay) this.#compared = new ComparedMap(this.#page, this.#root, label, replay);
    }
    this.#root.classList.toggle("two", this.#compared !== null);
    this.#drawPlots();
    this.#draw();
  }

  /** @param {{ file: string } | ListedRun} other */
  async #load(other) {
    if ("file" in other) {
      return /** @type {Replay} */ (unpack(await this.#page.server.file(other.file)));
    }
    const moments = new Moments();
    await moments.update(other);
    return moments.replay;
  }
}
