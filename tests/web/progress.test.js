import assert from "node:assert/strict";
import test from "node:test";
import { describeAll, leadOn } from "../../web/lessons/progress.js";

test("every lesson but the last leads to the next one", () => {
  assert.deepEqual(leadOn([false, true, false], 0), { text: "Skip", to: 1 });
  assert.deepEqual(leadOn([false, true, false], 1), { text: "Next", to: 2 });
});

test("the last lesson leads to the first that is not done", () => {
  assert.deepEqual(leadOn([true, false, false], 2), { text: "Go to lesson 2", to: 1 });
  assert.deepEqual(leadOn([true, false, true], 2), { text: "Go to lesson 2", to: 1 });
  assert.deepEqual(leadOn([true, true, true], 2), { text: "Back to lesson 1", to: 0 });
});

test("where the last lesson is the only one that is not done, it does not lead to itself", () => {
  assert.deepEqual(leadOn([true, true, false], 2), { text: "Back to lesson 1", to: 0 });
  assert.equal(leadOn([false], 0).to, null);
});

test("a solution that was shown is not counted as solved", () => {
  assert.equal(describeAll(["solved", null]), "");
  assert.equal(describeAll(["solved", "solved"]), "All 2 lessons are solved.");
  const ends = /** @type {("solved" | "shown")[]} */ (["solved", "shown", "shown"]);
  assert.equal(describeAll(ends), "All 3 lessons are done: 1 solved, 2 shown.");
});
