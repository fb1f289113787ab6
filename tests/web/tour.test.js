import assert from "node:assert/strict";
import test from "node:test";
import { actionOf, stepBeside } from "../../web/tour/steps.js";

const STEPS = [{ key: "one" }, { key: "two" }, { key: "three" }];
const ELSEWHERE = { closest: () => null };
const SLIDER = { closest: (/** @type {string} */ kinds) => (/input/.test(kinds) ? "it" : null) };

test("steps follow each other and end", () => {
  assert.equal(stepBeside(STEPS, "one", 1), "two");
  assert.equal(stepBeside(STEPS, "two", -1), "one");
  assert.equal(stepBeside(STEPS, "three", 1), null);
  assert.equal(stepBeside(STEPS, "one", -1), null);
});

test("arrow keys move what has the focus, a presenter's keys always the tour", () => {
  const slider = /** @type {any} */ (SLIDER);
  const page = /** @type {any} */ (ELSEWHERE);
  assert.equal(actionOf("ArrowRight", page), 1);
  assert.equal(actionOf("ArrowLeft", null), -1);
  assert.equal(actionOf("ArrowRight", slider), null);
  assert.equal(actionOf("PageDown", slider), 1);
  assert.equal(actionOf("PageUp", page), -1);
  assert.equal(actionOf("Escape", slider), "leave");
  assert.equal(actionOf("Tab", page), null);
  assert.equal(actionOf("toString", page), null);
});
