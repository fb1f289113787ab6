import assert from "node:assert/strict";
import test from "node:test";
import { MapView, partBetween } from "../../web/core/view.js";

function newView() {
  const view = new MapView(4);
  view.side = 400;
  return view;
}

test("pixels and positions are each other's inverse, with y pointing up", () => {
  const view = newView();
  assert.deepEqual(view.toPixels({ x: 0, y: 4 }), { px: 200, py: 0 });
  view.show({ x: 1, y: -1 }, 0.5);
  const { px, py } = view.toPixels({ x: 1.2, y: -0.7 });
  const { x, y } = view.toLatent({ px, py });
  assert.ok(Math.hypot(x - 1.2, y + 0.7) < 1e-12);
});

test("zooming keeps what is under the pointer, within the limits", () => {
  const view = newView();
  const pixel = { px: 300, py: 100 };
  const before = view.toLatent(pixel);
  view.zoomAt(pixel, 3);
  const after = view.toLatent(pixel);
  assert.ok(Math.hypot(after.x - before.x, after.y - before.y) < 1e-12);
  view.zoomAt(pixel, 1e6);
  assert.equal(view.zoom, 64);
  view.zoomAt(pixel, 1e-6);
  assert.equal(view.zoom, 1);
  assert.equal(Math.hypot(view.centre.x, view.centre.y), 0);
});

test("the view follows a position that leaves it, and never passes the edge", () => {
  const view = newView();
  view.show({ x: 0, y: 0 }, 1);
  assert.equal(view.follow({ x: 0.5, y: 0.5 }), false);
  assert.equal(view.follow({ x: 3.9, y: 0 }), true);
  assert.equal(view.centre.x, 3);
});

test("ticks are round", () => {
  const view = newView();
  assert.equal(view.step, 2);
  view.show({ x: 0, y: 0 }, 0.5);
  assert.ok(Math.abs(view.step - 0.2) < 1e-12);
});

test("between two parts of the map one position keeps its pixel", () => {
  const from = { centre: { x: 0, y: 0 }, half: 4 };
  const to = { centre: { x: 1.5, y: -0.5 }, half: 1 };
  const fixed = { x: 2, y: -2 / 3 }; // where both parts have the same pixel
  const pixelIn = (/** @type {typeof from} */ { centre, half }) => {
    const view = newView();
    view.show(centre, half);
    return view.toPixels(fixed);
  };
  const expected = pixelIn(from);
  for (const t of [0.2, 0.5, 0.8, 1]) {
    const { px, py } = pixelIn(partBetween(from, to, t));
    assert.ok(Math.hypot(px - expected.px, py - expected.py) < 1e-9, `${t}`);
  }
  assert.deepEqual(partBetween(from, to, 0), from);
  assert.deepEqual(partBetween(from, { ...from, centre: { x: 2, y: 0 } }, 0.5).centre, {
    x: 1,
    y: 0,
  });
});
