/** What the comparison of two betas says, from its figures. */

import { percent } from "../core/dom.js";

/**
 * The figures of one model; see `figures` in explorer/beta_comparison.py.
 *
 * @typedef {{
 *   label: string, beta: number, recon: number, kl: number, recon_at_mean: number, near: number,
 *   width: number, covered: number,
 * }} Model
 */

/**
 * explorer/beta_comparison.py.
 *
 * @typedef {{
 *   models: Model[], verdict: string, samples: number, radius: number, reach: number,
 *   indices: number[], nats: number[][], originals: Uint8Array, images: Uint8Array,
 *   clouds: Float32Array, cloud_labels: Uint8Array,
 * }} Comparison
 * @typedef {{ item: string, items: string }} Info what the images show
 */

/** The rows of the table of figures. @param {Comparison} comparison @param {Info} info */
export function figureRows({ models, samples, radius, reach }, { item, items }) {
  /** @type {[string, (model: Model) => string][]} */
  const rows = [
    [`Reconstruction error, nats per ${item}`, ({ recon }) => recon.toFixed(1)],
    [`KL divergence, nats per ${item}`, ({ kl }) => kl.toFixed(2)],
    [
      `Prior samples within ${radius} of a test ${item} (of ${samples.toLocaleString("en")})`,
      ({ near }) => percent(near),
    ],
    ["Median width of a cloud (posterior σ)", ({ width }) => width.toFixed(3)],
    [
      `Other test ${items} within a cloud (${reach} posterior σ), median`,
      ({ covered }) => `${covered}`,
    ],
  ];
  return rows.map(([title, value]) => ({ title, values: models.map(value) }));
}

/** What the clouds show. @param {Comparison} comparison @param {Info} info */
export function describeClouds({ models: [own, other] }, { item, items }) {
  return `The KL divergence charges for every cloud q(z|x) that is narrower than the prior or far from its centre, and beta sets the price. The median cloud covers ${own.covered} other test ${items} with ${own.label}, and ${other.covered} with ${other.label}. Where clouds overlap, the decoder must draw what suits all of them, and positions between them decode to a plausible ${item}. Between separate clouds it was never trained.`;
}

/** How the test images were chosen. @param {Comparison} comparison @param {Info} info */
export function describeChoice({ models: [own] }, { item }) {
  return `For each class, the test ${item} with the median reconstruction error under ${own.label}. Below each reconstruction: its error in nats. Click an original to open it on the map.`;
}

/** What needs a closer look. @param {Comparison} comparison @param {Info} info */
export function describeDetails({ models: [own, other] }, { item }) {
  const mean = (/** @type {Model} */ { recon_at_mean: recon }) => recon.toFixed(1);
  return `The table's reconstruction error is the one of the loss: each ${item} is decoded at a random draw from its cloud. The images above are decoded at the cloud's mean, where the errors are ${mean(own)} nats with ${own.label} and ${mean(other)} with ${other.label}, on average over all test ${item}s.`;
}
