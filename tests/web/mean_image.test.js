import assert from "node:assert/strict";
import test from "node:test";
import { PIXELS } from "../../web/core/decoder.js";
import { describeBlur, MeanImage, meanDifference } from "../../web/core/mean_image.js";

const info = { item: "digit", items: "digits" };
/** @param {number} level */
const image = (level) => new Uint8ClampedArray(PIXELS).fill(level);

test("the mean is that of all images that were added", () => {
  const [mean, out] = [new MeanImage(), image(7)];
  mean.write(out);
  assert.deepEqual(out, image(0));
  for (const [i, [level, expected]] of [
    [30, 30],
    [90, 60],
    [180, 100],
  ].entries()) {
    mean.add(image(level));
    mean.write(out);
    assert.equal(mean.count, i + 1);
    assert.deepEqual(out, image(expected));
  }
  mean.clear();
  mean.add(image(9));
  mean.write(out);
  assert.deepEqual(out, image(9));
});

test("differences do not cancel", () => {
  assert.equal(meanDifference([0, 100, 50], [30, 70, 50]), 20);
});

test("the sentence states how many images there are, and within what radius", () => {
  const many = describeBlur({ count: 24, within: 78, radius: 0.0512 }, 6.4, info);
  assert.match(many, /^The 24 nearest test digits, all encoded within 0\.052 of the cursor\./);
  const all = describeBlur({ count: 9, within: 9, radius: 0.09 }, 6.4, info);
  assert.match(all, /^All 9 test digits encoded within 0\.1 of the cursor/);
  assert.match(all, /by 6 of 255 grey levels/);
  const none = describeBlur({ count: 0, within: 0, radius: 0.834 }, 0, info);
  assert.match(none, /^No test digit was encoded within 0\.1 .* extrapolates\./);
  assert.match(none, /The nearest test digit is 0\.83 away\.$/);
  assert.match(
    describeBlur({ count: 1, within: 1, radius: 0.02 }, 30, info),
    /^One test digit was/,
  );
  assert.doesNotMatch(describeBlur({ count: 3, within: 3, radius: 0.02 }, 30, info), /about their/);
});
