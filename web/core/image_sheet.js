/**
 * Many decoded images side by side, as the map's layer of images shows them: the decoded manifold.
 */

import { PIXELS, SIDE } from "./decoder.js";
import { Plane } from "./plane.js";

/**
 * What a sheet shows: one image for each of `xs`, from left to right, and `ys`, from top to bottom.
 *
 * `plane`: on which they lie, above two dimensions.
 *
 * @typedef {{
 *   xs: Float64Array, ys: Float64Array, ink: number, plane?: Plane["record"],
 * }} Plan ink: the grey level of strokes
 * @typedef {{ latentDim: number, pixels: (z: ArrayLike<number>, out: Uint8ClampedArray) => void }} Images
 */

/**
 * Draws a sheet row by row: RGBA whose opacity is the images' grey level.
 *
 * @param {Images} decoder
 * @param {Plan} plan
 * @yields {number} how many rows are done, after each
 * @returns {Generator<number, Uint8ClampedArray<ArrayBuffer>>} the pixels, 28 xs.length wide
 */
export function* drawSheet(decoder, { xs, ys, ink, plane }) {
  const shown = new Plane(plane);
  const wide = SIDE * xs.length;
  const sheet = new Uint8ClampedArray(4 * wide * SIDE * ys.length).fill(ink);
  const z = new Float64Array(decoder.latentDim);
  const grey = new Uint8ClampedArray(PIXELS);
  for (let row = 0; row < ys.length; row++) {
    for (let column = 0; column < xs.length; column++) {
      shown.write({ x: xs[column], y: ys[row] }, z);
      decoder.pixels(z, grey);
      for (let i = 0; i < PIXELS; i++) {
        const at = (row * SIDE + Math.floor(i / SIDE)) * wide + column * SIDE + (i % SIDE);
        sheet[4 * at + 3] = grey[i];
      }
    }
    yield row + 1;
  }
  return sheet;
}
