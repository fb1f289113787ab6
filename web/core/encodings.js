/** The encoded test images in the browser: positions, classes, and the images themselves. */

import { PIXELS } from "./decoder.js";
import { NEIGHBOURS, Neighbours } from "./neighbours.js";
import { unpack } from "./packed.js";
import { WHOLE } from "./plane.js";

/** @typedef {import("./server.js").Server} Server */
/** @typedef {{ plane?: import("./plane.js").Plane, used?: number[], radius?: number }} Space */

export class Encodings {
  #server;
  #places; // of each image: the number of its block times the block's size, plus its place there
  #blockSize;
  #plane;
  /** @type {{ version: number, found: ReturnType<import("./plane.js").Plane["projections"]> } | null} */
  #projected = null;

  /**
   * @param {Server} server
   * @param {{ means: Float32Array, labels: Uint8Array, places: Uint32Array, block_size: number }} file
   * @param {number} classes
   * @param {Space} space
   */
  constructor(server, { means, labels, places, block_size }, classes, space = {}) {
    this.#plane = space.plane ?? WHOLE;
    this.#server = server;
    this.#places = places;
    this.#blockSize = block_size;
    /** (N * latent_dim,) mu of the test images. */
    this.means = means;
    /** (N,) their classes. */
    this.labels = labels;
    this.around = new Neighbours(means, labels, classes, NEIGHBOURS, space);
  }

  /** Where each lies on the map, and how far from its plane. */
  get onMap() {
    const { version } = this.#plane;
    if (this.#projected?.version !== version) {
      this.#projected = { version, found: this.#plane.projections(this.means) };
    }
    return this.#projected.found;
  }

  /** @param {Server} server @param {number} classes @param {Space} space */
  static async load(server, classes, space) {
    const file = unpack(await server.file("encodings.bin"));
    return new Encodings(server, /** @type {any} */ (file), classes, space);
  }

  /**
   * The one whose point is nearest to a position of the map, and how far from it.
   *
   * @param {import("./view.js").Position} position @param {number} most distance from the plane
   */
  nearestPoint({ x, y }, most = Number.POSITIVE_INFINITY) {
    const { points, distances } = this.onMap;
    let [index, nearest] = [0, Number.POSITIVE_INFINITY];
    for (let i = 0; i < distances.length; i++) {
      const [dx, dy] = [points[2 * i] - x, points[2 * i + 1] - y];
      const square = dx * dx + dy * dy;
      if (square < nearest && distances[i] <= most) [index, nearest] = [i, square];
    }
    return { index, distance: Math.sqrt(nearest) };
  }

  /** @param {number} index */
  positionOf(index) {
    const size = this.#plane.latentDim;
    return this.#plane.position(this.means.subarray(size * index, size * (index + 1)));
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
