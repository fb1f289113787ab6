/** The mean of images that are laid over one another, and what it says of a decoded image. */

import { PIXELS } from "./decoder.js";
import { RADIUS } from "./neighbours.js";

/** @typedef {import("./readout.js").Info} Info */

const FEW = 5; // images, whose mean says little

export class MeanImage {
  #sum = new Float64Array(PIXELS);
  /** How many images it is of. */
  count = 0;

  clear() {
    this.#sum.fill(0);
    this.count = 0;
  }

  /** @param {ArrayLike<number>} levels 784 grey levels */
  add(levels) {
    for (let i = 0; i < PIXELS; i++) this.#sum[i] += levels[i];
    this.count++;
  }

  /** Writes the mean of all that were added; black if there is none. @param {Uint8ClampedArray} out */
  write(out) {
    for (let i = 0; i < PIXELS; i++) out[i] = this.#sum[i] / Math.max(1, this.count);
  }
}

/** The mean difference of two images. @param {ArrayLike<number>} a @param {ArrayLike<number>} b grey levels */
export function meanDifference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}

/** @param {number} v */
const roundedUp = (v) => (Math.ceil(1000 * v) / 1000).toFixed(3);

/**
 * Why the image decoded at a position is blurred, as far as the images encoded there tell.
 *
 * @param {{ count: number, within: number, radius: number }} around count: of the images that are
 *   averaged, within: of all within RADIUS, radius: the distance to the furthest that is averaged
 *   or, where there is none, to the nearest of all
 * @param {number} difference of the decoded image and their mean, in grey levels
 * @param {Info} info
 */
export function describeBlur({ count, within, radius }, difference, { item, items }) {
  const most = Number(RADIUS.toFixed(3));
  if (count === 0) {
    return (
      `No test ${item} was encoded within ${most} of the cursor, so there is nothing to average: ` +
      `the decoder extrapolates. The nearest test ${item} is ${radius.toFixed(2)} away.`
    );
  }
  if (count < FEW) {
    const subject = count === 1 ? `One test ${item} was` : `${count} test ${items} were`;
    return (
      `${subject} encoded within ${most} of the cursor: too few for a mean that explains the ` +
      "decoded image."
    );
  }
  const which =
    count === within
      ? `All ${count} test ${items} encoded within ${most} of the cursor.`
      : `The ${count} nearest test ${items}, all encoded within ${roundedUp(radius)} of the cursor.`;
  return (
    `${which} A position decodes to only one image, so the decoder draws roughly their mean: sharp ` +
    "where they agree, grey where they differ. The two images differ by " +
    `${difference.toFixed(0)} of 255 grey levels per pixel on average.`
  );
}
