import assert from "node:assert/strict";
import test from "node:test";
import { byClass } from "../../web/map/layers/points.js";

test("points are grouped by class, in their order", () => {
  const means = Float32Array.of(1, 2, 3, 4, 5, 6);
  const groups = byClass(means, Uint8Array.of(2, 0, 2), 3);
  assert.deepEqual(
    groups.map((group) => Array.from(group)),
    [[3, 4], [], [1, 2, 5, 6]],
  );
});
