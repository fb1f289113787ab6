/**
 * The image decoded at the cursor and what is known there, all computed in the browser within the
 * frame; the nearest test images follow when the cursor rests.
 */

import { classColour } from "../core/class_colours.js";
import {
  areWords,
  contextOf,
  find,
  findButton,
  findCanvas,
  imageCanvas,
  make,
  paintImage,
  signed,
  testTitle,
  withArticle,
  write,
} from "../core/dom.js";
import { entropy } from "../core/neighbours.js";
import { describeClasses, describePrior, describeSupport, supportOf } from "../core/readout.js";
import { Rest } from "../core/rest.js";
import { startBlur } from "./blur.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/encodings.js").Encodings} Encodings */

const SHOWN = 6; // nearest test images
const SOME = 0.05; // a class with a smaller share is not named beneath its bar
const REST = 120; // ms without a move before the nearest images are fetched
const LOST =
  "The server is not responding; the nearest images are missing. Move the cursor to retry.";

/** The bars of the classes. @param {Page} page @param {HTMLElement} list */
function makeBars({ props: { names } }, list) {
  list.style.setProperty("--classes", `${names.length}`);
  list.classList.toggle("named", areWords(names));
  return names.map((name, label) => {
    const item = make("li");
    const bar = make("span", "", "bar");
    item.append(bar, make("span", name, "name"));
    item.style.setProperty("--bar", classColour(label));
    list.append(item);
    let shown = -1;
    return (/** @type {number} */ share) => {
      if (share === shown) return;
      shown = share;
      item.classList.toggle("some", share >= SOME);
      item.title = `${name}: ${Math.round(100 * share)} %`;
      bar.style.setProperty("--share", `${share}`);
    };
  });
}

/** The nearest test images; a click opens one and moves to its position. */
class Nearest {
  #page;
  #element;
  #message;
  #rest;
  #asked = 0;
  /** @type {string} of the images that are shown */
  #shown = "";

  /** @param {Page} page @param {HTMLElement} element @param {HTMLElement} message */
  constructor(page, element, message) {
    this.#page = page;
    this.#element = element;
    this.#message = message;
    this.#rest = new Rest(page.state, REST, () => this.#show());
  }

  /** Shows those around the cursor once it rests. */
  follow() {
    this.#asked++;
    this.#rest.await();
  }

  async #show() {
    const asked = this.#asked;
    const { z } = this.#page.state;
    const encodings = await this.#page.encodings;
    encodings.around.find(this.#page.state.plane.coordinates(z));
    const indices = Array.from(encodings.around.indices.subarray(0, SHOWN));
    if (indices.join() === this.#shown) return;
    try {
      const images = await encodings.images(indices);
      if (asked !== this.#asked) return;
      this.#shown = indices.join();
      this.#message.textContent = "";
      const buttons = indices.map((index, i) => this.#button(encodings, index, images[i]));
      this.#element.replaceChildren(...buttons);
    } catch {
      if (asked === this.#asked) this.#message.textContent = LOST;
    }
  }

  /** @param {Encodings} encodings @param {number} index @param {Uint8Array} image */
  #button(encodings, index, image) {
    const { props, state, openImage } = this.#page;
    const { item } = props.info;
    const name = props.names[encodings.labels[index]];
    const button = make("button");
    button.type = "button";
    button.title = testTitle(item, index, name);
    button.ariaLabel = `Open test ${item} ${index}, ${withArticle(name)}`;
    button.addEventListener("click", () => {
      state.set(encodings.positionOf(index), "nearest");
      openImage(index);
    });
    const canvas = imageCanvas();
    paintImage(canvas, image);
    button.append(canvas);
    return button;
  }
}

/**
 * The line beneath the image: where it was computed and, when pressed, how it differs from PyTorch's.
 *
 * @param {Page} page @param {HTMLButtonElement} button
 */
function startSource({ state, server, images }, button) {
  const own = new Uint8ClampedArray(784);
  button.addEventListener("click", async () => {
    const { z } = state;
    button.textContent = "Asking PyTorch…";
    try {
      /** @type {{ pixels: string }} */
      const { pixels } = await server.ask("decode", ...state.plane.asked(z));
      if (!state.isAt(z)) return;
      images.decode(z, own);
      const theirs = atob(pixels);
      const most = own.reduce(
        (worst, v, i) => Math.max(worst, Math.abs(v - theirs.charCodeAt(i))),
        0,
      );
      button.textContent = `PyTorch's image differs by ${most} of 255 at most`;
    } catch (error) {
      if (state.isAt(z)) button.textContent = /** @type {Error} */ (error).message;
    }
  });
  return (/** @type {number} */ ms) => {
    const slow = images.simd ? "" : " (slower: no WebAssembly)";
    button.textContent = `Decoded in your browser, ${ms.toFixed(1)} ms${slow}`;
  };
}

/** The decoded image. @param {Page} page @param {HTMLElement} digit @param {(ms: number) => void} showSource */
function startImage({ state, images }, digit, showSource) {
  const view = find(digit, ".view");
  const wait = find(digit, ".wait");
  const context = contextOf(findCanvas(digit, ".image"));

  function paint() {
    const started = performance.now();
    if (!images.paint(context, state.z)) return;
    showSource(performance.now() - started);
    view.dataset.x = `${state.z.x}`;
    view.dataset.y = `${state.z.y}`;
  }
  state.subscribe("position", paint);
  images.onProgress = (share) => {
    wait.textContent = `Loading the decoder: ${Math.round(100 * share)} %`;
  };
  images.loaded.then(
    () => {
      wait.textContent = "";
      paint();
    },
    () => {
      wait.textContent = "The decoder could not be loaded. Reload the page.";
    },
  );
}

/** @param {Page} page @param {HTMLElement} digit @param {HTMLElement} readout */
export function start(page, digit, readout) {
  const { props, state } = page;
  startBlur(page, readout);
  startImage(page, digit, startSource(page, findButton(readout, ".source")));
  const bars = makeBars(page, find(readout, ".shares"));
  const nearest = new Nearest(page, find(readout, ".nearest"), find(readout, ".lost"));
  const most = Math.log2(props.names.length).toFixed(2);
  const [x, y, prior, support, bits] = [".x", ".y", ".prior", ".support", ".entropy"].map(
    (selector) => find(readout, selector),
  );
  /** @type {Encodings | null} */
  let known = null;

  function describe() {
    const { z } = state;
    write(x, signed(z.x, 3));
    write(y, signed(z.y, 3));
    write(prior, describePrior(z, state.plane));
    if (!known) return;
    const { around } = known;
    around.find(state.plane.coordinates(z));
    const sentences = [describeSupport(around, props.info), describeClasses(around, props.plurals)];
    write(support, sentences.join(" "));
    for (const part of [digit, readout]) part.dataset.support = supportOf(around);
    write(bits, `Class entropy ${entropy(around.shares).toFixed(2)} of ${most} bits`);
    for (const [label, show] of bars.entries()) show(around.shares[label]);
    nearest.follow();
  }

  state.subscribe("position", describe);
  describe();
  page.encodings.then(
    (encodings) => {
      known = encodings;
      describe();
      readout.dataset.state = "shown";
    },
    () => {
      readout.dataset.state = "failed";
      support.textContent = "The encodings could not be loaded. Reload the page.";
    },
  );
}
