/** The lab: what it says of a run, and the parts of its snapshots. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../../web/lab/moments.js";
import { keepRun, mayStop } from "../../web/lab/own_run.js";
import { duration, figures, message } from "../../web/lab/texts.js";
import { between, epochTexts, momentAt, positionsAt } from "../../web/training/replay.js";

/** @param {number[]} epochs @param {number} first */
function part(epochs, first) {
  const values = epochs.map((_, i) => first + i);
  return {
    summary: "",
    epochs,
    xy: new Int16Array(values.flatMap((value) => [value, -value])),
    scale: 0.5,
    labels: new Uint8Array([3]),
    images: new Uint8Array(values),
    grid_side: 9,
    grid_reaches: values,
    reconstructed: [],
    curves: { recon: values, kl: values, beta: values },
  };
}

test("parts are put together in their order", () => {
  const first = joined(null, part([0, 0.25], 0), 4);
  const whole = joined(first, part([0.5, 1], 2), 4);
  assert.deepEqual(whole.epochs, [0, 0.25, 0.5, 1]);
  assert.deepEqual([...whole.xy], [0, 0, 1, -1, 2, -2, 3, -3]);
  assert.ok(whole.xy instanceof Int16Array);
  assert.deepEqual([...whole.images], [0, 1, 2, 3]);
  assert.deepEqual(whole.grid_reaches, [0, 1, 2, 3]);
  assert.deepEqual(whole.curves.kl, [0, 1, 2, 3]);
  assert.equal(whole.total, 4);
  assert.deepEqual(first.epochs, [0, 0.25], "what has been drawn does not change");
});

test("moments may be fractions of an epoch", () => {
  const replay = joined(null, part([0, 0.125, 0.5, 1, 2], 0), 12);
  assert.deepEqual(
    [0, 0.1, 0.125, 0.7, 1, 1.9, 2, 9].map((epoch) => momentAt(replay, epoch)),
    [0, 0, 1, 2, 3, 3, 4, 4],
  );
  assert.deepEqual(between(replay, 0.75), { from: 2, to: 3, t: 0.5 });
  assert.deepEqual([...positionsAt(replay, 0.75)], [1.25, -1.25]);
  assert.deepEqual(epochTexts(replay, 1), { epoch: "0.13", last: "12" });
  assert.deepEqual(epochTexts(replay, 4), { epoch: "2", last: "12" });
  const { total, ...finished } = replay;
  assert.equal(total, 12);
  assert.deepEqual(epochTexts(finished, 3), { epoch: "1", last: "2" });
});

/** @type {import("../../web/lab/client.js").Run} */
const RUN = {
  ...{ name: "a", title: "A", state: "running", message: "", log: [], command: "" },
  ...{ can_resume: false, finished: false, starts: 1, latent_dim: 2, class_names: [], items: "" },
  ...{ at: 2.5, epochs: 10, rate: 6120, left: 42, images: 6000, moments: 9, saved: 2 },
};

test("a run says how far it is, how fast, and how long it takes", () => {
  assert.equal(figures(RUN), "2.5 of 10 epochs · 6,120 images/s · 42 s left");
  assert.equal(figures({ ...RUN, left: null, rate: 0 }), "2.5 of 10 epochs");
  assert.equal(figures({ ...RUN, state: "stopped" }), "2.5 of 10 epochs, 9 snapshots");
  assert.equal(figures({ ...RUN, epochs: 0 }), "Starting: reading the data…");
  const log = ["$ python", "Downloading https://one.example/a.gz", "Downloading https://b.gz"];
  assert.equal(figures({ ...RUN, epochs: 0, log }), "Downloading b.gz…");
  assert.equal(figures({ ...RUN, epochs: 0, state: "failed" }), "");
  assert.equal(message(RUN), "Training…");
  assert.equal(message({ ...RUN, message: "Stopped." }), "Stopped.");
});

test("durations are short", () => {
  assert.deepEqual([0.2, 89, 120, 9000].map(duration), ["1 s", "89 s", "2 min", "2.5 h"]);
});

test("a run is stopped by who has started it, or on the server's machine", () => {
  const status = { message: "", may_stop: false, run: RUN, runs: [] };
  assert.ok(!mayStop(status));
  assert.ok(mayStop({ ...status, may_stop: true }));
  keepRun("b", "secret"); // node keeps nothing, as some browsers
  assert.ok(!mayStop(status));
  keepRun(RUN.name, "secret");
  assert.ok(mayStop(status));
});
