/**
 * The way of one image through the model: image, encoder, posterior, a sample z, decoder, image, and
 * what was lost. All but the encoder's answer is computed here.
 */

import { difference, floorOf, reconOf } from "../core/cost.js";
import {
  bytesOf,
  contextOf,
  find,
  findButton,
  findCanvas,
  imageCanvas,
  makeButton,
  paintImage,
  signed,
  write,
} from "../core/dom.js";
import { drawFrom, drawNoise, klOf, noiseOf, posteriorOf, sampleAt } from "../core/posterior.js";
import { CloudMap } from "./cloud_map.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/state.js").Reading} Reading */
/** @typedef {import("../core/posterior.js").Posterior} Posterior */
/** @typedef {import("../core/view.js").Position} Position */

const STAGE = 220; // ms from one stage to the next when the pipeline is first seen
const MOVE = 250; // ms, the cursor to a sample
const LABELS = ["mu", "sigma", "z"];

/** @param {readonly number[]} values */
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

export class Pipeline {
  #levels = new Uint8Array(0);
  /** @type {Posterior | null} the encoder's answer */
  #encoded = null;
  /** @type {Posterior | null} the same, or what the user has made of it */
  #posterior = null;
  /** @type {Position[]} eps of the samples, which stay while the posterior is dragged */
  #noise = [];
  /** @type {Reading | null} */
  #reading = null;
  /** @type {readonly number[][]} its samples, above two dimensions: they stay when the map turns */
  #drawn = [];
  #unseen = 0; // nats, the KL that the encoder's answer has off the plane of the map
  #current = 0;
  /** @type {number | null} the mean error of the samples of the encoder's answer, once needed */
  #encodedRecon = null;
  #animated = false;
  /** @type {{ button: HTMLButtonElement, canvas: HTMLCanvasElement, cost: HTMLElement }[]} */
  #samples = [];
  #difference = new Uint8ClampedArray(784);
  #scratch = new Uint8ClampedArray(784);
  #page;
  #root;
  #map;

  /** @param {Page} page @param {HTMLElement} root of the tab */
  constructor(page, root) {
    this.#page = page;
    this.#root = root;
    this.#map = new CloudMap(page, findCanvas(root, ".cloud-map"), (posterior) => {
      this.#posterior = posterior;
      this.#paint();
      this.#point();
    });
    findButton(root, ".resample").addEventListener("click", () => this.#resample());
    findButton(root, ".reset").addEventListener("click", () => this.#reset());
    page.state.subscribe("plane", () => this.#turn());
    const { highlight } = page;
    page.state.subscribe("tab", () => highlight.show(null));
    for (const part of [".cloud", ".input"]) {
      highlight.follow(find(root, part), () => this.#pointed());
    }
    for (const part of [".output", ".loss"]) {
      highlight.follow(find(root, part), () => this.#pointed(this.#current));
    }
  }

  /** What the map points out: the posterior, or a sample in it. @param {number} [sample] */
  #pointed(sample) {
    const posterior = this.#posterior ?? undefined;
    return { posterior, ...(sample !== undefined && { z: this.#positions()[sample] }) };
  }

  #point() {
    this.#page.highlight.show(this.#pointed());
  }

  #positions() {
    const posterior = this.#posterior;
    return posterior ? this.#noise.map((eps) => sampleAt(posterior, eps)) : [];
  }

  /** Shows a new answer of the encoder. @param {Reading} reading */
  show(reading) {
    this.#levels = bytesOf(reading.pixels);
    this.#take(reading, reading.samples);
    this.#current = 0;
    paintImage(findCanvas(this.#root, ".seen"), this.#levels);
    this.#samples = reading.samples.map((_, i) => this.#makeSample(i));
    find(this.#root, ".samples").replaceChildren(...this.#samples.map(({ button }) => button));
    this.#paint();
    // The image at the cursor says so if they cannot be decoded.
    if (!this.#page.images.ready)
      this.#page.images.loaded.then(() => this.#paint()).catch(() => {});
    if (!this.#animated)
      this.#animate([".seen", ".encoder", ".cloud-map", ".decoder", ".decoded", ".difference"]);
    this.#animated = true;
  }

  /** @param {Reading} reading @param {readonly number[][]} samples */
  #take(reading, samples) {
    const { plane } = this.#page.state;
    const encoded = posteriorOf(reading, plane);
    this.#reading = reading;
    this.#encoded = encoded;
    this.#posterior = encoded;
    this.#unseen = plane.isWhole ? 0 : reading.kl - klOf(encoded);
    this.#drawn = samples;
    this.#noise = samples.map((z) => noiseOf(encoded, plane.position(z)));
    this.#encodedRecon = null;
    this.#map.centre(encoded);
  }

  /** Keeps the samples of the encoder's answer when the map shows another plane. */
  #turn() {
    const { state } = this.#page;
    if (!this.#reading) return;
    this.#take(this.#reading, this.#drawn);
    if (state.tab === "draw") this.#paint();
  }

  /** @param {number} index */
  #makeSample(index) {
    const button = makeButton("", () => this.#choose(index));
    const canvas = imageCanvas();
    const cost = document.createElement("span");
    button.append(canvas, cost);
    this.#page.highlight.follow(button, () => this.#pointed(index));
    return { button, canvas, cost };
  }

  /** @param {number} index */
  #choose(index) {
    this.#current = index;
    this.#paint();
    this.#page.state.travel([this.#positions()[index]], MOVE, "sample");
  }

  #resample() {
    this.#noise = this.#drawNoise();
    this.#encodedRecon = null;
    this.#choose(0);
    this.#animate([".decoder", ".decoded", ".difference"]);
  }

  /** New eps of the samples. @returns {Position[]} */
  #drawNoise() {
    const { plane } = this.#page.state;
    const [reading, encoded] = [this.#reading, this.#encoded];
    if (plane.isWhole || !reading || !encoded) return this.#noise.map(() => drawNoise());
    this.#drawn = this.#drawn.map(() => drawFrom(reading));
    return this.#drawn.map((z) => noiseOf(encoded, plane.position(z)));
  }

  #reset() {
    this.#posterior = this.#encoded;
    this.#paint();
    find(this.#root, ".cloud-map").focus({ preventScroll: true }); // the button is disabled now
  }

  /** Lets parts of the row appear one after the other. @param {string[]} parts */
  #animate(parts) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const [i, part] of parts.entries()) {
      const frames = [{ opacity: 0 }, { opacity: 1 }];
      const timing = /** @type {const} */ ({
        duration: STAGE,
        delay: i * STAGE,
        fill: "backwards",
      });
      find(this.#root, part).animate(frames, timing);
    }
  }

  #paint() {
    const posterior = this.#posterior;
    const samples = this.#positions();
    if (!samples.length) return;
    if (posterior) {
      this.#map.show({ posterior, samples, current: this.#current });
      this.#writeNumbers(posterior, samples[this.#current]);
    }
    if (!this.#page.images.ready) return;
    const costs = samples.map((z, i) => this.#paintSample(z, i));
    this.#paintOutput(samples[this.#current], costs[this.#current]);
    this.#writeBalance(costs);
  }

  /** @param {Posterior} posterior @param {Position} z */
  #writeNumbers({ mu, sigma }, z) {
    for (const [i, { x, y }] of [mu, sigma, z].entries()) {
      write(find(this.#root, `.${LABELS[i]}-x`), signed(x));
      write(find(this.#root, `.${LABELS[i]}-y`), signed(y));
    }
    findButton(this.#root, ".reset").disabled = this.#posterior === this.#encoded;
  }

  /** One sample's image; its cost in nats. @param {Position} z @param {number} index */
  #paintSample(z, index) {
    const { images } = this.#page;
    const { button, canvas, cost } = this.#samples[index];
    images.paint(contextOf(canvas), z);
    const recon = reconOf(this.#levels, images.logits);
    write(cost, recon.toFixed(0));
    button.ariaLabel = `Sample ${index + 1}: ${recon.toFixed(0)} nats`;
    button.ariaPressed = `${index === this.#current}`;
    return recon;
  }

  /** The image at z, and how the model's input differs from it. @param {Position} z @param {number} recon */
  #paintOutput(z, recon) {
    const { images, props } = this.#page;
    const decoded = images.paint(contextOf(findCanvas(this.#root, ".decoded")), z);
    if (!decoded) return;
    difference(this.#levels, decoded, props.pad.ink > props.pad.paper, this.#difference);
    paintImage(findCanvas(this.#root, ".difference"), this.#difference);
    const floor = floorOf(this.#levels);
    const lost = (recon - floor).toFixed(1);
    write(find(this.#root, ".nats"), `${(recon - floor).toFixed(0)} nats`);
    write(
      find(this.#root, ".cost"),
      `Light parts were lost and dark parts added: ${lost} nats. Grey pixels cost ` +
        `${floor.toFixed(1)} nats even in a perfect copy. In total, the reconstruction error is ` +
        `${recon.toFixed(1)} nats.`,
    );
  }

  /** What the posterior costs in all, beside the encoder's. @param {readonly number[]} costs */
  #writeBalance(costs) {
    const [encoded, posterior] = [this.#encoded, this.#posterior];
    if (!encoded || !posterior) return;
    this.#encodedRecon ??= this.#meanRecon(encoded);
    const sum = (/** @type {number} */ recon, /** @type {Posterior} */ of) => {
      const kl = klOf(of) + this.#unseen;
      return `${recon.toFixed(1)} + ${kl.toFixed(1)} = ${(recon + kl).toFixed(1)} nats`;
    };
    const theirs = sum(this.#encodedRecon, encoded);
    const text =
      posterior === encoded
        ? `Mean error of the samples + KL: ${theirs}. Drag the cloud to compare.`
        : `Your cloud, error + KL: ${sum(mean(costs), posterior)}. The encoder's: ${theirs}.`;
    write(find(this.#root, ".balance"), text);
  }

  /** The mean error of the samples of a posterior, in nats. @param {Posterior} posterior */
  #meanRecon(posterior) {
    const { images } = this.#page;
    const costs = this.#noise.map((eps) => {
      images.decode(sampleAt(posterior, eps), this.#scratch);
      return reconOf(this.#levels, images.logits);
    });
    return mean(costs);
  }
}
