import assert from "node:assert/strict";
import test from "node:test";
import { drawSheet } from "../../web/core/image_sheet.js";

/** A decoder whose images have one grey level, 10 x + y, but for the first pixel. */
const plain = {
  latentDim: 2,
  /** @param {ArrayLike<number>} z @param {Uint8ClampedArray} out */
  pixels(z, out) {
    out.fill(10 * z[0] + z[1]);
    out[0] = 255;
  },
};

/** @param {number} ink */
function finished(ink) {
  const rows = drawSheet(plain, { xs: Float64Array.of(1, 2, 3), ys: Float64Array.of(7, 5), ink });
  const done = [];
  let step = rows.next();
  while (!step.done) {
    done.push(step.value);
    step = rows.next();
  }
  return { done, sheet: step.value };
}

test("a sheet has one image for each position, row by row", () => {
  const { done, sheet } = finished(0);
  assert.deepEqual(done, [1, 2]);
  assert.equal(sheet.length, 4 * 84 * 56);
  for (const [row, y] of [7, 5].entries()) {
    for (const [column, x] of [1, 2, 3].entries()) {
      const first = row * 28 * 84 + column * 28;
      assert.equal(sheet[4 * first + 3], 255, "the first pixel of the image");
      for (const at of [first + 1, first + 27, first + 84, first + 27 * 84 + 27]) {
        assert.equal(sheet[4 * at + 3], 10 * x + y);
      }
    }
  }
});

test("strokes have the grey level of the ink", () => {
  for (const ink of [0, 255]) {
    const { sheet } = finished(ink);
    assert.deepEqual([...sheet.slice(4, 8)], [ink, ink, ink, 17]);
  }
});
