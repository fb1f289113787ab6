import assert from "node:assert/strict";
import test from "node:test";
import { carriers } from "../../web/draw/dimension_kl.js";

test("the dimensions that carry an image stand first, the unused together at the end", () => {
  const { shown, others, rest } = carriers([0.3, 2.5, 0.01, 1.2, 0]);
  assert.deepEqual(
    shown.map(({ dimension }) => dimension),
    [2, 4, 1],
  );
  assert.equal(others, 2);
  assert.ok(Math.abs(rest - 0.01) < 1e-12);
  const many = carriers(Array.from({ length: 64 }, (_, i) => i + 1));
  assert.equal(many.shown.length, 12);
  assert.equal(many.shown[0].dimension, 64);
  assert.equal(many.rest, (52 * 53) / 2);
});
