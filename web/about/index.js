/**
 * The About tab: what the layers show, the command that trains the model again, its best and worst
 * reconstructions.
 */

import { copyOnPress } from "../core/copying.js";
import { find, findButton, make } from "../core/dom.js";
import { imageColumns, imageNames } from "../core/image_columns.js";
import { unpack } from "../core/packed.js";

/** @typedef {import("../page.js").Page} Page */

const TAB = "about";
const FILE = "reconstructions.bin";
const LOST = "The reconstructions could not be loaded: the server is not responding.";
const KINDS = /** @type {const} */ (["best", "worst"]);

class Gallery {
  #page;
  #root;
  #asked = false;

  /** @param {Page} page @param {HTMLElement} root */
  constructor(page, root) {
    this.#page = page;
    this.#root = root;
    findButton(root, ".retry").addEventListener("click", () => this.#load());
    page.state.subscribe("tab", () => {
      if (page.state.tab === TAB && !this.#asked) this.#load(); // when it is first wanted
    });
  }

  async #load() {
    this.#asked = true;
    this.#root.dataset.state = "loading";
    try {
      const [file, { labels }] = await Promise.all([
        this.#page.server.file(FILE),
        this.#page.encodings,
      ]);
      const content = unpack(file);
      find(this.#root, ".grids").replaceChildren(
        ...KINDS.map((kind) => this.#grid(content, kind, labels)),
      );
      this.#root.dataset.state = "shown";
    } catch {
      this.#root.dataset.state = "failed";
      find(this.#root, ".failed span").textContent = LOST;
    }
  }

  /** @param {Record<string, any>} content @param {"best" | "worst"} kind @param {ArrayLike<number>} labels */
  #grid(content, kind, labels) {
    const { props, openImage } = this.#page;
    /** @type {number[]} */
    const indices = content[`${kind}_indices`];
    const rows = [
      { title: kind === "best" ? "Best" : "Worst", levels: content[`${kind}_originals`] },
      {
        title: "Reconstruction",
        levels: content[`${kind}_images`],
        nats: content[`${kind}_nats`],
      },
    ];
    const names = imageNames(indices, labels, props.names, props.info.item);
    const grid = imageColumns(rows, names, (i) => openImage(indices[i], true));
    grid.dataset.kind = kind;
    return grid;
  }
}

/** An option with its value stays in one line. @param {string} option @param {number} i */
function unbroken(option, i) {
  return i ? [" ", make("span", `--${option}`)] : [make("span", option)];
}

/** @param {Page} page @param {HTMLElement} element */
export function start(page, element) {
  // Where no mouse hovers over the buttons of the layers, this is where they are explained.
  const layers = page.props.layers.flatMap(({ label, help }) => [
    make("dt", label),
    make("dd", help),
  ]);
  find(element, ".layers-explained dl").append(...layers);
  const code = find(element, "pre code");
  const command = code.textContent ?? "";
  find(element, ".again").hidden = !command;
  code.replaceChildren(...command.split(" --").flatMap(unbroken));
  copyOnPress(findButton(element, ".copy-command"), () => command, "Select and copy it yourself");
  new Gallery(page, find(element, ".gallery"));
}
