import assert from "node:assert/strict";
import { test } from "node:test";
import { between } from "../../web/map/travel.js";

const whole = { centre: { x: 0, y: 0 }, half: 4 };
const part = { centre: { x: 1, y: -2 }, half: 0.5 };

test("a view travels from one part of the map to another", () => {
  assert.deepEqual(between(whole, part, 0), whole);
  const end = between(whole, part, 1);
  assert.ok(Math.abs(end.half - 0.5) < 1e-9 && Math.abs(end.centre.x - 1) < 1e-9);
});

test("one position keeps its place in the view all the way", () => {
  // The fixed point of both views: (p - centre) / half is the same.
  const p = (part.centre.x * whole.half) / (whole.half - part.half);
  for (const t of [0.2, 0.5, 0.8]) {
    const { centre, half } = between(whole, part, t);
    assert.ok(Math.abs((p - centre.x) / half - p / whole.half) < 1e-9);
  }
});

test("views of one size are panned", () => {
  const { centre, half } = between(whole, { centre: { x: 2, y: 0 }, half: 4 }, 0.5);
  assert.deepEqual({ centre, half }, { centre: { x: 1, y: 0 }, half: 4 });
});
