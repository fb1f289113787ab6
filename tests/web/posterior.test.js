import assert from "node:assert/strict";
import test from "node:test";
import { Plane } from "../../web/core/plane.js";
import {
  dragged,
  drawFrom,
  drawNoise,
  edgesOf,
  gripAt,
  halfAround,
  klOf,
  noiseOf,
  outlineOf,
  posteriorOf,
  pressed,
  sampleAt,
} from "../../web/core/posterior.js";

const posterior = { mu: { x: 1, y: -0.5 }, sigma: { x: 0.05, y: 0.1 } };
const part = { centre: { x: 1, y: -0.5 }, half: 0.5 };

/** A generator of numbers in [0, 1) that repeats itself (Park and Miller 1988). */
function seeded() {
  let seed = 7;
  return () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
}

/** @param {number} a @param {number} b */
const near = (a, b, tolerance = 1e-12) => assert.ok(Math.abs(a - b) < tolerance, `${a}, not ${b}`);

test("the KL divergence is that of the loss, and 0 for the prior", () => {
  assert.equal(klOf({ mu: { x: 0, y: 0 }, sigma: { x: 1, y: 1 } }), 0);
  const expected =
    0.5 * (1 + 0.05 ** 2 - Math.log(0.05 ** 2) - 1) + 0.5 * (0.25 + 0.01 - Math.log(0.01) - 1);
  near(klOf(posterior), expected);
  const wider = { ...posterior, sigma: { x: 0.1, y: 0.2 } };
  assert.ok(klOf(wider) < klOf(posterior), "a wider cloud costs less");
});

test("samples are mu + sigma eps and keep their eps", () => {
  const eps = { x: 2, y: -1 };
  const z = sampleAt(posterior, eps);
  near(z.x, 1.1);
  near(z.y, -0.6);
  near(noiseOf(posterior, z).x, 2);
  near(noiseOf(posterior, z).y, -1);
});

test("noise is drawn from N(0, I)", () => {
  const random = seeded();
  const draws = Array.from({ length: 20_000 }, () => drawNoise(random));
  const mean = (/** @type {(e: { x: number, y: number }) => number} */ of) =>
    draws.reduce((sum, eps) => sum + of(eps), 0) / draws.length;
  near(
    mean(({ x }) => x),
    0,
    0.03,
  );
  near(
    mean(({ y }) => y),
    0,
    0.03,
  );
  near(
    mean(({ x }) => x * x),
    1,
    0.05,
  );
  near(
    mean(({ y }) => y * y),
    1,
    0.05,
  );
  near(
    mean(({ x, y }) => x * y),
    0,
    0.03,
  );
});

test("the part of the map has room for the posterior", () => {
  assert.equal(halfAround(posterior), 0.5);
  assert.equal(halfAround({ ...posterior, sigma: { x: 0.01, y: 0.02 } }), 0.125);
  assert.equal(halfAround({ ...posterior, sigma: { x: 9, y: 9 } }), 2);
});

test("a press takes hold of the nearest edge, else of the mean", () => {
  const grip = (/** @type {number} */ x, /** @type {number} */ y) =>
    gripAt(posterior, { x: 1 + x, y: -0.5 + y }, 0.06);
  assert.equal(grip(0, 0), "mu");
  assert.equal(grip(0.1, 0), "x");
  assert.equal(grip(-0.11, 0.01), "x");
  assert.equal(grip(0, 0.2), "y");
  assert.equal(grip(0.02, 0), "mu", "the mean is nearer");
  assert.equal(grip(0.4, 0.4), "mu", "far from both");
});

test("the mean moves as far as the pointer, and an edge at 2 sigma follows it", () => {
  const start = { x: 1.1, y: -0.5 };
  const now = { x: 1.2, y: -0.4 };
  const moved = dragged(posterior, "mu", start, now, part);
  near(moved.mu.x, 1.1);
  near(moved.mu.y, -0.4);
  assert.deepEqual(moved.sigma, posterior.sigma);
  const wider = dragged(posterior, "x", start, now, part);
  near(wider.sigma.x, 0.1);
  assert.equal(wider.sigma.y, posterior.sigma.y);
  const mirrored = dragged(posterior, "x", { x: 0.9, y: -0.5 }, { x: 0.8, y: -0.5 }, part);
  near(mirrored.sigma.x, 0.1);
});

test("what is dragged stays in its part of the map and never vanishes", () => {
  const far = dragged(posterior, "mu", { x: 1, y: 0 }, { x: 9, y: -9 }, part);
  assert.deepEqual(far.mu, { x: 1.5, y: -1 });
  const point = dragged(posterior, "y", { x: 1, y: -0.3 }, { x: 1, y: -0.5 }, part);
  assert.equal(point.sigma.y, 0.01);
  const wide = dragged(posterior, "y", { x: 1, y: -0.3 }, { x: 1, y: 9 }, part);
  assert.equal(wide.sigma.y, 0.25);
});

test("arrow keys move the mean, with Shift they change the sigmas", () => {
  near(pressed(posterior, "ArrowLeft", false, part)?.mu.x ?? 0, 0.98);
  near(pressed(posterior, "ArrowUp", false, part)?.mu.y ?? 0, -0.48);
  near(pressed(posterior, "ArrowRight", true, part)?.sigma.x ?? 0, 0.06);
  near(pressed(posterior, "ArrowDown", true, part)?.sigma.y ?? 0, 0.09);
  assert.equal(pressed(posterior, "Enter", false, part), null);
});

// A plane across three dimensions, and a posterior of independent ones.
const tilted = new Plane({
  origin: [0, 0, 0],
  axes: [
    [0.6, 0.8, 0],
    [-0.8 * 0.6, 0.6 * 0.6, 0.8],
  ],
});
const reading = { mu: [0.5, -1, 0.25], sigma: [0.1, 0.4, 0.8] };

test("above two dimensions the posterior is what it casts on the plane", () => {
  const cast = posteriorOf(reading, tilted);
  const random = seeded();
  const noise = Array.from({ length: 20_000 }, () => noiseOf(cast, at(drawFrom(reading, random))));
  const mean = (/** @type {(eps: typeof noise[0]) => number} */ of) =>
    noise.reduce((sum, eps) => sum + of(eps), 0) / noise.length;
  near(
    mean(({ x }) => x * x),
    1,
    0.05,
  );
  near(
    mean(({ y }) => y * y),
    1,
    0.05,
  );
  near(
    mean(({ x, y }) => x * y),
    cast.rho ?? 0,
    0.05,
  );
  const { rx, ry, turn } = outlineOf(cast);
  const expected = tilted.ellipse(reading.sigma);
  near(rx, expected.rx, 1e-9);
  near(ry, expected.ry, 1e-9);
  near(turn, expected.turn, 1e-9);
});

test("a sample keeps what lies off the plane, whatever is dragged", () => {
  const cast = posteriorOf(reading, tilted);
  const z = drawFrom(reading, () => 0.3);
  const back = tilted.coordinates(sampleAt(cast, noiseOf(cast, at(z))));
  for (const [i, v] of z.entries()) near(back[i], v, 1e-9);
  const part = { centre: cast.mu, half: 2 };
  const moved = dragged(cast, "mu", { x: 0, y: 0 }, { x: 0.2, y: 0.1 }, part);
  const shifted = sampleAt(moved, noiseOf(cast, at(z)));
  near(shifted.x - at(z).x, 0.2, 1e-9);
  assert.deepEqual(moved.mu.off, cast.mu.off);
  assert.equal(dragged(cast, "x", cast.mu, { x: 1, y: 0 }, part).rho, cast.rho);
});

test("an edge of a slanted ellipse is taken hold of where it is", () => {
  const cast = posteriorOf(reading, tilted);
  const { mu, sigma, rho = 0 } = cast;
  assert.ok(Math.abs(rho) > 0.1);
  for (const sign of [1, -1]) {
    const edge = { x: mu.x + sign * 2 * sigma.x, y: mu.y + sign * 2 * rho * sigma.y };
    assert.equal(gripAt(cast, edge, 0.01), "x");
  }
  const { x } = edgesOf(cast);
  const [dx, dy] = [x.x / sigma.x, x.y / sigma.y]; // on the ellipse of 2 sigma
  near((dx * dx - 2 * rho * dx * dy + dy * dy) / (1 - rho * rho), 4, 1e-9);
});

test("moving and scaling a cloud changes its KL by what the formula of two axes says", () => {
  const cast = posteriorOf(reading, tilted);
  const changed = { ...cast, mu: { ...cast.mu, x: 1, y: -2 }, sigma: { x: 0.3, y: 0.9 } };
  const scale = [0.3 / cast.sigma.x, 0.9 / cast.sigma.y];
  // KL of N(m, M S M^T) from N(0, I), with M the scaling along the axes of the plane.
  const m = tilted.coordinates(changed.mu);
  const { axes } = tilted.record;
  const M = [0, 1, 2].map((i) =>
    [0, 1, 2].map(
      (j) =>
        (i === j ? 1 : 0) +
        axes.reduce((sum, axis, k) => sum + (scale[k] - 1) * axis[i] * axis[j], 0),
    ),
  );
  const trace = M.flat().reduce((sum, v, n) => sum + (v * reading.sigma[n % 3]) ** 2, 0);
  const logdet =
    2 * Math.log(scale[0] * scale[1]) + reading.sigma.reduce((a, s) => a + 2 * Math.log(s), 0);
  const kl = (trace + m.reduce((sum, v) => sum + v * v, 0) - 3 - logdet) / 2;
  const encoded = reading.mu.reduce(
    (sum, v, i) => sum + (v * v + reading.sigma[i] ** 2 - 1) / 2 - Math.log(reading.sigma[i]),
    0,
  );
  near(encoded + klOf(changed) - klOf(cast), kl, 1e-9);
});

/** @param {number[]} z */
function at(z) {
  return tilted.position(z);
}
