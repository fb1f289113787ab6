/** One test image in two models: its reconstructions, its positions and its losses, in a table. */

import {
  find,
  findCanvas,
  imageCanvas,
  make,
  paintImage,
  signed,
  testTitle,
  withArticle,
  write,
} from "../core/dom.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/encodings.js").Encodings} Encodings */
/** @typedef {{ page: Page, encodings: Encodings }} Side */

const REST = 80; // ms on an image before its losses are asked for
const WAIT = "…";

/** Where an image lies on a map, as text. @param {Side} side @param {number} index */
function placeOf({ page, encodings }, index) {
  const { x, y } = encodings.positionOf(index);
  const where = `x\u00a0${signed(x)}, y\u00a0${signed(y)}`; // each in one line
  return page.state.plane.isWhole ? where : `${where} on its plane`;
}

class Row {
  #side;
  #canvas = imageCanvas();
  #place = make("td");
  #recon = make("td");
  #kl = make("td");
  element = make("tr");

  /** @param {Side} side */
  constructor(side) {
    this.#side = side;
    const name = make("th", side.page.props.model.label);
    name.scope = "row";
    const image = make("td");
    this.#canvas.role = "img";
    image.append(this.#canvas);
    this.element.append(name, image, this.#place, this.#recon, this.#kl);
  }

  /** @param {number} index */
  show(index) {
    const { page, encodings } = this.#side;
    const context = this.#canvas.getContext("2d");
    if (context) page.images.paint(context, encodings.positionOf(index));
    this.#canvas.ariaLabel = `Reconstruction by ${page.props.model.label}`;
    write(this.#place, placeOf(this.#side, index));
    write(this.#recon, WAIT);
    write(this.#kl, WAIT);
  }

  /** The losses of an image, in nats. @param {number} index */
  async ask(index) {
    return this.#side.page.server.ask("test_digit", index);
  }

  /** @param {import("../core/reading.js").Reading} reading */
  showLosses({ recon, kl }) {
    write(this.#recon, `${recon.toFixed(1)}\u00a0nats`);
    write(this.#kl, `${kl.toFixed(2)}\u00a0nats`);
  }
}

export class ComparedImage {
  #asked = 0;
  #timer = 0;
  #table;
  #element;
  #sides;
  #rows;
  #original;

  /** @param {HTMLElement} element the comparison @param {[Side, Side]} sides */
  constructor(element, sides) {
    this.#element = element;
    this.#sides = sides;
    this.#table = find(element, ".compare-table");
    this.#rows = sides.map((side) => new Row(side));
    this.#original = findCanvas(this.#table, "caption canvas");
    find(this.#table, "tbody").replaceChildren(...this.#rows.map((some) => some.element));
  }

  /** @param {number} index */
  show(index) {
    const mine = ++this.#asked;
    const { page, encodings } = this.#sides[0];
    this.#table.hidden = false;
    find(this.#element, ".compare-hint").hidden = true;
    const { item } = page.props.info;
    const name = page.props.names[encodings.labels[index]];
    const title = testTitle(item, index, name);
    write(find(this.#table, "caption span"), title);
    this.#original.ariaLabel = `Test ${item} ${index}, ${withArticle(name)}`;
    for (const row of this.#rows) row.show(index);
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#complete(index, mine, title), REST);
  }

  /** What takes an answer. @param {number} index @param {number} mine @param {string} title */
  async #complete(index, mine, title) {
    try {
      const { encodings } = this.#sides[0];
      const [[levels], ...readings] = await Promise.all([
        encodings.images([index]),
        ...this.#rows.map((row) => row.ask(index)),
      ]);
      if (mine !== this.#asked) return;
      paintImage(this.#original, levels);
      for (const [i, row] of this.#rows.entries()) row.showLosses(readings[i]);
      const said = this.#sides.map(
        ({ page }, i) =>
          `${page.props.model.label}: reconstruction ${readings[i].recon.toFixed(1)}, KL ${readings[i].kl.toFixed(2)} nats`,
      );
      write(find(this.#element, "#compare-said"), `${title}. ${said.join(". ")}.`);
      write(find(this.#element, ".compare-note"), "");
    } catch (error) {
      if (mine !== this.#asked) return;
      write(find(this.#element, ".compare-note"), /** @type {Error} */ (error).message);
    }
  }

  stop() {
    this.#asked++;
    clearTimeout(this.#timer);
    this.#table.hidden = true;
    find(this.#element, ".compare-hint").hidden = false;
  }
}
