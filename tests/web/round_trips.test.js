import assert from "node:assert/strict";
import test from "node:test";
import { tripsToShow } from "../../web/map/layers/round_trips.js";

test("round trips from outside 3 sigma, or to beyond the map, have no arrow", () => {
  const from = [0, 0, 2.2, 2.2, -1, 1, 0, 3];
  const to = [0.5, 0, 0, 0, -4.5, 0, 0, -2];
  assert.deepEqual(tripsToShow(from, to, 4), [
    { start: { x: 0, y: 0 }, end: { x: 0.5, y: 0 } },
    { start: { x: 0, y: 3 }, end: { x: 0, y: -2 } },
  ]);
});
