import assert from "node:assert/strict";
import test from "node:test";
import { entropy, Neighbours, priorBeyond, priorRadius } from "../../web/core/neighbours.js";
import { bytesPerCall, NOTHING } from "./memory.js";

// On a line, at 0, 0.05, 0.1 ... 0.45, of classes 0 and 1 in turn.
const means = Float32Array.from({ length: 20 }, (_, i) => (i % 2 ? 0 : i / 40));
const labels = Uint8Array.from({ length: 10 }, (_, i) => i % 2);

test("the nearest come first, and those within the radius are counted", () => {
  const around = new Neighbours(means, labels, 3, 3);
  around.find([0.44, 0]);
  assert.deepEqual(Array.from(around.indices), [9, 8, 7]);
  assert.deepEqual(Array.from(around.shares), [1 / 3, 2 / 3, 0]);
  assert.equal(around.within, 3);
  assert.ok(Math.abs(around.distance - 0.01) < 1e-6);
  around.find([0, 5]);
  assert.equal(around.indices[0], 0);
  assert.equal(around.within, 0);
});

test("where there are fewer encodings than neighbours, all are found", () => {
  const around = new Neighbours(means, labels, 2);
  around.find([1, 0]);
  assert.deepEqual(Array.from(around.indices), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  assert.deepEqual(Array.from(around.shares), [0.5, 0.5]);
});

test("the entropy is in bits", () => {
  assert.equal(entropy([0.25, 0.25, 0.5, 0]), 1.5);
  assert.equal(entropy([0, 1]), 0);
});

test("half of the prior lies beyond its median radius", () => {
  assert.equal(priorRadius([3, -4]), 5);
  assert.ok(Math.abs(priorBeyond(Math.sqrt(2 * Math.log(2))) - 0.5) < 1e-12);
});

test("a call allocates nothing", () => {
  const around = new Neighbours(means, labels, 2, 5);
  const z = new Float32Array(2);
  const bytes = bytesPerCall(() => around.find(z));
  assert.ok(bytes < NOTHING, `${bytes} bytes a call`);
});
