/**
 * The decoder of neural_network.py in the browser: z -> logits and pixels of one 28 x 28 image.
 *
 * Plain loops over Float32Array. Every layer is a product of a matrix and a vector: both transposed
 * convolutions are one product per position of their input, since the first one's kernel equals its
 * stride, and the second one's overlapping results are added up. Four rows of a matrix at a time
 * share each value of the vector, and their four sums are independent of each other.
 */

export const SIDE = 28; // pixels, width and height of an image
export const PIXELS = SIDE * SIDE;
const GRID = 7; // positions a side of the first feature map
const PATCH = 2; // kernel and stride of the first transposed convolution
const MIDDLE = GRID * PATCH; // positions a side of the second feature map
const KERNEL = 4; // of the second transposed convolution, with stride 2 and padding 1
const PADDED = SIDE + 2; // pixels a side before the padding is cut off

/**
 * @typedef {{
 *   latent_dim: number, hidden: number, decoder_channels: number, decoder_channels_2: number,
 * }} Config the fields of VAEConfig that the decoder has
 * @typedef {{ rows: number, columns: number, weight: Float32Array, bias: Float32Array }} Layer
 */

/**
 * The float32 values of float16 numbers, given by their bits.
 * (Float16Array would do the same, but not before Chrome 135 and Safari 18.2.)
 *
 * @param {Uint16Array} bits
 */
export function fromFloat16(bits) {
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i];
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent < 31
          ? (1024 + fraction) * 2 ** (exponent - 25)
          : fraction === 0
            ? Infinity
            : NaN;
    values[i] = half & 0x8000 ? -size : size;
  }
  return values;
}

/**
 * Reads what checkpoint/decoder_file.py wrote: the length of a header, the header in JSON, numbers.
 *
 * @param {ArrayBuffer} file
 */
function readFile(file) {
  const length = new DataView(file).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 4, length)));
  /** @type {Config} */
  const config = header.config;

  /** @param {string} name */
  function tensor(name) {
    const { shape, offset } = header.tensors[name];
    const size = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
    const start = 4 + length + offset;
    return header.dtype === "float16"
      ? fromFloat16(new Uint16Array(file, start, size))
      : new Float32Array(file, start, size).slice();
  }

  /** @param {string} name @returns {Layer} */
  function layer(name) {
    const [rows, columns] = header.tensors[`${name}.weight`].shape;
    return { rows, columns, weight: tensor(`${name}.weight`), bias: tensor(`${name}.bias`) };
  }

  return { config, layer };
}

/**
 * y[to ... to + rows] = weight x[from ... from + columns] + bias
 *
 * @param {Layer} layer
 * @param {Float32Array} x @param {number} from
 * @param {Float32Array} y @param {number} to
 */
function affine({ rows, columns, weight, bias }, x, from, y, to) {
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    let a = bias[row];
    let b = bias[row + 1];
    let c = bias[row + 2];
    let d = bias[row + 3];
    const w0 = row * columns;
    const w1 = w0 + columns;
    const w2 = w1 + columns;
    const w3 = w2 + columns;
    for (let i = 0; i < columns; i++) {
      const value = x[from + i];
      a += weight[w0 + i] * value;
      b += weight[w1 + i] * value;
      c += weight[w2 + i] * value;
      d += weight[w3 + i] * value;
    }
    y[to + row] = a;
    y[to + row + 1] = b;
    y[to + row + 2] = c;
    y[to + row + 3] = d;
  }
  for (; row < rows; row++) {
    let sum = bias[row];
    for (let i = 0; i < columns; i++) sum += weight[row * columns + i] * x[from + i];
    y[to + row] = sum;
  }
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
  /** @param {ArrayBuffer} file what checkpoint/decoder_file.py wrote */
  constructor(file) {
    const { config, layer } = readFile(file);
    this.config = config;
    this.dense = ["hidden", "hidden_2", "hidden_3", "grid"].map(layer);
    this.patch = layer("conv"); // rows: position in the patch, then channel
    const out = layer("out"); // rows: position in the kernel
    this.kernel = { ...out, bias: new Float32Array(out.rows) };
    this.bias = out.bias[0]; // of the image
    this.z = new Float32Array(config.latent_dim);
    this.vectors = this.dense.map(({ rows }) => new Float32Array(rows));
    this.patches = new Float32Array(this.patch.rows);
    this.features = new Float32Array(MIDDLE * MIDDLE * config.decoder_channels_2);
    this.taps = new Float32Array(KERNEL * KERNEL);
    this.padded = new Float32Array(PADDED * PADDED);
    this.logits = new Float32Array(PIXELS);
  }

  /**
   * The logits at a position.
   *
   * @param {ArrayLike<number>} z latent_dim coordinates
   * @returns {Float32Array} (784,); the same array in every call
   */
  decode(z) {
    this.z.set(z);
    let x = this.z;
    for (let i = 0; i < this.dense.length; i++) {
      affine(this.dense[i], x, 0, this.vectors[i], 0);
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
    for (let k = 0; k < PIXELS; k++) out[k] = 255 / (1 + Math.exp(-logits[k])) + 0.5;
  }

  /**
   * (7, 7, channels) -> (14, 14, channels_2), channels last.
   *
   * @param {Float32Array} x
   */
  #upsample(x) {
    const { patch, patches, features } = this;
    const width = patch.rows / PATCH; // numbers in one row of a patch
    for (let row = 0; row < GRID; row++) {
      for (let column = 0; column < GRID; column++) {
        affine(patch, x, (row * GRID + column) * patch.columns, patches, 0);
        for (let k = 0; k < PATCH; k++) {
          const to = ((row * PATCH + k) * GRID + column) * width;
          for (let i = 0; i < width; i++) features[to + i] = patches[k * width + i];
        }
      }
    }
  }

  /** (14, 14, channels_2) -> logits (28, 28): each position adds its kernel to 4 x 4 pixels. */
  #draw() {
    const { kernel, features, taps, padded, logits } = this;
    padded.fill(this.bias);
    for (let row = 0; row < MIDDLE; row++) {
      for (let column = 0; column < MIDDLE; column++) {
        affine(kernel, features, (row * MIDDLE + column) * kernel.columns, taps, 0);
        for (let k = 0; k < KERNEL; k++) {
          const to = (2 * row + k) * PADDED + 2 * column;
          for (let i = 0; i < KERNEL; i++) padded[to + i] += taps[k * KERNEL + i];
        }
      }
    }
    for (let row = 0; row < SIDE; row++) {
      const from = (row + 1) * PADDED + 1;
      for (let i = 0; i < SIDE; i++) logits[row * SIDE + i] = padded[from + i];
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
