import assert from "node:assert/strict";
import test from "node:test";
import { between } from "../../web/core/plane.js";
import { plotScale, recommend, tableCells } from "../../web/paths/comparison.js";
import { arePicked, readEnd, resolveEnd } from "../../web/paths/endpoints.js";

const z = { x: 0.5, y: -1 };
const marks = { A: { x: 1, y: 2 }, B: null };

/**
 * A row of a comparison.
 *
 * @param {string} method @param {number} length @param {number} step @param {number} support
 */
const row = (method, length, step, support) => ({
  method,
  title: method,
  changes: [step, step / 2],
  length,
  largest_step: step,
  support,
  passes: ["5", "8"],
});

test("options of the form stand for classes, the cursor and points", () => {
  assert.deepEqual(["0", "12", "here", "A"].map(readEnd), [0, 12, "here", "A"]);
});

test("ends are sent as classes or positions", () => {
  assert.equal(resolveEnd(7, z, marks), 7);
  assert.deepEqual(resolveEnd("here", z, marks), [0.5, -1]);
  assert.deepEqual(resolveEnd("A", z, marks), [1, 2]);
});

test("only points that are not on the map have to be picked", () => {
  assert.ok(arePicked([0, "here"], marks));
  assert.ok(arePicked(["A", 3], marks));
  assert.ok(!arePicked(["A", "B"], marks));
});

test("a morph goes a share of the way", () => {
  assert.deepEqual(between(z, { x: 1.5, y: 1 }, 0), z);
  assert.deepEqual(between(z, { x: 1.5, y: 1 }, 0.5), { x: 1, y: 0 });
  assert.deepEqual(between(z, { x: 1.5, y: 1 }, 1), { x: 1.5, y: 1 });
});

test("the table compares with the straight path and marks the best", () => {
  const rows = [row("linear", 40, 6, 9), row("geodesic", 32, 2.5, 1), row("data", 32.04, 3, 9)];
  const cells = tableCells(rows);
  assert.deepEqual(
    cells.map((line) => line.map(({ text }) => text)),
    [
      ["40.0", "6.00", "9", "5 → 8"],
      ["32.0 (0.80 ×)", "2.50", "1", "5 → 8"],
      ["32.0 (0.80 ×)", "3.00", "9", "5 → 8"],
    ],
  );
  const best = cells.map((line) => line.map((cell) => cell.best));
  assert.deepEqual(best, [
    [false, false, true, false],
    [true, true, false, false],
    [true, false, true, false],
  ]);
});

test("of two figures that differ only the smaller is the smallest", () => {
  const cells = tableCells([row("linear", 32, 2.5, 100), row("geodesic", 32.2, 2.51, 99)]);
  assert.deepEqual(
    cells.map((line) => line.map(({ best }) => best)),
    [
      [true, true, true, false],
      [false, false, false, false],
    ],
  );
});

test("the advice names the smoothest path, and another if it has more support", () => {
  const info = { item: "digit", items: "digits" };
  const rows = [row("linear", 40, 6, 9), row("geodesic", 32, 2.5, 1)];
  assert.equal(
    recommend(rows, info),
    "Use “geodesic” for the smoothest change (largest step 2.50), or “linear” to stay near the " +
      "data (at least 9 test digits around each point).",
  );
  const both = recommend([row("linear", 40, 6, 1), row("geodesic", 32, 2.5, 1)], info);
  assert.match(both, /^Use “geodesic” .*; no other path has more support than its 1 test digit\.$/);
  const empty = recommend([row("linear", 40, 6, 0), row("geodesic", 32, 2.5, 0)], info);
  assert.match(empty, /^Use “geodesic” for the smoothest change \(largest step 2\.50\)\.$/);
  assert.equal(recommend(rows.slice(1), info), "", "nothing to choose from");
  const tied = recommend([...rows, row("data", 36, 3, 9)], info);
  assert.match(tied, /or “data” to stay near/, "of two with the same support the smoother");
});

test("without a straight path, or with one of no length, nothing is compared with it", () => {
  assert.equal(tableCells([row("geodesic", 32, 2, 1)])[0][0].text, "32.0");
  const still = tableCells([row("linear", 0, 0, 5), row("geodesic", 0, 0, 5)]);
  assert.deepEqual(still[1][0], { text: "0.0", best: true });
});

test("the plot reaches from no change to the largest", () => {
  const { x, y } = plotScale(4, 6);
  assert.ok(y(6) < y(3) && y(3) < y(0));
  assert.equal(y(3), (y(0) + y(6)) / 2);
  assert.ok(x(0) < x(3));
});
