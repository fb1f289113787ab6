import assert from "node:assert/strict";
import test from "node:test";
import { imageNames } from "../../web/core/image_columns.js";
import { MapView } from "../../web/core/view.js";
import { opacityOf } from "../../web/map/layers/posterior_width.js";
import { describeClouds, describeDetails, figureRows } from "../../web/training/beta_texts.js";
import { ellipses } from "../../web/training/clouds.js";

const INFO = { item: "digit", items: "digits" };
const MODELS = [
  {
    label: "beta 4",
    beta: 4,
    recon: 130.44,
    kl: 5.288,
    recon_at_mean: 126.7,
    near: 0.9667,
    width: 0.0688,
    covered: 47,
  },
  {
    label: "beta 0.1",
    beta: 0.1,
    recon: 125.88,
    kl: 11.203,
    recon_at_mean: 125.77,
    near: 0.839,
    width: 0.0069,
    covered: 0,
  },
];
const COMPARISON = /** @type {import("../../web/training/beta_texts.js").Comparison} */ (
  /** @type {unknown} */ ({ models: MODELS, samples: 10000, radius: 0.1, reach: 2 })
);

test("the table has the figures of both models, with what they count", () => {
  const rows = figureRows(COMPARISON, INFO);
  assert.deepEqual(
    rows.map(({ values }) => values),
    [
      ["130.4", "125.9"],
      ["5.29", "11.20"],
      ["97 %", "84 %"],
      ["0.069", "0.007"],
      ["47", "0"],
    ],
  );
  assert.equal(rows[2].title, "Prior samples within 0.1 of a test digit (of 10,000)");
});

test("the texts name the figures of each model", () => {
  assert.match(
    describeClouds(COMPARISON, INFO),
    /covers 47 other test digits with beta 4, and 0 with beta 0\.1\./,
  );
  assert.match(
    describeDetails(COMPARISON, INFO),
    /126\.7 nats with beta 4 and 125\.8 with beta 0\.1/,
  );
});

test("clouds are true to scale, and never too small to see", () => {
  const view = new MapView(4);
  view.side = 800; // 100 pixels a sigma
  const clouds = Float32Array.of(0, 0, 0.25, 0.5, 1, -1, 0.001, 0.5);
  assert.deepEqual(ellipses(clouds, view, 2), [
    { px: 400, py: 400, rx: 50, ry: 100 },
    { px: 500, py: 500, rx: 0.8, ry: 100 },
  ]);
});

test("the wider the posterior, the denser the layer; nothing where none is known", () => {
  assert.equal(opacityOf(0), 0);
  const opacities = [1, 64, 128, 255].map(opacityOf);
  assert.deepEqual(
    opacities,
    [...opacities].sort((a, b) => a - b),
  );
  assert.ok(opacities[0] > 0 && opacities[3] <= 255);
});

test("test images are named by number and class", () => {
  assert.deepEqual(imageNames([2, 0], Uint8Array.of(1, 0, 0), ["no", "yes"], "image"), [
    "test image 2, labelled no",
    "test image 0, labelled yes",
  ]);
});
