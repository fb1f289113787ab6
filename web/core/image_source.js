/**
 * The decoder for all that shows images while the cursor moves, and the worker that draws many.
 */

import { Decoder, PIXELS, SIDE } from "./decoder.js";
import { contextOf } from "./dom.js";
import { drawSheet } from "./image_sheet.js";
import { WHOLE } from "./plane.js";

/** @typedef {import("./image_sheet.js").Plan} Plan */
/** @typedef {import("./view.js").Position} Position */
/** @typedef {Uint8ClampedArray<ArrayBuffer>} Sheet */

/**
 * @typedef {{
 *   plan: Plan, resolve: (sheet: Sheet | null) => void, reject: (error: Error) => void,
 * }} Waiting
 */

export class ImageSource {
  /** @type {Decoder | null} */
  #decoder = null;
  /** @type {Worker | null | undefined} null: not started; undefined: the browser has none */
  #worker = typeof Worker === "undefined" ? undefined : null;
  /** @type {Map<number, Waiting>} by the number of the request */
  #waiting = new Map();
  #newest = 0;
  #frame = new ImageData(SIDE, SIDE);
  #rgba = new Int32Array(this.#frame.data.buffer);
  #grey = new Uint8ClampedArray(PIXELS);
  #weights;
  #plane;
  #z;

  /** @type {(share: number) => void} called with the share of the decoder that is there */
  onProgress = () => {};

  /** @param {import("./server.js").Server} server @param {import("./plane.js").Plane} plane */
  constructor(server, plane = WHOLE) {
    this.#plane = plane;
    this.#z = new Float64Array(plane.latentDim);
    this.#weights = server.address("decoder.bin");
    const file = server.file("decoder.bin", (share) => this.onProgress(share));
    /** Resolves once images can be decoded. */
    this.loaded = file.then((content) => {
      this.#decoder = new Decoder(content);
    });
  }

  get ready() {
    return this.#decoder !== null;
  }

  /** Whether images are decoded in WebAssembly, which takes a third of the time. */
  get simd() {
    return this.#decoder?.simd ?? true;
  }

  /** Whether sheets are drawn beside the page; false where the browser has no worker. */
  get hasWorker() {
    return this.#worker !== undefined;
  }

  /**
   * Writes the 784 grey levels at z; allocates nothing.
   *
   * @param {Position} z @param {Uint8ClampedArray} out
   */
  decode(z, out) {
    this.#plane.write(z, this.#z);
    this.#decoder?.pixels(this.#z, out);
  }

  /**
   * Paints the image at z on a canvas of 28 x 28, once the decoder is loaded; returns its grey
   * levels, which the next call overwrites.
   *
   * @param {CanvasRenderingContext2D} context @param {Position} z
   */
  paint(context, z) {
    if (!this.#decoder) return null;
    const grey = this.#grey;
    this.decode(z, grey);
    for (let k = 0; k < PIXELS; k++) this.#rgba[k] = (255 << 24) | (grey[k] * 0x010101);
    context.putImageData(this.#frame, 0, 0);
    return grey;
  }

  /** The 784 logits of the image that was decoded last, which the next one overwrites. */
  get logits() {
    return this.#decoder?.logits ?? new Float32Array(PIXELS);
  }

  /**
   * Keeps a small canvas at the image of a position.
   *
   * @param {HTMLCanvasElement} canvas @param {() => Position} z
   */
  painter(canvas, z) {
    const context = contextOf(canvas);
    return () => this.paint(context, z());
  }

  /**
   * The pixels of a sheet of images (image_sheet.js); null if a newer one was asked for.
   *
   * @param {Omit<Plan, "plane">} wanted
   * @returns {Promise<Sheet | null>}
   */
  async sheet(wanted) {
    const plan = { ...wanted, plane: this.#plane.record };
    const id = ++this.#newest;
    if (this.#worker === null) this.#start();
    const worker = this.#worker;
    if (!worker) return this.#drawHere(plan);
    for (const { resolve } of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { plan, resolve, reject });
      worker.postMessage({ id, weights: this.#weights, ...plan });
    });
  }

  /** Ends the worker. */
  stop() {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { resolve } of this.#waiting.values()) resolve(null);
    this.#waiting.clear();
  }

  #start() {
    try {
      this.#worker = new Worker(new URL("./sheet_worker.js", import.meta.url), { type: "module" });
    } catch {
      this.#worker = undefined;
      return;
    }
    this.#worker.onmessage = ({ data: { id, sheet, error } }) => {
      const request = this.#waiting.get(id); // gone if a newer one was asked for meanwhile
      this.#waiting.delete(id);
      if (error) request?.reject(new Error(error));
      else request?.resolve(sheet);
    };
    this.#worker.onerror = () => {
      this.#worker = undefined; // for example a browser without modules in workers
      for (const { plan, resolve } of this.#waiting.values()) resolve(this.#drawHere(plan));
      this.#waiting.clear();
    };
  }

  /** @param {Plan} plan */
  #drawHere(plan) {
    if (!this.#decoder) return null;
    const rows = drawSheet(this.#decoder, plan);
    let step = rows.next();
    while (!step.done) step = rows.next();
    return step.value;
  }
}
