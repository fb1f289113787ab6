import assert from "node:assert/strict";
import test from "node:test";
import { Neighbours } from "../../web/core/neighbours.js";
import {
  describeClasses,
  describePrior,
  describeSupport,
  supportOf,
} from "../../web/core/readout.js";

const INFO = { item: "digit", items: "digits" };
// Six encodings at the origin of class 0, one at (1, 0) of class 1.
const means = new Float32Array([...new Array(12).fill(0), 1, 0]);
const labels = Uint8Array.of(0, 0, 0, 0, 0, 0, 1);

/** @param {number[]} z @param {number} count */
function around(z, count) {
  const found = new Neighbours(means, labels, 3, count);
  found.find(z);
  return found;
}

test("support is told in three states", () => {
  assert.equal(
    describeSupport(around([0, 0], 7), INFO),
    "Well supported: 6 test digits were encoded within 0.1.",
  );
  assert.equal(
    describeSupport(around([1, 0.05], 7), INFO),
    "Sparse data: 1 test digit was encoded within 0.1.",
  );
  assert.equal(
    describeSupport(around([1, 0.5], 7), INFO),
    "No data here: the nearest test digit was encoded 0.50 away, so the decoder extrapolates.",
  );
});

test("support has three states", () => {
  const states = [
    [0, 0],
    [1, 0.05],
    [1, 0.5],
  ].map((z) => supportOf(around(z, 7)));
  assert.deepEqual(states, ["known", "sparse", "unknown"]);
});

test("the two most frequent classes are named, or the one that nearly all have", () => {
  const plurals = ["0s", "1s", "2s"];
  assert.equal(describeClasses(around([0, 0], 6), plurals), "Nearly all neighbours are 0s.");
  assert.equal(describeClasses(around([0, 0], 7), plurals), "Mostly 0s, then 1s.");
  assert.equal(describeClasses(around([1, 0], 2), plurals), "Mostly 0s, then 1s.");
});

test("the share of the prior beyond a radius", () => {
  assert.equal(
    describePrior({ x: 3, y: 4 }),
    "5.00σ from the centre; under 1 % of the prior N(0, I) lies further out.",
  );
});
