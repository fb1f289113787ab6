import assert from "node:assert/strict";
import test from "node:test";
import { ticks } from "../../web/training/curves.js";
import { spreadOut } from "../../web/training/epoch_drawing.js";
import { sharedExtent } from "../../web/training/extent.js";
import { epochTime, Playback } from "../../web/training/playback.js";
import {
  describe,
  gridAt,
  lastEpoch,
  momentAt,
  nearestImage,
  nearestReconstruction,
  positionsAt,
  shareBeyond,
  shareInside,
  sumsOf,
  valueAt,
} from "../../web/training/replay.js";

const INFO = { item: "digit", items: "digits" };

/**
 * Two points at four moments of a training of five epochs.
 *
 * @param {Partial<import("../../web/training/replay.js").Replay>} [changes]
 * @returns {import("../../web/training/replay.js").Replay}
 */
function makeReplay(changes = {}) {
  return {
    summary: "",
    epochs: [0, 2, 4, 5],
    xy: Int16Array.of(0, 0, 0, 0, 2, -4, 0, 2, 4, -8, 0, 4, 2, 2, 2, 2),
    scale: 0.5,
    labels: Uint8Array.of(3, 1),
    images: new Uint8Array(0),
    grid_side: 1,
    grid_reaches: [3, 3, 3, 3],
    reconstructed: [],
    curves: { recon: [9, 8, 7], kl: [1, 2, 3], beta: [0.5, 1, 1] },
    ...changes,
  };
}

test("an epoch shows the last moment that was kept until then", () => {
  const replay = makeReplay();
  const moments = [0, 1, 1.9, 2, 3.5, 4, 4.9, 5, 9].map((epoch) => momentAt(replay, epoch));
  assert.deepEqual(moments, [0, 0, 0, 1, 1, 2, 2, 3, 3]);
  assert.equal(lastEpoch(replay), 5);
});

test("positions between two moments lie between theirs", () => {
  const replay = makeReplay();
  const at = (/** @type {number} */ epoch) => Array.from(positionsAt(replay, epoch));
  assert.deepEqual(at(2), [1, -2, 0, 1]);
  assert.deepEqual(at(3), [1.5, -3, 0, 1.5]);
  assert.deepEqual(at(4.5), [1.5, -1.5, 0.5, 1.5]);
  assert.deepEqual(at(7), [1, 1, 1, 1], "after the end, those of the end");
});

test("curves have no value before training", () => {
  const replay = makeReplay();
  assert.equal(valueAt(replay, "kl", 0), null);
  assert.equal(valueAt(replay, "kl", 1), 1);
  assert.equal(valueAt(replay, "kl", 3), 3);
});

test("the share within the 3σ ring is of points, not of coordinates", () => {
  const replay = makeReplay({ xy: Int16Array.of(...new Array(8).fill(0), 6, 0, 5, 5, 0, 0, 0, 0) });
  assert.equal(shareInside(replay, 1), 1);
  assert.equal(shareInside(replay, 2), 0.5, "(3, 0) is within, (2.5, 2.5) is not");
});

test("the share beyond a moment's grid is of points outside its own square", () => {
  const reaches = [3, 2, 3, 0.7];
  const replay = makeReplay({ grid_reaches: reaches });
  const shares = reaches.map((_, at) => shareBeyond(replay, at));
  assert.deepEqual(shares, [0, 0, 0.5, 1]);
});

test("descriptions tell the stages of a training apart", () => {
  const near = makeReplay({ xy: new Int16Array(16).fill(2) });
  const far = makeReplay({ xy: new Int16Array(16).fill(20) });
  const said = (/** @type {typeof far} */ replay, /** @type {number} */ at) =>
    describe(replay, at, INFO);
  assert.match(said(near, 0), /^Before training, every digit is/);
  assert.match(said(near, 1), /^Beta is still increasing: the model learns/);
  assert.match(said(far, 1), /^Beta is still increasing: the digits spread/);
  assert.match(said(near, 2), /^Beta has its final value: the prior keeps the digits/);
  assert.match(said(near, 3), /^End of training\. Beta has its final value: the prior/);
  assert.match(said(far, 3), /^End of training\. Beta has its final value, but it is too small/);
  const plain = makeReplay({ curves: { recon: [9, 8, 7], kl: [1, 2, 3], beta: [0, 0, 0] } });
  assert.match(said(plain, 1), /^With beta = 0 nothing pulls the digits/);
  assert.match(said(plain, 3), /^End of training\. With beta = 0/);
});

test("decoded images become the opacity of a grid", () => {
  const side = 2;
  const cells = side * side;
  // Pixel i of cell k is 10 k + i % 7 at moment 1; moment 0 is blank.
  const images = new Uint8Array(2 * cells * 784);
  for (let i = 0; i < cells * 784; i++) {
    images[cells * 784 + i] = 10 * Math.floor(i / 784) + ((i % 784) % 7);
  }
  const replay = makeReplay({ images, grid_side: side });
  const pixels = gridAt(replay, 1, 255);
  assert.equal(pixels.length, 4 * cells * 784);
  const alpha = (/** @type {number} */ row, /** @type {number} */ column) =>
    pixels[4 * (row * 56 + column) + 3];
  assert.equal(alpha(0, 0), 0);
  assert.equal(alpha(3, 5), (3 * 28 + 5) % 7);
  assert.equal(alpha(3, 28 + 5), 10 + ((3 * 28 + 5) % 7), "the cell to the right");
  assert.equal(alpha(28 + 3, 5), 20 + ((3 * 28 + 5) % 7), "the cell below");
  assert.deepEqual(Array.from(pixels.subarray(0, 3)), [255, 255, 255]);
  assert.ok(gridAt(replay, 0, 0).every((value) => value === 0));
});

test("ticks are round and within the range", () => {
  assert.deepEqual(ticks(0, 1), [0, 0.5, 1]);
  assert.deepEqual(ticks(0, 50), [0, 20, 40]);
  assert.deepEqual(ticks(133, 206), [150, 200]);
  assert.deepEqual(ticks(5, 5), [5], "one value");
  for (const [low, high] of [
    [0, 0.013],
    [1e-7, 3e-7],
    [0, 4096],
    [96.2, 97.9],
  ]) {
    const values = ticks(low, high);
    assert.ok(values.length >= 1 && values.length <= 4, `${low} to ${high}: ${values}`);
    for (const value of values) {
      assert.ok(value >= low - 1e-9 && value <= high * (1 + 1e-9), `${value}`);
    }
  }
});

test("classes are summed apart", () => {
  const positions = Float32Array.of(1, 2, 3, -4, 5, 5);
  const sums = sumsOf(positions, Uint8Array.of(2, 0, 2), 3);
  assert.deepEqual(sums, [
    { x: 3, y: -4, count: 1 },
    { x: 0, y: 0, count: 0 },
    { x: 6, y: 7, count: 2 },
  ]);
});

test("the nearest image of a grid is that of the nearest cell, at the edge beyond it", () => {
  const images = new Uint8Array(2 * 9 * 784);
  for (let i = 0; i < images.length; i++) images[i] = Math.floor(i / 784);
  const replay = makeReplay({ images, grid_side: 3, grid_reaches: [6, 3] });
  const at = (/** @type {number} */ x, /** @type {number} */ y) => {
    const { levels, ...where } = nearestImage(replay, 1, { x, y });
    assert.equal(levels.length, 784);
    return [levels[0], levels[783], where.x, where.y];
  };
  assert.deepEqual(at(0, 0), [13, 13, 0, 0]);
  assert.deepEqual(at(-1.6, 1.6), [9, 9, -3, 3], "the first row is the top");
  assert.deepEqual(at(1.6, 0.4), [14, 14, 3, 0]);
  assert.deepEqual(at(80, -90), [17, 17, 3, -3]);
  const wider = nearestImage(replay, 0, { x: 4, y: 2 });
  assert.deepEqual([wider.levels[0], wider.x, wider.y], [5, 6, 0], "each at its own reach");
});

test("a reconstruction is found where its image is encoded at that moment", () => {
  const images = Uint8Array.from({ length: 4 * 2 * 784 }, (_, i) => i / 784);
  const replay = makeReplay({ images, reconstructed: [1, 0] });
  const at = (/** @type {number} */ moment, /** @type {number} */ x, /** @type {number} */ y) => {
    const { levels, ...where } = nearestReconstruction(replay, moment, { x, y });
    assert.equal(levels.length, 784);
    return [levels[0], levels[783], where.x, where.y];
  };
  assert.deepEqual(at(1, 0, 9), [2, 2, 0, 1], "row 1 of the sample is the first of a moment");
  assert.deepEqual(at(1, 9, 0), [3, 3, 1, -2]);
  assert.deepEqual(at(2, 2, -4), [5, 5, 2, -4]);
});

/** A replay whose 100 points reach as far as `reach` says, 1 of them ten times as far. @param {number[]} reach */
function makeSpread(reach) {
  const xy = reach.flatMap((most) =>
    Array.from({ length: 200 }, (_, i) => Math.round((i === 7 ? 1000 : i) * (most / 2))),
  );
  const last = reach.length - 1;
  return makeReplay({
    epochs: reach.map((_, epoch) => epoch),
    xy: Int16Array.from(xy),
    scale: 0.01,
    labels: new Uint8Array(100),
    curves: { recon: Array(last).fill(1), kl: Array(last).fill(1), beta: Array(last).fill(1) },
  });
}

test("a shared view holds 99 % of the points of each model at each epoch", () => {
  const wild = makeSpread([1, 16, 9, 5, 8, 6, 12, 6, 5, 5]);
  const calm = makeSpread([1, 6, 5, 5, 5, 5, 5, 5, 5, 5]);
  for (let epoch = 0; epoch <= 9; epoch++) {
    const extent = sharedExtent([calm, wild], epoch);
    for (const replay of [calm, wild]) {
      const inside = positionsAt(replay, epoch).filter((v) => Math.abs(v) <= extent).length;
      assert.ok(inside >= 199, `${inside} coordinates within ${extent} at epoch ${epoch}`);
    }
  }
});

test("a view follows the points without jumps, and one far point does not widen it", () => {
  const wild = makeSpread([1, 16, 9, 5, 8, 6, 12, 6, 5, 5]);
  const at = (/** @type {number} */ epoch) => sharedExtent([wild], epoch);
  assert.ok(at(1) < 19 && at(1) >= 15.9);
  for (let epoch = 0; epoch < 9; epoch += 0.1) {
    const factor = at(epoch + 0.1) / at(epoch);
    assert.ok(Math.abs(factor - 1) < 0.03, `times ${factor} after ${epoch}`);
  }
  assert.equal(sharedExtent([makeSpread([1, 1, 1])], 2), 4, "the 3σ ring is always in view");
});

/** Frames that a test lets pass. */
function makeFrames() {
  /** @type {Map<number, (now: number) => void>} */
  const waiting = new Map();
  let newest = 0;
  return {
    waiting,
    request(/** @type {(now: number) => void} */ callback) {
      waiting.set(++newest, callback);
      return newest;
    },
    cancel(/** @type {number} */ frame) {
      waiting.delete(frame);
    },
    pass(/** @type {number} */ now) {
      const due = [...waiting.values()];
      waiting.clear();
      for (const callback of due) callback(now);
    },
  };
}

test("a short training plays quickly, a long one as long as any", () => {
  assert.equal(epochTime(1), 500);
  assert.equal(epochTime(20), 500);
  assert.equal(epochTime(1000), 10);
});

test("playback counts from its first frame and stops where it is told", () => {
  const frames = makeFrames();
  /** @type {number[]} */
  const shown = [];
  const playback = new Playback((epoch) => shown.push(epoch) < 3, frames);
  playback.start(4, 100);
  assert.ok(playback.running);
  for (const now of [5000, 5050, 5100, 5150]) frames.pass(now);
  assert.deepEqual(shown, [4, 4.5, 5]);
  assert.equal(frames.waiting.size, 0);
});

test("playback that is stopped or started again leaves no frame behind", () => {
  const frames = makeFrames();
  /** @type {number[]} */
  const shown = [];
  const playback = new Playback((epoch) => {
    shown.push(epoch);
    if (epoch >= 2) playback.stop();
    return true;
  }, frames);
  playback.start(0, 100);
  playback.start(1, 100);
  assert.equal(frames.waiting.size, 1);
  for (const now of [0, 100, 200]) frames.pass(now);
  assert.deepEqual(shown, [1, 2], "stopped while it was shown");
  assert.ok(!playback.running);
  playback.start(0, 100);
  playback.stop();
  assert.equal(frames.waiting.size, 0);
});

test("reconstructions that would hide each other are left out, first the new ones", () => {
  const at = (/** @type {number[]} */ ...all) => all.map((px) => ({ px, py: 0 }));
  assert.deepEqual([...spreadOut(at(0, 5, 10, 30), new Set(), 10)], [0, 2, 3]);
  assert.deepEqual([...spreadOut(at(0, 5, 10, 30), new Set([1, 3]), 10)], [1, 3]);
  assert.deepEqual([...spreadOut(at(0, 5, 16, 30), new Set([1, 2]), 10)], [1, 2, 3]);
  assert.deepEqual([...spreadOut(at(0, 0, 0), new Set(), 10)], [0], "before training");
});
