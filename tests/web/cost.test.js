import assert from "node:assert/strict";
import test from "node:test";
import { difference, floorOf, reconOf } from "../../web/core/cost.js";

const levels = [0, 64, 128, 255];
/** @param {number} level */
const logitOf = (level) => Math.log(level / (255 - level));

test("the error is the sum of -x log x_hat - (1 - x) log(1 - x_hat)", () => {
  const logits = [-3, 0.5, 2, -1];
  const expected = levels.reduce((sum, level, i) => {
    const [x, decoded] = [level / 255, 1 / (1 + Math.exp(-logits[i]))];
    return sum - x * Math.log(decoded) - (1 - x) * Math.log(1 - decoded);
  }, 0);
  assert.ok(Math.abs(reconOf(levels, logits) - expected) < 1e-9);
  assert.ok(Math.abs(reconOf([255, 0], [-800, 800]) - 1600) < 1e-9, "no overflow");
});

test("a perfect copy costs the floor and every other image more", () => {
  const copy = [-40, logitOf(64), logitOf(128), 40];
  const floor = floorOf(levels);
  assert.ok(Math.abs(reconOf(levels, copy) - floor) < 1e-9);
  for (const i of copy.keys()) {
    for (const step of [-0.5, 0.5]) {
      const other = copy.map((l, k) => (k === i ? l * 0.5 + step : l));
      assert.ok(reconOf(levels, other) > floor);
    }
  }
  assert.equal(floorOf([0, 255]), 0, "black and white pixels are certain");
});

test("lost ink is light and added ink dark, whichever ink the images have", () => {
  const out = new Uint8ClampedArray(3);
  difference([255, 100, 0], [0, 100, 255], true, out);
  assert.deepEqual([...out], [255, 128, 0]);
  difference([255, 100, 0], [0, 100, 255], false, out);
  assert.deepEqual([...out], [0, 128, 255]);
});
