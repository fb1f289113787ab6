/** How much of the latent space a view must show to hold the points of an epoch. */

import { between } from "./replay.js";

/** @typedef {import("./replay.js").Replay} Replay */

const HELD = 0.99; // share of the points that a view holds
const NEAR = 2; // moments on either side that a view holds too: it changes slowly
const LEAST = 4; // half sides; the 3σ ring and its name
const MARGIN = 1.13; // the outermost images of an epoch, whose middles are where its grid ends

/** @type {WeakMap<Replay, number[]>} */
const known = new WeakMap();

/** Half the side of the square around 0 that holds the points of a moment. @param {Replay} replay @param {number} moment */
function reachOf({ xy, scale, labels }, moment) {
  const count = labels.length;
  const first = 2 * count * moment;
  const reach = Float32Array.from(labels, (_, i) =>
    Math.max(Math.abs(xy[first + 2 * i]), Math.abs(xy[first + 2 * i + 1])),
  );
  return scale * reach.sort()[Math.ceil(HELD * count) - 1];
}

/** The values around each. @param {number[]} values @param {(near: number[]) => number} merge */
function around(values, merge) {
  return values.map((_, i) => merge(values.slice(Math.max(0, i - NEAR), i + NEAR + 1)));
}

// The mean of maxima that all include a moment's own reach is never below it.
/** @param {Replay} replay */
function makeExtents(replay) {
  const reach = replay.epochs.map((_, moment) => reachOf(replay, moment));
  const most = around(reach, (near) => Math.max(...near));
  return around(most, (near) => near.reduce((sum, value) => sum + value) / near.length);
}

/**
 * Half the side of the square around 0 that holds 99 % of the points of each replay at an epoch.
 *
 * @param {readonly Replay[]} replays @param {number} epoch fractions included
 */
export function sharedExtent(replays, epoch) {
  const each = replays.map((replay) => {
    const extents = known.get(replay) ?? makeExtents(replay);
    known.set(replay, extents);
    const { from, to, t } = between(replay, epoch);
    return MARGIN * (extents[from] + t * (extents[to] - extents[from]));
  });
  return Math.max(LEAST, ...each);
}
