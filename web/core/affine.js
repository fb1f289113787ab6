/**
 * y = W x + b in float32, for vectors and matrices in one block of memory.
 *
 * In WebAssembly with SIMD (affine.wat) where the browser has it, else in JavaScript. Measured in
 * V8 on one x86 core, with the decoder's largest matrix, 2744 x 256: 0.04 ms and 0.6 ms.
 *
 * The rows of a matrix come in blocks of 16: within a block, column after column, 16 numbers each.
 * So 16 sums grow side by side, which SIMD needs, and x may start anywhere.
 */

export const BLOCK = 16; // rows
const PAGE = 2 ** 16; // bytes, WebAssembly's unit of memory

// affine.wat, assembled; tests/web/affine.test.js compares them.
export const CODE =
  "AGFzbQEAAAABCgFgBn9/f39/fwACEgEGYWZmaW5lBm1lbW9yeQIAAQMCAQAHCgEGYWZmaW5lAAAK3gEB2wECBXsCfyAEIANBAnRqIQwDQCAB/QAEACEGIAH9AAQQIQcgAf0ABCAhCCAB/QAEMCEJIAQhCwNAIAv9CQIAIQogBiAKIAD9AAQA/eYB/eQBIQYgByAKIAD9AAQQ/eYB/eQBIQcgCCAKIAD9AAQg/eYB/eQBIQggCSAKIAD9AAQw/eYB/eQBIQkgAEHAAGohACALQQRqIQsgCyAMSQ0ACyAFIAb9CwQAIAUgB/0LBBAgBSAI/QsEICAFIAn9CwQwIAFBwABqIQEgBUHAAGohBSACQQFrIQIgAg0ACws=";

/**
 * A layer: the rows are rounded up to whole blocks, with zeros.
 *
 * @typedef {{ blocks: number, columns: number, weight: Float32Array, bias: Float32Array }} Layer
 */

/**
 * The rows of a matrix, or the numbers of a vector, with those that complete the last block.
 *
 * @param {number} rows
 */
export function padded(rows) {
  return Math.ceil(rows / BLOCK) * BLOCK;
}

/**
 * affine.wat with a memory of its own; null where WebAssembly is switched off, forbidden by a
 * policy, or without SIMD.
 *
 * @param {number} bytes
 */
function assemble(bytes) {
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
    const code = new WebAssembly.Module(Uint8Array.from(atob(CODE), (c) => c.charCodeAt(0)));
    const { exports } = new WebAssembly.Instance(code, { affine: { memory } });
    const affine = /** @type {(...numbers: number[]) => void} */ (exports.affine);
    return { affine, buffer: memory.buffer };
  } catch {
    return null;
  }
}

/** Float32Arrays in one block of memory, and `affine` for them. */
export class FloatMemory {
  #used = 0;
  #code;
  #buffer;

  /**
   * @param {number} size numbers that all arrays together hold, each rounded up by `padded`
   * @param {boolean} simd false for JavaScript alone
   */
  constructor(size, simd = true) {
    const assembled = simd ? assemble(4 * size) : null;
    this.#code = assembled?.affine;
    this.#buffer = assembled?.buffer ?? new ArrayBuffer(4 * size);
  }

  /** Whether `affine` runs in WebAssembly. */
  get simd() {
    return this.#code !== undefined;
  }

  /**
   * A new array of zeros.
   *
   * @param {number} length
   */
  array(length) {
    const array = new Float32Array(this.#buffer, 4 * this.#used, length);
    this.#used += padded(length);
    return array;
  }

  /**
   * A new layer.
   *
   * @param {number} rows @param {number} columns
   * @param {Float32Array} weight (rows, columns)
   * @param {Float32Array} bias (rows,)
   * @returns {Layer}
   */
  layer(rows, columns, weight, bias) {
    const result = {
      blocks: padded(rows) / BLOCK,
      columns,
      weight: this.array(padded(rows) * columns),
      bias: this.array(padded(rows)),
    };
    for (let row = 0; row < rows; row++) {
      const first = (row - (row % BLOCK)) * columns + (row % BLOCK);
      for (let i = 0; i < columns; i++)
        result.weight[first + i * BLOCK] = weight[row * columns + i];
    }
    result.bias.set(bias);
    return result;
  }

  /**
   * y = W x[from ...] + b; all are arrays of this memory.
   *
   * @param {Layer} layer
   * @param {Float32Array} x @param {number} from
   * @param {Float32Array} y whole blocks
   */
  affine(layer, x, from, y) {
    const { blocks, columns, weight, bias } = layer;
    if (this.#code) {
      const start = x.byteOffset + 4 * from;
      this.#code(weight.byteOffset, bias.byteOffset, blocks, columns, start, y.byteOffset);
    } else {
      affineLoops(layer, x, from, y);
    }
  }
}

/**
 * @param {Layer} layer
 * @param {Float32Array} x @param {number} from
 * @param {Float32Array} y
 */
function affineLoops({ blocks, columns, weight, bias }, x, from, y) {
  for (let row = 0; row < blocks * BLOCK; row += 4) {
    let a = bias[row];
    let b = bias[row + 1];
    let c = bias[row + 2];
    let d = bias[row + 3];
    let at = (row - (row % BLOCK)) * columns + (row % BLOCK);
    for (let i = from; i < from + columns; i++) {
      const value = x[i];
      a += weight[at] * value;
      b += weight[at + 1] * value;
      c += weight[at + 2] * value;
      d += weight[at + 3] * value;
      at += BLOCK;
    }
    y[row] = a;
    y[row + 1] = b;
    y[row + 2] = c;
    y[row + 3] = d;
  }
}
