/**
 * "Why is it blurred?": the test images encoded around the cursor, laid over one another until their
 * mean is there, beside the decoded image.
 */

import { contextOf, find, findButton, findCanvas, imageCanvas, paintImage } from "../core/dom.js";
import { describeBlur, MeanImage, meanDifference } from "../core/mean_image.js";
import { distanceBetween } from "../core/plane.js";
import { Rest } from "../core/rest.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/encodings.js").Encodings} Encodings */

const MOST = 24; // images
const NEAREST = 12; // images that are shown where none is near enough for a mean
const STEP = 120; // ms from one image to the next
const REST = 120; // ms without a move
const LOST = "The server is not responding; the test images are missing. Close this and try again.";

class Blur {
  #page;
  #details;
  #mean = new MeanImage();
  #levels = new Uint8ClampedArray(784);
  /** @type {Uint8Array[]} the nearest images */
  #images = [];
  #averaged = 0; // how many of them are laid over one another
  #asked = 0;
  #frame = 0;

  /** @param {Page} page @param {HTMLDetailsElement} details */
  constructor(page, details) {
    this.#page = page;
    this.#details = details;
    const rest = new Rest(page.state, REST, () => this.#show(false));
    details.addEventListener("toggle", () => {
      if (details.open) find(details, "div").scrollIntoView({ block: "nearest" }); // on a phone
      this.#show(true);
    });
    page.state.subscribe("position", () => {
      if (details.open) rest.await();
    });
    page.state.subscribe("tab", () => {
      details.open = false; // it would cover the tab
    });
    findButton(details, ".again").addEventListener("click", () => this.#overlay());
  }

  /** @param {boolean} animated */
  async #show(animated) {
    const asked = ++this.#asked;
    cancelAnimationFrame(this.#frame);
    if (!this.#details.open) return;
    const { encodings, images, state } = this.#page;
    const { z } = state;
    try {
      const [known] = await Promise.all([encodings, images.loaded]);
      const around = aroundOf(known, z, this.#page.state.plane);
      const found = await known.images(around.indices);
      if (asked !== this.#asked) return;
      this.#images = found;
      this.#averaged = around.count;
      this.#fill(z, around);
      if (animated) this.#overlay();
    } catch {
      if (asked === this.#asked) find(this.#details, ".explanation").textContent = LOST;
    }
  }

  /** The final state. @param {import("../core/view.js").Position} z @param {ReturnType<typeof aroundOf>} around */
  #fill(z, around) {
    const { images, props } = this.#page;
    const details = this.#details;
    const canvases = this.#images.map((levels) => {
      const canvas = imageCanvas();
      paintImage(canvas, levels);
      return canvas;
    });
    find(details, ".overlaid").replaceChildren(...canvases);
    if (this.#averaged) this.#add(this.#averaged);
    else this.#showNearest(around.radius);
    const decoded = images.paint(contextOf(findCanvas(details, ".there")), z);
    const difference = decoded ? meanDifference(decoded, this.#levels) : 0;
    find(details, ".explanation").textContent = describeBlur(around, difference, props.info);
    findButton(details, ".again").disabled = this.#averaged < 2;
  }

  /** Where there is no mean. @param {number} distance */
  #showNearest(distance) {
    this.#mean.clear();
    paintImage(findCanvas(this.#details, ".mean"), this.#images[0]);
    this.#name(`Nearest, ${distance.toFixed(2)} away`, "One of the nearest");
    for (const canvas of find(this.#details, ".overlaid").children) canvas.classList.add("added");
  }

  /** @param {string} caption @param {string} which */
  #name(caption, which) {
    find(this.#details, ".count").textContent = caption;
    findCanvas(this.#details, ".mean").ariaLabel = `${which} test ${this.#page.props.info.items}`;
  }

  /** Shows the mean of the first `count` images. @param {number} count */
  #add(count) {
    if (count < this.#mean.count || count === this.#averaged) this.#mean.clear();
    while (this.#mean.count < count) this.#mean.add(this.#images[this.#mean.count]);
    this.#mean.write(this.#levels);
    paintImage(findCanvas(this.#details, ".mean"), this.#levels);
    this.#name(`Mean of ${count}`, "The mean of the nearest");
    for (const [i, canvas] of [...find(this.#details, ".overlaid").children].entries()) {
      canvas.classList.toggle("added", i < count);
    }
  }

  /** Lays the images over one another, one after the other. */
  #overlay() {
    cancelAnimationFrame(this.#frame);
    const total = this.#averaged;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || total < 2) return;
    const begun = performance.now();
    const tick = (/** @type {number} */ now) => {
      const count = Math.min(total, 1 + Math.max(0, Math.floor((now - begun) / STEP)));
      if (count !== this.#mean.count) this.#add(count);
      if (count < total) this.#frame = requestAnimationFrame(tick);
    };
    this.#add(1);
    this.#frame = requestAnimationFrame(tick);
  }
}

/** The test images within the radius around z or, where there are none, the nearest. @param {Encodings} encodings @param {import("../core/view.js").Position} z @param {import("../core/plane.js").Plane} plane */
function aroundOf(encodings, z, plane) {
  const { around } = encodings;
  around.find(plane.coordinates(z));
  const { within } = around;
  const count = Math.min(MOST, within);
  const indices = Array.from(around.indices.subarray(0, count || NEAREST));
  const radius = distanceBetween(encodings.positionOf(indices[Math.max(0, count - 1)]), z);
  return { indices, count, within, radius };
}

/** @param {Page} page @param {HTMLElement} readout */
export function startBlur(page, readout) {
  new Blur(page, find(readout, "#why-blurred", HTMLDetailsElement));
}
