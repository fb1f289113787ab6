import assert from "node:assert/strict";
import test from "node:test";
import { along } from "../../web/directions/example.js";

test("an example's positions lie evenly on the line through its middle", () => {
  const positions = along({ x: 1, y: -0.5 }, 90);
  assert.deepEqual(positions[2], { x: 1, y: -0.5 });
  const steps = positions.slice(1).map(({ y }, i) => y - positions[i].y);
  assert.ok(steps.every((step) => step > 0.05 && Math.abs(step - steps[0]) < 1e-12));
  assert.ok(positions.every(({ x }) => Math.abs(x - 1) < 1e-12));
});
