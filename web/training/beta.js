/**
 * What beta buys and costs: the model beside another one, on the same test images, samples of the
 * prior and clouds. It takes the panel from the replay while it is open.
 */

import { find, findButton, make, onResize, onTheme, showList } from "../core/dom.js";
import { readColours } from "../core/drawing.js";
import { imageColumns, imageNames } from "../core/image_columns.js";
import { unpack } from "../core/packed.js";
import { ServerError } from "../core/server.js";
import { describeChoice, describeClouds, describeDetails, figureRows } from "./beta_texts.js";
import { drawClouds } from "./clouds.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./beta_texts.js").Comparison} Comparison */

const LOST = "The comparison could not be loaded: the server is not responding.";

export class BetaComparison {
  #page;
  #root;
  #opener;
  #against;
  #replay;
  #onToggle;
  /** @type {{ label: string, file: string }[]} */
  #files = [];
  #asked = 0;
  /** @type {Comparison | null} */
  #shown = null;

  /**
   * @param {Page} page @param {HTMLElement} element the Training tab
   * @param {HTMLElement} replay hidden while the comparison is open
   * @param {(open: boolean) => void} onToggle
   */
  constructor(page, element, replay, onToggle) {
    this.#page = page;
    this.#root = find(element, "#beta-comparison");
    this.#opener = findButton(element, "#beta-open");
    this.#against = find(this.#root, "select", HTMLSelectElement);
    this.#replay = replay;
    this.#onToggle = onToggle;
    this.offer();
    this.#listen();
  }

  /** Offers the models that the page can compare its own with; the one that is shown stays. */
  offer() {
    const chosen = this.#against.value;
    this.#files = this.#page.props.replays.flatMap(({ label, comparison }) =>
      comparison ? [{ label, file: comparison }] : [],
    );
    this.#opener.hidden = !this.#files.length;
    showList(this.#against, this.#files, ({ label }) => new Option(label));
    if (this.#files.some(({ label }) => label === chosen)) this.#against.value = chosen;
    find(this.#root, ".against").hidden = this.#files.length < 2;
  }

  #listen() {
    this.#opener.addEventListener("click", () => this.open());
    findButton(this.#root, ".back").addEventListener("click", () => this.#close());
    findButton(this.#root, ".retry").addEventListener("click", () => this.#load());
    this.#against.addEventListener("change", () => this.#load());
    const { signal } = this.#page.state;
    onResize(find(this.#root, ".clouds"), () => this.#drawClouds(), signal);
    onTheme(() => this.#drawClouds(), signal);
  }

  /** Shows the comparison in place of the replay. */
  open() {
    this.#toggle(true);
    findButton(this.#root, ".back").focus({ preventScroll: true });
    this.#root.scrollIntoView({ block: "start" });
    if (!this.#shown) this.#load();
  }

  #close() {
    this.#toggle(false);
    this.#opener.focus({ preventScroll: true });
    this.#replay.scrollIntoView({ block: "start" });
  }

  /** @param {boolean} open */
  #toggle(open) {
    this.#root.hidden = !open;
    this.#replay.hidden = open;
    this.#onToggle(open);
  }

  async #load() {
    const mine = ++this.#asked;
    this.#root.dataset.state = "loading";
    try {
      const { file } = this.#files[this.#against.selectedIndex];
      const [content, { labels }] = await Promise.all([
        this.#page.server.file(file),
        this.#page.encodings,
      ]);
      if (mine !== this.#asked) return; // another model was selected meanwhile
      this.#shown = /** @type {Comparison} */ (unpack(content));
      this.#root.dataset.state = "shown";
      this.#show(this.#shown, labels);
    } catch (error) {
      if (!(error instanceof ServerError)) reportError(error);
      if (mine !== this.#asked) return;
      this.#root.dataset.state = "failed";
      find(this.#root, ".failed span").textContent = LOST;
    }
  }

  /** @param {Comparison} comparison @param {ArrayLike<number>} labels of all test images */
  #show(comparison, labels) {
    const { info } = this.#page.props;
    const say = (/** @type {string} */ selector, /** @type {string} */ text) => {
      find(this.#root, selector).textContent = text;
    };
    say(".verdict", comparison.verdict);
    say(".digits-rule", describeChoice(comparison, info));
    say(".overlap", describeClouds(comparison, info));
    say(".clouds-rule", cloudsRule(comparison, info.items));
    say("details p", describeDetails(comparison, info));
    this.#showFigures(comparison);
    find(this.#root, ".digits").replaceChildren(this.#digits(comparison, labels));
    this.#drawClouds();
  }

  /** @param {Comparison} comparison */
  #showFigures(comparison) {
    const cell = (/** @type {string} */ text, /** @type {"row" | "col" | ""} */ scope) => {
      const made = make(scope ? "th" : "td", text);
      if (scope) made.setAttribute("scope", scope);
      return made;
    };
    const row = (/** @type {Node[]} */ ...cells) => {
      const made = make("tr");
      made.append(...cells);
      return made;
    };
    find(this.#root, "thead").replaceChildren(
      row(make("td"), ...comparison.models.map(({ label }) => cell(label, "col"))),
    );
    find(this.#root, "tbody").replaceChildren(
      ...figureRows(comparison, this.#page.props.info).map(({ title, values }) =>
        row(cell(title, "row"), ...values.map((value) => cell(value, ""))),
      ),
    );
  }

  /** @param {Comparison} comparison @param {ArrayLike<number>} labels */
  #digits({ models, indices, nats, originals, images }, labels) {
    const { props, openImage } = this.#page;
    const size = originals.length;
    const rows = [
      { title: "Original", levels: originals },
      ...models.map(({ label }, k) => ({
        title: label,
        levels: images.subarray(k * size, (k + 1) * size),
        nats: nats[k],
      })),
    ];
    const names = imageNames(indices, labels, props.names, props.info.item);
    return imageColumns(rows, names, (i) => openImage(indices[i], true));
  }

  #drawClouds() {
    const colours = readColours(this.#root);
    if (!this.#shown || this.#root.hidden || !colours) return;
    const { clouds, cloud_labels: labels, models, reach } = this.#shown;
    for (const [k, figure] of [...this.#root.querySelectorAll("figure")].entries()) {
      const canvas = find(figure, "canvas", HTMLCanvasElement);
      const half = clouds.length / 2;
      drawClouds(canvas, clouds.subarray(k * half, (k + 1) * half), labels, reach, colours);
      canvas.ariaLabel = `Clouds of ${labels.length} test ${this.#page.props.info.items} with ${models[k].label}`;
      find(figure, "figcaption").textContent = models[k].label;
    }
  }
}

/** @param {Comparison} comparison @param {string} items */
function cloudsRule({ cloud_labels: { length }, reach }, items) {
  return `Each ellipse is the cloud of one of ${length.toLocaleString("en")} test ${items}, at ${reach} posterior σ and true to scale; those too small to see are dots. Both plots show the 3σ ring of the prior.`;
}
