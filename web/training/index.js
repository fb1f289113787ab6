/**
 * The training replay: the map plays the model's epochs, and the panel has the controls, the
 * learning curves and, in step, the map of a model to compare with.
 */

import { find, findButton, onResize, onTheme, showList } from "../core/dom.js";
import { readColours } from "../core/drawing.js";
import { unpack } from "../core/packed.js";
import { ServerError } from "../core/server.js";
import { Lab } from "../lab/index.js";
import { BetaComparison } from "./beta.js";
import { ComparedMap } from "./compared.js";
import { CURVES, Plot } from "./curves.js";
import { EpochDrawing } from "./epoch_drawing.js";
import { sharedExtent } from "./extent.js";
import { Facts } from "./facts.js";
import { lastEpoch, momentAt } from "./replay.js";
import { EpochStage } from "./stage.js";
import { Transport } from "./transport.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./replay.js").Replay} Replay */
/** @typedef {Page["props"]["replays"][number]} Recorded */

const TAB = "training";
const LOST = "The replay could not be loaded: the server is not responding.";

class TrainingReplay {
  #page;
  #element;
  #root;
  #model;
  #transport;
  #stage;
  #lab;
  /** @type {Map<string, Replay>} those loaded, by the names of their files */
  #loaded = new Map();
  #asked = 0;
  /** @type {EpochDrawing | null} of the model's own training, on the map */
  #own = null;
  /** @type {ComparedMap | null} */
  #compared = null;
  /** @type {Facts[]} */
  #facts = [];
  #beta;
  /** @type {Plot[]} */
  #plots = [];
  /** @type {import("../core/drawing.js").Colours | null} */
  #colours = null;

  /** @param {Page} page @param {HTMLElement} element @param {HTMLElement} instrument */
  constructor(page, element, instrument) {
    this.#page = page;
    this.#element = element;
    this.#root = find(element, ".replay");
    this.#model = find(element, ".model", HTMLSelectElement);
    this.#transport = new Transport(
      this.#root,
      () => this.#refresh(),
      () => this.#drawMaps(),
    );
    this.#stage = new EpochStage(page, instrument, () => {
      if (!this.#lab.goBack()) this.#goBack();
    });
    this.#lab = new Lab(page, element, this.#stage, (open) => this.#giveWay(open));
    this.#offer();
    this.#model.addEventListener("change", () => this.#show());
    findButton(element, ".retry").addEventListener("click", () => this.#show());
    this.#beta = new BetaComparison(page, element, this.#root, (open) => this.#giveWay(open));
    this.#follow();
  }

  /** Offers the models to compare with. */
  #offer() {
    const { replays } = this.#page.props;
    const chosen = this.#model.value;
    const own = this.#model.options[0];
    const labels = [own.text, ...replays.slice(1).map(({ label }) => label)];
    showList(this.#model, labels, (label, i) => (i ? new Option(label) : own));
    this.#model.selectedIndex = Math.max(0, labels.indexOf(chosen));
    find(this.#element, ".models label").hidden = labels.length === 1;
  }

  /** Asks for the models that have been trained since the page was opened. */
  async #lookForMore() {
    const { props, models } = this.#page;
    try {
      const replays = await models.refresh();
      if (replays.length) props.replays = replays;
    } catch {
      return; // those that are known stay
    }
    this.#offer();
    this.#beta.offer();
  }

  /** To the comparison, which is about the trained models, or the lab. @param {boolean} open whether it takes the panel */
  #giveWay(open) {
    if (!open) return; // the replay is drawn as soon as it has a size again
    this.#transport.pause();
    this.#stage.clear();
  }

  #follow() {
    const { state } = this.#page;
    state.subscribe("tab", () => {
      if (state.tab !== TAB) {
        this.#transport.pause();
        this.#stage.clear();
        return;
      }
      if (!this.#asked) this.#show(); // a megabyte, loaded when it is first wanted
      this.#lookForMore();
    });
    for (const topic of /** @type {const} */ (["view", "layers"])) {
      state.subscribe(topic, () => this.#drawCompared());
    }
    // The plots and the points are drawn in pixels of the screen.
    let width = 0;
    const resized = () => {
      if (this.#root.clientWidth === width) return;
      width = this.#root.clientWidth;
      this.#draw();
    };
    onResize(this.#root, resized, state.signal);
    const recolour = () => {
      this.#colours = null;
      this.#refresh();
    };
    onTheme(recolour, state.signal);
    state.signal.addEventListener("abort", () => this.#transport.pause(), { once: true });
  }

  /** Whether there is something to draw on. */
  get #open() {
    return this.#page.state.tab === TAB && this.#root.clientWidth > 0;
  }

  get #replays() {
    return [this.#own, this.#compared].flatMap((shown) => shown?.replay ?? []);
  }

  #goBack() {
    this.#transport.go(this.#transport.last);
    if (!this.#model.selectedIndex) return;
    this.#model.selectedIndex = 0;
    this.#show();
  }

  // --- loading ---

  /** The models to show: the page's own, and the one to compare it with. @returns {Recorded[]} */
  get #chosen() {
    const { replays } = this.#page.props;
    const i = this.#model.selectedIndex;
    return i > 0 ? [replays[0], replays[i]] : [replays[0]];
  }

  /** @param {string} file */
  async #load(file) {
    if (this.#loaded.has(file)) return;
    const replay = unpack(await this.#page.server.file(file));
    this.#loaded.set(file, /** @type {Replay} */ (replay));
  }

  async #show() {
    const mine = ++this.#asked;
    const chosen = this.#chosen;
    this.#root.classList.toggle("paired", chosen.length > 1);
    if (chosen.some(({ file }) => !this.#loaded.has(file))) {
      this.#transport.pause();
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
    const { props } = this.#page;
    const [own, other] = chosen.map(({ label, file }) => ({
      label,
      replay: /** @type {Replay} */ (this.#loaded.get(file)),
    }));
    this.#own ??= new EpochDrawing(props, own.replay);
    this.#compared = other
      ? new ComparedMap(this.#page, this.#element, other.label, other.replay)
      : null;
    const template = find(this.#element, "template", HTMLTemplateElement);
    this.#facts = [own, other]
      .filter(Boolean)
      .map(({ label, replay }, i) => new Facts(props, template, label, replay, i > 0));
    find(this.#element, ".facts").replaceChildren(...this.#facts.map(({ root }) => root));
    this.#transport.last = Math.max(...this.#replays.map(lastEpoch));
    this.#draw();
  }

  // --- drawing ---

  #draw() {
    if (!this.#open) return;
    const holder = find(this.#element, ".plots");
    holder.replaceChildren();
    const replays = this.#replays;
    this.#plots = replays.length
      ? CURVES.map((curve) => new Plot(curve, replays, this.#transport.last, holder))
      : [];
    this.#refresh();
  }

  #refresh() {
    if (!this.#open || !this.#own) return;
    const { epoch } = this.#transport;
    this.#transport.show();
    for (const facts of this.#facts) facts.show(epoch);
    for (const plot of this.#plots) plot.mark(epoch);
    this.#drawMaps();
  }

  /** What is shown of a replay: at rest a moment that was recorded, nothing between two. @param {Replay} replay */
  #epochOf(replay) {
    const { between, epoch } = this.#transport;
    return between ?? replay.epochs[momentAt(replay, epoch)];
  }

  #drawMaps() {
    const own = this.#own;
    if (!own) return;
    const { between, epoch, last } = this.#transport;
    // Alone, the last epoch is the trained model.
    if (between === null && epoch === last && !this.#compared) {
      this.#stage.clear();
      return;
    }
    const extent = sharedExtent(this.#replays, between ?? epoch);
    const model = this.#compared ? this.#page.props.replays[0].label : "";
    this.#stage.show(own, this.#epochOf(own.replay), extent, model);
    this.#drawCompared();
  }

  #drawCompared() {
    this.#colours ??= readColours(this.#element);
    const { view, epoch } = this.#page.state;
    if (!this.#compared || !epoch || !this.#colours || !this.#open) return;
    this.#compared.draw(this.#epochOf(this.#compared.replay), view, this.#colours);
  }
}

/** @param {Page} page @param {HTMLElement} element @param {HTMLElement} instrument the first screen */
export function start(page, element, instrument) {
  new TrainingReplay(page, element, instrument);
}
