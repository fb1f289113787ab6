/** What the encoder makes of an image, beside the pad. */

import { find, findCanvas, imageCanvas, makeButton, paintImage, withArticle } from "../core/dom.js";
import { showDimensionKl } from "./dimension_kl.js";
import { Pipeline } from "./pipeline.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/state.js").Reading} Reading */

const LOST = "The server is not responding; the nearest images are missing.";

export class ReadingView {
  /** @type {import("../core/state.js").PageState["reading"]} the page's, as it is shown */
  #shown = null;
  /** @type {Reading | null} the same, or an example */
  #filled = null;
  #page;
  #root;
  #pipeline;

  /** @param {Page} page @param {HTMLElement} root */
  constructor(page, root) {
    this.#page = page;
    this.#root = root;
    this.#pipeline = new Pipeline(page, root);
  }

  /** Shows that an answer is awaited. */
  wait() {
    this.#root.dataset.state = "busy";
  }

  /** @param {string} message */
  fail(message) {
    this.#root.dataset.state = "failed";
    this.#root.classList.remove("has-answer");
    find(this.#root, ".error").textContent = message;
  }

  /** Shows the page's newest reading, whichever part asked for it. */
  show() {
    const { reading } = this.#page.state;
    this.#shown = reading;
    if (reading?.error !== undefined) {
      this.fail(reading.error);
      return;
    }
    this.#root.dataset.state = reading ? "shown" : "empty";
    this.#root.classList.toggle("has-answer", reading !== null);
    this.#root.classList.remove("has-example");
    if (reading) this.#fill(reading);
  }

  /** Shows the newest reading if it is not shown already. */
  refresh() {
    if (this.#page.state.reading !== this.#shown) this.show();
  }

  /** Shows a reading that nobody has asked for, where there is none. @param {Reading} reading */
  showExample(reading) {
    const { dataset, classList } = this.#root;
    if (dataset.state !== "empty" || classList.contains("has-example")) return;
    classList.add("has-example");
    const title = reading.title[0].toLowerCase() + reading.title.slice(1);
    this.#fill({ ...reading, title: `Example: ${title}` });
  }

  /** @param {Reading} reading */
  #fill(reading) {
    this.#filled = reading;
    this.#describe(reading);
    this.#pipeline.show(reading);
    this.#showNearest(reading);
  }

  /** @param {Reading} reading */
  #describe({ title, message, recon, kl, kl_of_dimensions }) {
    const root = this.#root;
    find(root, ".title").textContent = title;
    find(root, ".message").textContent = message;
    find(root, ".recon").textContent = `${recon.toFixed(1)} nats`;
    find(root, ".kl").textContent = `${kl.toFixed(2)} nats`;
    showDimensionKl(root, kl_of_dimensions);
  }

  /** The nearest test images; a click opens one. @param {Reading} reading */
  async #showNearest(reading) {
    const message = find(this.#root, ".lost");
    try {
      const encodings = await this.#page.encodings;
      if (reading !== this.#filled) return;
      const buttons = reading.nearest.map((index) => this.#button(index, encodings.labels[index]));
      find(this.#root, ".similar").replaceChildren(...buttons);
      message.textContent = "";
      const images = await encodings.images(reading.nearest);
      if (reading !== this.#filled) return;
      for (const [i, button] of buttons.entries())
        paintImage(findCanvas(button, "canvas"), images[i]);
    } catch {
      if (reading === this.#filled) message.textContent = LOST;
    }
  }

  /** @param {number} index @param {number} label */
  #button(index, label) {
    const { props, openImage } = this.#page;
    const name = props.names[label];
    const button = makeButton("", () => openImage(index));
    button.ariaLabel = `Open test ${props.info.item} ${index}, ${withArticle(name)}`;
    button.append(imageCanvas(), name);
    return button;
  }
}
