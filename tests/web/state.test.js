import assert from "node:assert/strict";
import test from "node:test";
import { PageState } from "../../web/core/state.js";
import { MapView } from "../../web/core/view.js";

/** Frames that a test lets pass. */
class Frames {
  /** @type {((now: number) => void) | null} */
  #next = null;
  time = 0;
  still = false;
  now = () => this.time;
  reduced = () => this.still;
  request = (/** @type {(now: number) => void} */ callback) => {
    this.#next = callback;
    return 1;
  };
  cancel = () => {
    this.#next = null;
  };

  /** @param {number} time */
  pass(time) {
    this.time = time;
    const next = this.#next;
    this.#next = null;
    next?.(time);
  }
}

function newState() {
  const frames = new Frames();
  const layers = [{ key: "points", aliases: [], default: true }];
  return {
    frames,
    state: new PageState({ range: 4, start: [0, 0], layers, controls: [] }, frames),
  };
}

test("a position is rounded, stays on the map and is announced once", () => {
  const { state } = newState();
  /** @type {(string | undefined)[]} */
  const heard = [];
  state.subscribe("position", (source) => heard.push(source));
  state.set({ x: 1.23456, y: -9 }, "map");
  assert.deepEqual(state.z, { x: 1.235, y: -4 });
  state.set({ x: 1.2351, y: -4 }, "map");
  state.set({ x: Number.NaN, y: 0 }, "map");
  assert.deepEqual(heard, ["map"]);
});

test("an animation goes through its points, each piece in the same time", () => {
  const { state, frames } = newState();
  state.travel(
    [
      { x: 1, y: 0 },
      { x: 1, y: 3 },
    ],
    100,
  );
  assert.deepEqual(state.goal, { x: 1, y: 3 });
  frames.pass(25);
  assert.deepEqual(state.z, { x: 0.5, y: 0 });
  frames.pass(75);
  assert.deepEqual(state.z, { x: 1, y: 1.5 });
  assert.ok(state.travelling);
  frames.pass(120);
  assert.deepEqual(state.z, { x: 1, y: 3 });
  assert.ok(!state.travelling);
});

test("the user interrupts an animation", () => {
  const { state, frames } = newState();
  state.travel([{ x: 1, y: 0 }], 100);
  frames.pass(50);
  state.set({ x: -2, y: 0 });
  frames.pass(90);
  assert.deepEqual(state.z, { x: -2, y: 0 });
  assert.ok(!state.travelling);
});

test("reduced motion arrives at once", () => {
  const { state, frames } = newState();
  frames.still = true;
  state.travel([{ x: 1, y: 0 }], 100);
  assert.deepEqual(state.z, { x: 1, y: 0 });
});

test("a late answer moves nothing", () => {
  const { state } = newState();
  const asked = state.moves;
  state.set({ x: 1, y: 1 });
  assert.equal(state.arrive(asked, [{ x: 2, y: 2 }], 0), false);
  assert.deepEqual(state.z, { x: 1, y: 1 });
  assert.equal(state.arrive(state.moves, [{ x: 2, y: 2 }], 0), true);
  assert.deepEqual(state.z, { x: 2, y: 2 });
});

test("even a move to where the cursor is already makes an answer late", () => {
  const { state } = newState();
  const asked = state.moves;
  state.set(state.z);
  assert.equal(state.arrive(asked, [{ x: 2, y: 2 }], 0), false);
});

test("a listener that throws does not keep the others from hearing", () => {
  const { state } = newState();
  /** @type {unknown[]} */
  const reported = [];
  Object.assign(globalThis, { reportError: (/** @type {unknown} */ e) => reported.push(e) });
  let heard = 0;
  state.subscribe("position", () => {
    throw new Error("broken");
  });
  state.subscribe("position", () => {
    heard++;
  });
  state.set({ x: 1, y: 1 });
  assert.equal(heard, 1);
  assert.equal(reported.length, 1);
});

test("two clicks set A and B; cancelling leaves the question", async () => {
  const { state } = newState();
  const both = state.pick();
  assert.equal(state.picking, "A");
  state.mark({ x: 1, y: 2 });
  assert.equal(state.picking, "B");
  state.mark({ x: 9, y: -2 });
  assert.equal(await both, true);
  assert.deepEqual(state.marks, { A: { x: 1, y: 2 }, B: { x: 4, y: -2 } });
  const again = state.pick();
  state.cancelPick();
  assert.equal(await again, false);
  assert.equal(state.picking, null);
});

test("a link restores position, view, layers and points", () => {
  const { state } = newState();
  state.set({ x: 1, y: 2 });
  state.toggleLayer("points");
  state.view.show({ x: 1, y: 1 }, 1);
  state.marks.A = { x: 0.5, y: 0.5 };
  const { link } = state;
  const other = newState().state;
  other.restore(`#${link}`);
  assert.equal(other.link, link);
  other.restore("#layers=points");
  assert.deepEqual(other.z, { x: 0, y: 0 });
  assert.equal(other.view.zoom, 1);
  assert.equal(other.layers.points, true);
  assert.equal(other.marks.A, null);
});

test("of two readings that were begun, the newer one counts, and what is shown outdates both", () => {
  const { state } = newState();
  const first = state.beginReading();
  const second = state.beginReading();
  assert.deepEqual([first(), second()], [false, true]);
  state.showReading(null);
  assert.equal(second(), false);
});

test("an epoch has a view of its own; links, positions and the view come from the model's", () => {
  const { state } = newState();
  state.view.show({ x: 1, y: 1 }, 1);
  const { link, view } = state;
  /** @type {string[]} */
  const heard = [];
  for (const topic of /** @type {const} */ (["epoch", "view"])) {
    state.subscribe(topic, () => heard.push(topic));
  }
  const epoch = { view: new MapView(9), draw: () => {}, drawTop: () => {} };
  state.showEpoch(epoch);
  state.showEpoch(epoch);
  assert.deepEqual(heard.splice(0), ["epoch", "view", "epoch"]);
  assert.equal(state.view, epoch.view);
  assert.equal(state.link, link);
  state.set({ x: 8, y: -8 });
  assert.deepEqual(state.z, { x: 4, y: -4 }, "the model's map ends there");
  state.showEpoch(null);
  assert.deepEqual(heard, ["epoch", "view"]);
  assert.equal(state.view, view);
  assert.equal(view.half, 1);
});
