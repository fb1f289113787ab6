/**
 * The training replay, epoch by epoch: the encoded test images, a decoded grid, and the learning
 * curves, for one model or two in step.
 */

import { find, findButton, findInput, onTheme } from "../core/dom.js";
import { readColours } from "../core/drawing.js";
import { unpack } from "../core/packed.js";
import { ServerError } from "../core/server.js";
import { CURVES, Plot } from "./curves.js";
import { ReplayPanel } from "./panel.js";
import { epochTime, Playback } from "./playback.js";
import { lastEpoch, momentAt, statusAt } from "./replay.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./replay.js").Replay} Replay */
/** @typedef {Page["props"]["replays"][number]} Recorded */

const TAB = "training";
const LOST = "The replay could not be loaded: the server is not responding.";

/** The choice of the models: one, or two side by side. */
class ModelChoice {
  #replays;
  #model;
  #compare;
  #pair;

  /** @param {readonly Recorded[]} replays @param {HTMLElement} element @param {() => void} changed */
  constructor(replays, element, changed) {
    this.#replays = replays;
    this.#model = find(element, ".model", HTMLSelectElement);
    this.#compare = findInput(element, ".compare");
    this.#pair = find(element, ".pair span");
    for (const { label } of replays) this.#model.append(new Option(label, label));
    find(element, ".models").hidden = replays.length < 2;
    this.#model.addEventListener("change", () => {
      this.#name();
      changed();
    });
    this.#compare.addEventListener("change", changed);
    this.#name();
  }

  get #first() {
    return Math.max(0, this.#model.selectedIndex);
  }

  get #second() {
    return this.#first === 0 ? 1 : 0;
  }

  #name() {
    const [first, , third] = this.#replays;
    if (!first) return;
    const other = this.#replays[this.#second];
    this.#pair.textContent = third ? `Compare with ${other.label}` : "Compare side by side";
  }

  /** The models to show. */
  get chosen() {
    const both = this.#compare.checked ? [this.#first, this.#second] : [this.#first];
    return both.map((i) => this.#replays[i]);
  }
}

class TrainingReplay {
  #page;
  #element;
  #root;
  #slider;
  #playButton;
  #models;
  #playback;
  /** @type {Map<string, Replay>} those loaded, by the names of their files */
  #loaded = new Map();
  #asked = 0;
  /** @type {ReplayPanel[]} one for each model shown */
  #panels = [];
  /** @type {Plot[]} */
  #plots = [];
  /** @type {import("../core/drawing.js").Colours | null} */
  #colours = null;
  #epoch = 0;
  #last = 0; // epoch of the longer replay
  #reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {Page} page @param {HTMLElement} element */
  constructor(page, element) {
    this.#page = page;
    this.#element = element;
    this.#root = find(element, ".replay");
    this.#slider = findInput(element, ".epoch");
    this.#playButton = findButton(element, ".play");
    this.#models = new ModelChoice(page.props.replays, element, () => this.#show());
    this.#playback = new Playback((epoch) => this.#playTo(epoch), {
      request: (callback) => requestAnimationFrame(callback),
      cancel: (frame) => cancelAnimationFrame(frame),
    });
    this.#root.dataset.state = "loading";
    this.#playButton.addEventListener("click", () => this.#toggle());
    this.#slider.addEventListener("input", () => {
      this.#pause();
      this.#go(Number(this.#slider.value));
    });
    findButton(element, ".retry").addEventListener("click", () => this.#show());
    this.#follow();
  }

  #follow() {
    const { state } = this.#page;
    state.subscribe("tab", () => {
      if (state.tab !== TAB) this.#pause();
      // A replay is about a megabyte: it is loaded when it is first wanted.
      else if (!this.#asked) this.#show();
    });
    // The plots and the points are drawn in pixels of the screen.
    let width = 0;
    new ResizeObserver(() => {
      if (this.#root.clientWidth === width) return;
      width = this.#root.clientWidth;
      this.#draw();
    }).observe(this.#root);
    onTheme(() => {
      this.#colours = null;
      this.#refresh();
    });
  }

  /** Whether there is something to draw on. */
  get #open() {
    return this.#page.state.tab === TAB && this.#root.clientWidth > 0;
  }

  get #replays() {
    return this.#panels.map(({ replay }) => replay);
  }

  // --- loading ---

  /** @param {string} file */
  async #load(file) {
    if (this.#loaded.has(file)) return;
    const replay = unpack(await this.#page.server.file(file));
    this.#loaded.set(file, /** @type {Replay} */ (replay));
  }

  async #show() {
    const mine = ++this.#asked;
    const { chosen } = this.#models;
    if (chosen.some(({ file }) => !this.#loaded.has(file))) {
      this.#pause();
      this.#root.dataset.state = "loading";
    }
    try {
      await Promise.all(chosen.map(({ file }) => this.#load(file)));
    } catch (error) {
      if (!(error instanceof ServerError)) reportError(error);
      if (mine !== this.#asked) return;
      this.#root.dataset.state = "failed";
      find(this.#element, ".failed span").textContent = LOST;
      return;
    }
    if (mine !== this.#asked) return; // the selection has changed meanwhile
    this.#root.dataset.state = "shown";
    this.#root.dataset.has = "true";
    this.#build(chosen);
  }

  /** @param {Recorded[]} chosen */
  #build(chosen) {
    const template = find(this.#element, "template", HTMLTemplateElement);
    this.#panels = chosen.map(({ label, file }, i) => {
      const replay = /** @type {Replay} */ (this.#loaded.get(file));
      return new ReplayPanel(this.#page.props, template, label, replay, i > 0);
    });
    this.#root.classList.toggle("paired", chosen.length > 1);
    find(this.#element, ".panels").replaceChildren(...this.#panels.map(({ root }) => root));
    this.#last = Math.max(...this.#replays.map(lastEpoch));
    this.#slider.max = `${this.#last}`;
    // The map already shows the end of training, so the replay opens at the start.
    this.#epoch = Math.min(this.#epoch, this.#last);
    this.#draw();
  }

  // --- drawing ---

  #draw() {
    if (!this.#open) return;
    const holder = find(this.#element, ".plots");
    holder.replaceChildren();
    const replays = this.#replays;
    this.#plots = replays.length
      ? CURVES.map((curve) => new Plot(curve, replays, this.#last, holder))
      : [];
    this.#refresh();
  }

  #refresh() {
    if (!this.#open || !this.#panels.length) return;
    const epoch = this.#epoch;
    // At rest, only what was recorded: between two moments of a long training lies nothing.
    const moment = (/** @type {Replay} */ replay) => replay.epochs[momentAt(replay, epoch)];
    this.#drawPoints(this.#playback.running ? () => epoch : moment);
    for (const panel of this.#panels) {
      panel.drawGrid(epoch);
      panel.describe(epoch);
    }
    for (const plot of this.#plots) plot.mark(epoch);
    const status = statusAt(this.#replays, epoch, this.#last);
    find(this.#element, ".now").textContent = status;
    this.#slider.value = `${epoch}`;
    this.#slider.ariaValueText = status;
    this.#root.dataset.epoch = `${epoch}`;
  }

  /** @param {(replay: Replay) => number} epochOf */
  #drawPoints(epochOf) {
    this.#colours ??= readColours(this.#element);
    if (!this.#colours) return;
    // Models side by side share one scale.
    const range = Math.max(...this.#replays.map((replay) => replay.range));
    for (const panel of this.#panels) panel.drawPoints(epochOf(panel.replay), range, this.#colours);
  }

  // --- playback ---

  /** @param {number} epoch */
  #go(epoch) {
    this.#epoch = Math.min(this.#last, Math.max(0, epoch));
    this.#refresh();
  }

  #toggle() {
    if (this.#playback.running) {
      this.#pause();
      this.#refresh();
      return;
    }
    if (this.#epoch >= this.#last) this.#go(0);
    this.#playback.start(this.#epoch, epochTime(this.#last));
    this.#root.dataset.playing = "true";
    this.#playButton.textContent = "❚❚ Pause";
  }

  #pause() {
    this.#playback.stop();
    this.#root.dataset.playing = "false";
    this.#playButton.textContent = "▶ Play";
  }

  /** @param {number} epoch fractions included */
  #playTo(epoch) {
    if (Math.floor(epoch) > this.#epoch) this.#go(Math.floor(epoch));
    if (this.#epoch >= this.#last) {
      this.#pause();
      return false;
    }
    if (!this.#reducedMotion.matches) this.#drawPoints(() => epoch);
    return true;
  }
}

/** @param {Page} page @param {HTMLElement} element */
export function start(page, element) {
  new TrainingReplay(page, element);
}
