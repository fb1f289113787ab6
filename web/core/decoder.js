/**
 * The decoder of neural_network.py in the browser: z -> logits and pixels of one 28 x 28 image.
 *
 * Every layer is a product of a matrix and a vector (affine.js). Both transposed convolutions are
 * one product per position of their input: the first one's kernel equals its stride, and the second
 * one's overlapping results are added up.
 *
 * Measured for the committed model, in Chromium on one x86 core beside other work
 * (benchmarks/core_modules.py): 0.35 ms an image, p95 1.0, in WebAssembly; 1.1 ms, p95 2.0, in
 * JavaScript alone.
 */

import { FloatMemory, padded } from "./affine.js";

export const SIDE = 28; // pixels, width and height of an image
export const PIXELS = SIDE * SIDE;
const GRID = 7; // positions a side of the first feature map
const PATCH = 2; // kernel and stride of the first transposed convolution
const MIDDLE = GRID * PATCH; // positions a side of the second feature map
const KERNEL = 4; // of the second transposed convolution, with stride 2 and padding 1
const UNCUT = SIDE + 2; // pixels a side before the padding is cut off
const DENSE = ["hidden", "hidden_2", "hidden_3", "grid"]; // the Linear layers

/**
 * @typedef {{
 *   config: { latent_dim: number, decoder_channels: number, decoder_channels_2: number },
 *   tensors: Record<string, { shape: number[], offset: number, scale?: number }>,
 * }} Header of the file that checkpoint/decoder_file.py writes
 */

/**
 * The numbers k * scale of a tensor: for each k, 2 |k|, less 1 if k < 0, in a high and a low byte.
 *
 * @param {Uint8Array} planes all high bytes, then all low bytes
 * @param {Float32Array} scales one per row
 */
export function fromIntegers(planes, scales) {
  const size = planes.length / 2;
  const columns = size / scales.length;
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const number = (planes[i] << 8) | planes[size + i];
    const k = number & 1 ? -(number + 1) / 2 : number / 2;
    values[i] = k * scales[Math.floor(i / columns)];
  }
  return values;
}

/**
 * Reads the file: the length of a header, the header in JSON, tensors.
 *
 * @param {ArrayBuffer} file
 */
function readFile(file) {
  const length = new DataView(file).getUint32(0, true);
  /** @type {Header} */
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 4, length)));
  const start = 4 + length;

  /** @param {string} name */
  function tensor(name) {
    const {
      shape: [rows, columns = 1],
      offset,
      scale,
    } = header.tensors[name];
    const size = rows * columns;
    if (scale === undefined) return new Float32Array(file, start + offset, size);
    const planes = new Uint8Array(file, start + offset, 2 * size);
    return fromIntegers(planes, new Float32Array(file, start + scale, rows));
  }

  return { header, tensor };
}

/**
 * x * sigmoid(x), in place.
 *
 * @param {Float32Array} x
 */
function silu(x) {
  for (let i = 0; i < x.length; i++) x[i] /= 1 + Math.exp(-x[i]);
}

/** A decoder with its weights and its buffers; a call allocates nothing. */
export class Decoder {
  #memory;

  /**
   * @param {ArrayBuffer} file what checkpoint/decoder_file.py wrote
   * @param {boolean} simd false for JavaScript alone
   */
  constructor(file, simd = true) {
    const { header, tensor } = readFile(file);
    const { latent_dim, decoder_channels_2 } = header.config;
    const features = MIDDLE * MIDDLE * decoder_channels_2;
    // Each layer's weights, bias and result, z, and the features.
    const size = Object.values(header.tensors)
      .map(({ shape: [rows, columns = 1] }) => padded(rows) * (columns + 1))
      .reduce((a, b) => a + b, padded(latent_dim) + padded(features));
    const memory = new FloatMemory(size, simd);
    this.#memory = memory;

    /** @param {string} name @param {Float32Array} bias */
    function layer(name, bias = tensor(`${name}.bias`)) {
      const [rows, columns] = header.tensors[`${name}.weight`].shape;
      return memory.layer(rows, columns, tensor(`${name}.weight`), bias);
    }

    this.latentDim = latent_dim;
    this.dense = DENSE.map((name) => layer(name));
    this.patch = layer("conv"); // rows: position in the patch, then channel
    this.kernel = layer("out", new Float32Array(KERNEL * KERNEL)); // rows: position in the kernel
    this.bias = tensor("out.bias")[0]; // of the image
    this.z = memory.array(latent_dim);
    this.vectors = this.dense.map(({ bias }) => memory.array(bias.length));
    this.patches = memory.array(this.patch.bias.length);
    this.channels = decoder_channels_2;
    this.features = memory.array(features);
    this.taps = memory.array(KERNEL * KERNEL);
    this.uncut = new Float32Array(UNCUT * UNCUT);
    this.logits = new Float32Array(PIXELS);
  }

  /** Whether it runs in WebAssembly. */
  get simd() {
    return this.#memory.simd;
  }

  /**
   * The logits at a position.
   *
   * @param {ArrayLike<number>} z latent_dim coordinates
   * @returns {Float32Array} (784,); the same array in every call
   * @throws {RangeError} if z has another number of coordinates
   */
  decode(z) {
    if (z.length !== this.latentDim) {
      throw new RangeError(`z has ${z.length} coordinates; give ${this.latentDim}`);
    }
    this.z.set(z);
    let x = this.z;
    for (let i = 0; i < this.dense.length; i++) {
      this.#memory.affine(this.dense[i], x, 0, this.vectors[i]);
      x = this.vectors[i];
      silu(x);
    }
    this.#upsample(x);
    silu(this.features);
    this.#draw();
    return this.logits;
  }

  /**
   * The image at a position: round(255 sigmoid(logits)).
   *
   * @param {ArrayLike<number>} z latent_dim coordinates
   * @param {Uint8Array | Uint8ClampedArray} out (784,)
   */
  pixels(z, out) {
    const logits = this.decode(z);
    for (let k = 0; k < PIXELS; k++) out[k] = Math.round(255 / (1 + Math.exp(-logits[k])));
  }

  /**
   * (7, 7, channels) -> (14, 14, channels_2), channels last.
   *
   * @param {Float32Array} x
   */
  #upsample(x) {
    const { patch, patches, features } = this;
    const width = PATCH * this.channels; // numbers in one row of a patch
    for (let row = 0; row < GRID; row++) {
      for (let column = 0; column < GRID; column++) {
        this.#memory.affine(patch, x, (row * GRID + column) * patch.columns, patches);
        for (let k = 0; k < PATCH; k++) {
          const to = ((row * PATCH + k) * GRID + column) * width;
          for (let i = 0; i < width; i++) features[to + i] = patches[k * width + i];
        }
      }
    }
  }

  /** (14, 14, channels_2) -> logits (28, 28): each position adds its kernel to 4 x 4 pixels. */
  #draw() {
    const { kernel, features, taps, uncut, logits } = this;
    uncut.fill(this.bias);
    for (let row = 0; row < MIDDLE; row++) {
      for (let column = 0; column < MIDDLE; column++) {
        this.#memory.affine(kernel, features, (row * MIDDLE + column) * kernel.columns, taps);
        for (let k = 0; k < KERNEL; k++) {
          const to = (2 * row + k) * UNCUT + 2 * column;
          for (let i = 0; i < KERNEL; i++) uncut[to + i] += taps[k * KERNEL + i];
        }
      }
    }
    for (let row = 0; row < SIDE; row++) {
      const from = (row + 1) * UNCUT + 1;
      for (let i = 0; i < SIDE; i++) logits[row * SIDE + i] = uncut[from + i];
    }
  }
}

/**
 * Fetches the weights and makes their decoder.
 *
 * @param {string | URL} address of decoder.bin
 */
export async function loadDecoder(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${answer.statusText}`);
  return new Decoder(await answer.arrayBuffer());
}
