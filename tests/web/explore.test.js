import assert from "node:assert/strict";
import test from "node:test";
import { samplePrior } from "../../web/explore/index.js";

test("samples follow the prior, within the map", () => {
  const draws = Array.from({ length: 20000 }, () => samplePrior(2.5));
  const values = draws.flatMap(({ x, y }) => [x, y]);
  assert.ok(Math.max(...values.map(Math.abs)) <= 2.5);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
  assert.ok(Math.abs(mean) < 0.03, `${mean}`);
  assert.ok(Math.abs(variance - 0.911) < 0.03, `${variance}`); // of N(0, 1) cut at 2.5
  const product = draws.reduce((sum, { x, y }) => sum + x * y, 0) / draws.length;
  assert.ok(Math.abs(product) < 0.03, `${product}`); // the coordinates are independent
});
