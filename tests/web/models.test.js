import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, modelIn } from "../../web/models/address.js";
import { nearestToward } from "../../web/models/toward.js";

test("the model in an address keeps the rest of the query, and drops the position", () => {
  const page = "https://host/sub/?__theme=dark#x=1&y=2";
  const other = addressOf(page, "vae_low_beta");
  assert.equal(other, "https://host/sub/?__theme=dark&model=vae_low_beta");
  assert.equal(modelIn(other), "vae_low_beta");
  assert.equal(addressOf(other, null), "https://host/sub/?__theme=dark");
  assert.equal(modelIn(page), null);
  assert.equal(modelIn("https://host/?model="), null);
});

test("an arrow key goes to the nearest point within 45 degrees of its direction", () => {
  const points = [0, 0, 1, 0.2, 3, 0, 0.5, 0.6, -2, 1, 0, -1];
  assert.equal(nearestToward(points, 0, [1, 0]), 1);
  assert.equal(nearestToward(points, 0, [0, 1]), 3);
  assert.equal(nearestToward(points, 0, [-1, 0]), 4);
  assert.equal(nearestToward(points, 0, [0, -1]), 5);
  assert.equal(nearestToward(points, 2, [1, 0]), -1);
  assert.equal(nearestToward(points, -1, [1, 0]), 0, "first the one nearest to the middle");
});
