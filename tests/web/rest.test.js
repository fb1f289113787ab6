import assert from "node:assert/strict";
import test from "node:test";
import { Rest } from "../../web/core/rest.js";
import { PageState } from "../../web/core/state.js";

/** @param {import("node:test").TestContext} context */
function resting(context) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const state = new PageState({ range: 4, start: [0, 0], layers: [], controls: [] });
  let asked = 0;
  const rest = new Rest(state, 100, () => {
    asked++;
  });
  state.subscribe("position", () => rest.await());
  return {
    state,
    asked: () => asked,
    pass: (/** @type {number} */ ms) => context.mock.timers.tick(ms),
  };
}

test("the server is asked once, when the cursor rests", (context) => {
  const { state, asked, pass } = resting(context);
  for (const x of [1, 2, 3]) {
    state.set({ x, y: 0 });
    pass(60);
  }
  assert.equal(asked(), 0);
  pass(60);
  assert.equal(asked(), 1);
  pass(1000);
  assert.equal(asked(), 1);
});

test("a pause within a drag is no rest", (context) => {
  const { state, asked, pass } = resting(context);
  state.hold(true);
  state.set({ x: 1, y: 0 });
  pass(1000);
  assert.equal(asked(), 0);
  state.hold(false);
  pass(100);
  assert.equal(asked(), 1);
});

test("a press that moves nothing asks nothing", (context) => {
  const { state, asked, pass } = resting(context);
  state.hold(true);
  state.hold(false);
  pass(1000);
  assert.equal(asked(), 0);
});
