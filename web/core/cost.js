/** What a reconstruction costs, in nats, as in neural_network.py. */

/**
 * recon: -log p(x|z), where a grey x is a probability; its smallest value, for x_hat = x, is floor.
 *
 * @typedef {{ recon: number, floor: number }} Cost in nats
 */

/** -x log x, continued to 0. @param {number} x */
const surprise = (x) => (x > 0 ? -x * Math.log(x) : 0);

/**
 * The entropy of grey pixels read as probabilities: what even a perfect copy costs.
 *
 * @param {ArrayLike<number>} levels grey levels 0 ... 255
 * @returns {number} nats
 */
export function floorOf(levels) {
  let sum = 0;
  for (let i = 0; i < levels.length; i++) {
    const x = levels[i] / 255;
    sum += surprise(x) + surprise(1 - x);
  }
  return sum;
}

/**
 * -log p(x|z): the binary cross-entropy of the decoder's logits, summed over the pixels.
 *
 * @param {ArrayLike<number>} levels grey levels 0 ... 255 of the image
 * @param {ArrayLike<number>} logits of the decoder
 * @returns {number} nats
 */
export function reconOf(levels, logits) {
  let sum = 0;
  for (let i = 0; i < levels.length; i++) {
    const l = logits[i];
    // log(1 + exp(l)) - x l, without overflow.
    sum += Math.max(l, 0) + Math.log1p(Math.exp(-Math.abs(l))) - (levels[i] / 255) * l;
  }
  return sum;
}

/**
 * The difference of two images as grey levels: the middle where they agree, lighter where only the
 * first has ink, darker where only the second has.
 *
 * @param {ArrayLike<number>} levels @param {ArrayLike<number>} decoded grey levels 0 ... 255 of both
 * @param {boolean} inkIsLight whether ink is the lighter of both in the images
 * @param {Uint8ClampedArray} out
 */
export function difference(levels, decoded, inkIsLight, out) {
  const sign = inkIsLight ? 1 : -1;
  for (let i = 0; i < out.length; i++) out[i] = 128 + (sign * (levels[i] - decoded[i])) / 2;
}
