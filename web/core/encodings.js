/** The encoded test images in the browser: positions, classes, and the images themselves. */

import { PIXELS } from "./decoder.js";
import { Neighbours } from "./neighbours.js";
import { unpack } from "./packed.js";

/** @typedef {import("./server.js").Server} Server */

export class Encodings {
  #server;
  #places; // of each image: the number of its block times the block's size, plus its place there
  #blockSize;

  /**
   * @param {Server} server
   * @param {{ means: Float32Array, labels: Uint8Array, places: Uint32Array, block_size: number }} file
   * @param {number} classes
   */
  constructor(server, { means, labels, places, block_size }, classes) {
    this.#server = server;
    this.#places = places;
    this.#blockSize = block_size;
    /** (N * latent_dim,) mu of the test images. */
    this.means = means;
    /** (N,) their classes. */
    this.labels = labels;
    this.around = new Neighbours(means, labels, classes);
  }

  /** @param {Server} server @param {number} classes */
  static async load(server, classes) {
    const file = unpack(await server.file("encodings.bin"));
    return new Encodings(server, /** @type {any} */ (file), classes);
  }

  /** @param {number} index */
  positionOf(index) {
    return { x: this.means[2 * index], y: this.means[2 * index + 1] };
  }

  /**
   * The grey levels of test images, 784 each. Those that lie close to each other in the latent space
   * are in the same file.
   *
   * @param {readonly number[]} indices
   * @throws {import("./server.js").ServerError} with a sentence to show
   */
  async images(indices) {
    return Promise.all(
      indices.map(async (index) => {
        const block = Math.floor(this.#places[index] / this.#blockSize);
        const file = new Uint8Array(await this.#server.file(`images/${block}.bin`));
        const from = PIXELS * (this.#places[index] % this.#blockSize);
        return file.subarray(from, from + PIXELS);
      }),
    );
  }
}
