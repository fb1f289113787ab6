import assert from "node:assert/strict";
import test from "node:test";
import { stepToward, toward } from "../../web/directions/toward.js";

const from = { x: 1, y: -1 };

test("directions count counterclockwise from x", () => {
  assert.deepEqual(toward(from, { x: 4, y: 3 }).distance, 5);
  for (const [x, y, degrees] of [
    [2, -1, 0],
    [1, 0, 90],
    [0, -1, 180],
    [1, -3, -90],
  ]) {
    assert.equal(toward(from, { x, y }).degrees, degrees);
  }
});

test("steps are of one length, and the last ends at the goal", () => {
  const goal = { x: 4, y: 3 };
  const next = stepToward(from, goal);
  assert.ok(Math.abs(toward(from, next).distance - 0.25) < 1e-12);
  assert.ok(Math.abs(toward(next, goal).distance - 4.75) < 1e-12);
  assert.equal(stepToward({ x: 3.9, y: 3 }, goal), goal);
  assert.equal(stepToward(goal, goal), goal);
});
