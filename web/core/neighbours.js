/**
 * What is known at a position z: the nearest encodings, their classes, and how many are close by.
 *
 * The same as latent_utils.neighbourhood and explorer/readout.py. A pass over all encodings that
 * keeps the nearest in a heap takes 0.1 ms (p95 0.18) in Chromium for 10,000 encodings in two
 * dimensions (benchmarks/core_modules.py): a tree or a grid is not needed.
 */

export const NEIGHBOURS = 50; // k of the k-nearest-neighbour estimates
// Python compares float32 numbers.
export const RADIUS = Math.fround(0.1); // within which encodings count as being at a position

/**
 * The entropy of a distribution, in bits.
 *
 * @param {ArrayLike<number>} shares that add up to 1
 */
export function entropy(shares) {
  let bits = 0;
  for (let i = 0; i < shares.length; i++) {
    if (shares[i] > 0) bits -= shares[i] * Math.log2(shares[i]);
  }
  return bits;
}

/**
 * |z|, the distance from the centre of the prior N(0, I) in units of its standard deviation.
 *
 * @param {ArrayLike<number>} z
 */
export function priorRadius(z) {
  let sum = 0;
  for (let i = 0; i < z.length; i++) sum += z[i] * z[i];
  return Math.sqrt(sum);
}

/**
 * P(|z| > radius) under N(0, I): of the chi distribution.
 *
 * @param {number} radius @param {number} latentDim
 */
export function priorBeyond(radius, latentDim = 2) {
  const x = radius ** 2 / 2;
  // Q(a + 1, x) = Q(a, x) + x^a exp(-x) / Gamma(a + 1), from Q(1, x) or Q(1 / 2, x).
  const even = latentDim % 2 === 0;
  let term = even ? Math.exp(-x) : 2 * Math.sqrt(x / Math.PI) * Math.exp(-x);
  let beyond = even ? term : erfc(Math.sqrt(x)) + (latentDim > 1 ? term : 0);
  for (let a = even ? 1 : 1.5; a < latentDim / 2; a++) {
    term *= x / a;
    beyond += term;
  }
  return Math.min(1, beyond);
}

/** 1 - erf(x) of x >= 0, to 2e-7 of itself (Numerical Recipes, erfcc). @param {number} x */
function erfc(x) {
  const t = 1 / (1 + x / 2);
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398,
    1.48851587, -0.82215223, 0.17087277,
  ];
  return t * Math.exp(-x * x + terms.reduceRight((sum, term) => sum * t + term, 0));
}

/**
 * Some of the dimensions of encodings.
 *
 * @param {Float32Array} means (N * size,) @param {number} size @param {readonly number[]} used
 */
function columnsOf(means, size, used) {
  const columns = new Float32Array((means.length / size) * used.length);
  let at = 0;
  for (let from = 0; from < means.length; from += size) {
    for (const i of used) columns[at++] = means[from + i];
  }
  return columns;
}

/** The encodings around positions; `find` allocates nothing, and overwrites what it found before. */
export class Neighbours {
  #means;
  #labels;
  #z;
  #used;
  #squares; // of the distances to `indices`

  /**
   * @param {Float32Array} means (N * latent_dim,)
   * @param {Uint8Array} labels (N,) of 0 ... classes - 1
   * @param {number} classes
   * @param {number} count of neighbours; all encodings if there are fewer
   * @param {{ used?: readonly number[], radius?: number }} space the dimensions that count, and
   *   within which distance encodings do
   */
  constructor(means, labels, classes, count = NEIGHBOURS, { used, radius = RADIUS } = {}) {
    const size = means.length / labels.length;
    this.#used = used && used.length < size ? used : null;
    this.#means = this.#used ? columnsOf(means, size, this.#used) : means;
    this.#labels = labels;
    this.#z = new Float32Array(this.#used?.length ?? size);
    /** Within which encodings count as being at a position. */
    this.radius = Math.fround(radius);
    const k = Math.min(count, labels.length);
    this.#squares = new Float64Array(k);
    /** Of the nearest encodings, nearest first. */
    this.indices = new Uint32Array(k);
    /** Of each class among them. */
    this.shares = new Float64Array(classes);
    /** The number of encodings within the radius. */
    this.within = 0;
    /** The distance to the nearest one. */
    this.distance = 0;
  }

  /**
   * Finds what is around a position, for `indices`, `shares`, `within` and `distance`.
   *
   * @param {ArrayLike<number>} z latent_dim coordinates
   */
  find(z) {
    const means = this.#means;
    const squares = this.#squares;
    const own = this.#z;
    const size = own.length;
    const k = squares.length;
    const used = this.#used;
    if (used) for (let i = 0; i < size; i++) own[i] = z[used[i]];
    else own.set(z);
    const near = this.radius * this.radius;
    this.within = 0;
    let index = 0;
    for (let at = 0; at < means.length; at += size) {
      let square = 0;
      for (let i = 0; i < size; i++) {
        const difference = means[at + i] - own[i];
        square += difference * difference;
      }
      if (square <= near) this.within++;
      if (index < k) {
        squares[index] = square;
        this.indices[index] = index;
        this.#rise(index);
      } else if (square < squares[0]) {
        squares[0] = square;
        this.indices[0] = index;
        this.#sink(k);
      }
      index++;
    }
    this.#sort();
    this.distance = Math.sqrt(squares[0]);
    this.shares.fill(0);
    for (let i = 0; i < k; i++) this.shares[this.#labels[this.indices[i]]]++;
    for (let i = 0; i < this.shares.length; i++) this.shares[i] /= k;
  }

  // A heap (Williams 1964): each entry is at least as far away as those at 2 i + 1 and 2 i + 2. The
  // numbers stay in the arrays, since as arguments of a function each would be allocated.

  /**
   * Lets the entry at i rise to where it belongs.
   *
   * @param {number} i
   */
  #rise(i) {
    const squares = this.#squares;
    let child = i;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (squares[parent] >= squares[child]) break;
      this.#swap(parent, child);
      child = parent;
    }
  }

  /**
   * Lets the entry at 0 sink to where it belongs, among the first `end`.
   *
   * @param {number} end
   */
  #sink(end) {
    const squares = this.#squares;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= end) break;
      if (child + 1 < end && squares[child + 1] > squares[child]) child++;
      if (squares[child] <= squares[parent]) break;
      this.#swap(parent, child);
      parent = child;
    }
  }

  /** Takes the furthest from the heap, one after the other, to its end. */
  #sort() {
    for (let end = this.#squares.length - 1; end > 0; end--) {
      this.#swap(0, end);
      this.#sink(end);
    }
  }

  /** @param {number} i @param {number} j */
  #swap(i, j) {
    const squares = this.#squares;
    const indices = this.indices;
    const square = squares[i];
    const index = indices[i];
    squares[i] = squares[j];
    indices[i] = indices[j];
    squares[j] = square;
    indices[j] = index;
  }
}
