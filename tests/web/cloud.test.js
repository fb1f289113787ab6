import assert from "node:assert/strict";
import test from "node:test";
import { MapView } from "../../web/core/view.js";
import { cloudOf, isHidden, partToSee } from "../../web/map/cloud.js";

/** @param {number[]} mu @param {number[]} sigma */
const readingOf = (mu, sigma) =>
  /** @type {import("../../web/core/reading.js").Reading} */ ({ title: "", mu, sigma });

function newView() {
  const view = new MapView(4);
  view.side = 800;
  return view;
}

test("a small cloud is zoomed to where it is, a large one is not", () => {
  const view = newView();
  const reading = readingOf([1, 0.5], [0.05, 0.03]);
  const before = view.toPixels({ x: 1, y: 0.5 });
  const part = partToSee(view, reading);
  assert.ok(part);
  view.show(part.centre, part.half);
  const cloud = cloudOf(reading, view);
  assert.ok(cloud && Math.abs(cloud.rx - 40) < 1e-6);
  assert.ok(Math.hypot(cloud.px - before.px, cloud.py - before.py) < 1e-6);
  assert.equal(partToSee(view, reading), null, "never twice");
  assert.equal(partToSee(newView(), readingOf([0, 0], [0.2, 0.1])), null);
  assert.equal(partToSee(newView(), null), null);
});

test("a cloud at the edge of the view, or outside it, comes into it", () => {
  for (const x of [-0.99, 2.5]) {
    const view = newView();
    view.show({ x: 0, y: 0 }, 1);
    const reading = readingOf([x, 0], [0.01, 0.01]);
    const part = partToSee(view, reading);
    assert.ok(part);
    view.show(part.centre, part.half);
    const { px } = view.toPixels({ x, y: 0 });
    assert.ok(px >= 79 && px <= 721, `${px}`);
  }
});

test("the crosshair hides a small cloud that it stands on", () => {
  const cloud = { px: 100, py: 100, rx: 8, ry: 6 };
  assert.ok(isHidden(cloud, { px: 110, py: 100 }));
  assert.ok(!isHidden(cloud, { px: 150, py: 100 }));
  assert.ok(!isHidden({ ...cloud, rx: 40 }, { px: 100, py: 100 }));
  assert.ok(!isHidden(null, { px: 100, py: 100 }));
});
