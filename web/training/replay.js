/** The recorded training of a model, and what it shows at each epoch. */

/**
 * What explorer/training_replay.py records at E moments: before training, and after the epochs that
 * are kept. A long training keeps every second epoch, fourth ..., and the last.
 *
 * @typedef {{
 *   summary: string, epochs: number[], xy: Int16Array, scale: number, labels: Uint8Array,
 *   images: Uint8Array, grid_side: number, grid_reaches: number[], reconstructed: number[],
 *   curves: Record<CurveName, number[]>, total?: number,
 * }} Replay total: epochs of a run that is not finished; its moments are fractions of epochs, too
 * @typedef {"recon" | "kl" | "beta"} CurveName
 * @typedef {{ item: string, items: string }} Info what the images show
 */

const RING = 3; // sigma; the prior holds 99 % of its samples within it
const HALF_STEP = 0.5; // of xy, which is rounded
const MOST = 0.9; // share of the points within the ring that counts as nearly all

/** @param {Replay} replay */
export function lastEpoch({ epochs }) {
  return epochs[epochs.length - 1];
}

/** The epoch of a moment and the last one of the run, as texts. @param {Replay} replay @param {number} at */
export function epochTexts({ epochs, total }, at) {
  const text = (/** @type {number} */ epoch) =>
    total === undefined ? `${epoch}` : `${Number(epoch.toFixed(2))}`;
  return { epoch: text(epochs[at]), last: text(total ?? epochs[epochs.length - 1]) };
}

/** Whether images were decoded at its moments: older files of many dimensions have none. @param {Replay} replay */
export function hasImages({ images }) {
  return images.length > 0;
}

/** The index of the last moment kept up to an epoch. @param {Replay} replay @param {number} epoch */
export function momentAt({ epochs }, epoch) {
  let at = epochs.length - 1;
  while (at > 0 && epochs[at] > epoch) at -= 1;
  return at;
}

/**
 * The moments before and after an epoch, and the share of the time between them that has passed.
 *
 * @param {Replay} replay @param {number} epoch fractions included
 */
export function between(replay, epoch) {
  const { epochs } = replay;
  const from = momentAt(replay, epoch);
  const to = Math.min(from + 1, epochs.length - 1);
  return { from, to, t: to > from ? (epoch - epochs[from]) / (epochs[to] - epochs[from]) : 0 };
}

/**
 * The positions of the encoded images at an epoch as x, y, x, y ...; at a fraction, between those of
 * the moments before and after it.
 *
 * @param {Replay} replay @param {number} epoch
 */
export function positionsAt(replay, epoch) {
  const { xy, scale, labels } = replay;
  const positions = new Float32Array(2 * labels.length);
  const { from, to, t } = between(replay, epoch);
  const [a, b] = [positions.length * from, positions.length * to];
  for (let i = 0; i < positions.length; i++) {
    positions[i] = scale * (xy[a + i] + t * (xy[b + i] - xy[a + i]));
  }
  return positions;
}

/**
 * The sum of the positions of each class.
 *
 * @param {Float32Array} positions @param {Uint8Array} labels @param {number} classes
 */
export function sumsOf(positions, labels, classes) {
  const sums = Array.from({ length: classes }, () => ({ x: 0, y: 0, count: 0 }));
  for (const [i, label] of labels.entries()) {
    const sum = sums[label];
    sum.x += positions[2 * i];
    sum.y += positions[2 * i + 1];
    sum.count++;
  }
  return sums;
}

/** The share of the encoded images within the 3σ ring. @param {Replay} replay @param {number} at */
export function shareInside(replay, at) {
  const positions = positionsAt(replay, replay.epochs[at]);
  let inside = 0;
  for (let i = 0; i < positions.length; i += 2) {
    if (Math.hypot(positions[i], positions[i + 1]) <= RING) inside++;
  }
  return (2 * inside) / positions.length;
}

/** The share of the encoded images that lie beyond the grid of a moment. @param {Replay} replay @param {number} at */
export function shareBeyond({ xy, scale, labels, grid_reaches }, at) {
  const [first, reach] = [2 * labels.length * at, grid_reaches[at] / scale];
  let beyond = 0;
  for (let i = first; i < first + 2 * labels.length; i += 2) {
    if (Math.max(Math.abs(xy[i]), Math.abs(xy[i + 1])) > reach + HALF_STEP) beyond++;
  }
  return beyond / labels.length;
}

/** A curve's value at a moment; null before training. @param {Replay} replay @param {CurveName} name @param {number} at */
export function valueAt({ curves }, name, at) {
  return at ? curves[name][at - 1] : null;
}

/**
 * What happens in the training at a moment.
 *
 * @param {Replay} replay @param {number} at @param {Info} info
 */
export function describe(replay, at, { item, items }) {
  const beta = valueAt(replay, "beta", at);
  if (beta === null) {
    return `Before training, every ${item} is encoded near the same position, and every position decodes to the same grey image.`;
  }
  const last = replay.epochs.length - 1;
  const final = replay.curves.beta[last - 1];
  const end = at === last ? "End of training. " : "";
  if (final === 0) {
    return `${end}With beta = 0 nothing pulls the ${items} toward the prior: they spread out as far as it helps the reconstruction.`;
  }
  const inside = shareInside(replay, at) >= MOST;
  if (beta < 0.98 * final) {
    return inside
      ? `Beta is still increasing: the model learns to reconstruct, and similar ${items} cluster before the prior acts at full weight.`
      : `Beta is still increasing: the ${items} spread beyond the 3σ ring until the prior pulls them together.`;
  }
  return inside
    ? `${end}Beta has its final value: the prior keeps the ${items} within the 3σ ring, and training refines how they share that area.`
    : `${end}Beta has its final value, but it is too small to keep the ${items} within the 3σ ring: they spread out and leave empty regions between them.`;
}

/**
 * The image of a moment's grid that was decoded nearest to a position, and where that is.
 *
 * @param {Replay} replay @param {number} at @param {import("../core/view.js").Position} position
 */
export function nearestImage({ images, grid_side: side, grid_reaches }, at, { x, y }) {
  const reach = grid_reaches[at];
  const step = (2 * reach) / (side - 1);
  const cell = (/** @type {number} */ v) =>
    Math.min(side - 1, Math.max(0, Math.round((v + reach) / step)));
  const [column, row] = [cell(x), cell(-y)];
  const from = 784 * (side * side * at + side * row + column);
  return {
    levels: images.subarray(from, from + 784),
    x: column * step - reach,
    y: reach - row * step,
  };
}

/**
 * The reconstruction of a moment whose encoding is nearest to a position, and where that is.
 *
 * @param {Replay} replay @param {number} at @param {import("../core/view.js").Position} position
 */
export function nearestReconstruction(replay, at, { x, y }) {
  const { images, reconstructed, labels, xy, scale } = replay;
  const encoded = reconstructed.map((row) => {
    const i = 2 * (labels.length * at + row);
    return { x: scale * xy[i], y: scale * xy[i + 1] };
  });
  const distances = encoded.map((point) => Math.hypot(point.x - x, point.y - y));
  const nearest = distances.indexOf(Math.min(...distances));
  const from = 784 * (reconstructed.length * at + nearest);
  return { levels: images.subarray(from, from + 784), ...encoded[nearest] };
}

/**
 * A moment's decoded images as one, in opacity, so that they blend into the background.
 *
 * @param {Replay} replay @param {number} at @param {number} level of grey where they are opaque
 */
export function gridAt({ images, grid_side: side }, at, level) {
  const width = 28 * side;
  const pixels = new Uint8ClampedArray(4 * width * width).fill(level);
  let from = at * width * width;
  for (let cell = 0; cell < side * side; cell++) {
    const [row, column] = [Math.floor(cell / side), cell % side];
    for (let i = 0; i < 784; i++) {
      const to = (row * 28 + Math.floor(i / 28)) * width + column * 28 + (i % 28);
      pixels[4 * to + 3] = images[from++];
    }
  }
  return pixels;
}
