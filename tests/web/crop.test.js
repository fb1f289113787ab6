import assert from "node:assert/strict";
import test from "node:test";
import {
  contained,
  dragged,
  framed,
  gripAt,
  isMeant,
  moved,
  pressed,
  WHOLE,
} from "../../web/draw/crop.js";

/** @typedef {import("../../web/draw/crop.js").Crop} Crop */

/** @type {Crop} */
const crop = [0.25, 0.5, 0.75, 1];
const reach = { x: 0.05, y: 0.05 };

/** @param {readonly number[] | null} found @param {readonly number[]} expected */
function assertClose(found, expected) {
  assert.equal(found?.length, expected.length);
  for (const [i, v] of expected.entries()) {
    assert.ok(Math.abs((found?.[i] ?? Number.NaN) - v) < 1e-12, `${found} is not ${expected}`);
  }
}

test("an image lies in the middle of its square", () => {
  assert.deepEqual(contained(400, 100), { left: 0, top: 0.375, width: 1, height: 0.25 });
  assert.deepEqual(contained(100, 200), { left: 0.25, top: 0, width: 0.5, height: 1 });
  assert.deepEqual(contained(7, 7), { left: 0, top: 0, width: 1, height: 1 });
});

test("corners, the inside and the outside of a frame are told apart", () => {
  assert.deepEqual(gripAt(crop, { x: 0.23, y: 0.52 }, reach), [0, 1]);
  assert.deepEqual(gripAt(crop, { x: 0.78, y: 0.98 }, reach), [2, 3]);
  assert.equal(gripAt(crop, { x: 0.5, y: 0.52 }, reach), "move");
  assert.equal(gripAt(crop, { x: 0.5, y: 0.48 }, reach), null);
  assert.equal(gripAt(crop, { x: 0.1, y: 0.7 }, reach), null);
});

test("a frame keeps its size where it meets the edge of the image", () => {
  assertClose(moved(crop, 0.1, -0.1), [0.35, 0.4, 0.85, 0.9]);
  assertClose(moved(crop, 0.9, 0.9), [0.5, 0.5, 1, 1]);
  assertClose(moved(crop, -0.9, -0.9), [0, 0, 0.5, 0.5]);
});

test("a pointer moves the frame, a corner of it, or draws a new one", () => {
  const start = { x: 0.5, y: 0.7 };
  assertClose(dragged(crop, "move", start, { x: 0.6, y: 0.6 }), [0.35, 0.4, 0.85, 0.9]);
  assertClose(dragged(crop, [0, 1], start, { x: 0.1, y: 0.2 }), [0.1, 0.2, 0.75, 1]);
  assertClose(dragged(crop, [2, 1], start, { x: 0.1, y: 0.2 }), [0.1, 0.2, 0.25, 1]);
  assertClose(dragged(crop, null, start, { x: 0.4, y: 0.9 }), [0.4, 0.7, 0.5, 0.9]);
});

test("arrow keys move a frame, with Shift its right and bottom sides", () => {
  assertClose(pressed(crop, "ArrowLeft", false), [0.23, 0.5, 0.73, 1]);
  assertClose(pressed(crop, "ArrowDown", false), crop);
  assertClose(pressed(crop, "ArrowLeft", true), [0.25, 0.5, 0.73, 1]);
  assertClose(pressed(crop, "ArrowUp", true), [0.25, 0.5, 0.75, 0.98]);
  assertClose(pressed(WHOLE, "ArrowRight", true), WHOLE);
  assertClose(pressed([0.5, 0.5, 0.52, 0.52], "ArrowLeft", true), [0.5, 0.5, 0.52, 0.52]);
  assert.equal(pressed(crop, "a", false), null);
});

test("a frame around ink has a margin and stays on the image", () => {
  assertClose(framed(crop), [0.22, 0.47, 0.78, 1]);
});

test("a frame without area was not meant", () => {
  assert.ok(isMeant(crop));
  assert.ok(!isMeant([0.5, 0, 0.51, 1]));
  assert.ok(!isMeant([0, 0.5, 1, 0.5]));
});
