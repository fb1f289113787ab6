/**
 * The posterior q(z|x) of an image: a normal distribution with a mean and a sigma for each axis of
 * the map. Above two dimensions it is what the posterior casts on the plane, where the axes may be
 * correlated; what lies off the plane stays as the encoder has it.
 */

import { ellipseOf, WHOLE } from "./plane.js";

/** @typedef {import("./view.js").Position} Position */
/** @typedef {{ mu: Position, sigma: Position, rho?: number }} Posterior in units of the prior's sigma; rho: the correlation of x and y, without one 0 */
/** @typedef {"mu" | "x" | "y"} Grip what a press takes hold of: the mean, or an edge */

const HALVES = [0.125, 0.25, 0.5, 1, 2]; // of the part of the map around a posterior
const ROOM = 4; // larger sigmas from the mean to the edge of that part
const STEP = 25; // of its half, for an arrow key
const SMALLEST = 50; // of its half, for a sigma

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @param {number} v @param {number} low @param {number} high */
const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

/**
 * @param {Pick<import("./reading.js").Reading, "mu" | "sigma">} reading
 * @param {import("./plane.js").Plane} plane
 * @returns {Posterior}
 */
export function posteriorOf({ mu, sigma }, plane = WHOLE) {
  if (plane.isWhole) return { mu: { x: mu[0], y: mu[1] }, sigma: { x: sigma[0], y: sigma[1] } };
  const { a, b, c } = plane.spread(sigma);
  const size = { x: Math.sqrt(a), y: Math.sqrt(c) };
  return { mu: plane.position(mu), sigma: size, rho: b / (size.x * size.y) };
}

/** The ellipse of one sigma: its radii and the direction of the first. @param {Posterior} posterior */
export function outlineOf({ sigma: { x, y }, rho }) {
  if (!rho) return { rx: x, ry: y, turn: 0 };
  return ellipseOf({ a: x * x, b: rho * x * y, c: y * y });
}

/**
 * From the mean to where the ellipse of 2 sigma reaches farthest along each axis.
 *
 * @param {Posterior} posterior @returns {Record<"x" | "y", Position>}
 */
export function edgesOf({ sigma, rho = 0 }) {
  return {
    x: { x: 2 * sigma.x, y: 2 * rho * sigma.y },
    y: { x: 2 * rho * sigma.x, y: 2 * sigma.y },
  };
}

/**
 * KL(q(z|x) || N(0, I)) in two dimensions. Above them a posterior that is moved, or scaled along the
 * axes of the map, changes its KL by as much as this.
 *
 * @param {Posterior} posterior
 * @returns {number} nats
 */
export function klOf({ mu, sigma }) {
  const ofAxis = (/** @type {number} */ m, /** @type {number} */ s) =>
    (m * m + s * s - 1) / 2 - Math.log(s);
  return ofAxis(mu.x, sigma.x) + ofAxis(mu.y, sigma.y);
}

/**
 * z = mu + sigma * eps; off the plane, eps is what leads from mu to z.
 *
 * @param {Posterior} posterior @param {Position} eps @returns {Position}
 */
export function sampleAt({ mu, sigma }, eps) {
  const z = { x: mu.x + sigma.x * eps.x, y: mu.y + sigma.y * eps.y };
  const off = sum(mu.off, eps.off, 1);
  return off ? { ...z, off } : z;
}

/** The eps of a sample. @param {Posterior} posterior @param {Position} z @returns {Position} */
export function noiseOf({ mu, sigma }, z) {
  const eps = { x: (z.x - mu.x) / sigma.x, y: (z.y - mu.y) / sigma.y };
  const off = sum(z.off, mu.off, -1);
  return off ? { ...eps, off } : eps;
}

/** a + sign * b, where both are nothing: nothing. @param {Position["off"]} a @param {Position["off"]} b @param {1 | -1} sign */
function sum(a, b, sign) {
  if (!b) return a;
  return b.map((v, i) => (a?.[i] ?? 0) + sign * v);
}

/**
 * A draw from the posterior of a reading, D numbers.
 *
 * @param {Pick<import("./reading.js").Reading, "mu" | "sigma">} reading
 * @param {() => number} random uniform in [0, 1)
 */
export function drawFrom({ mu, sigma }, random = Math.random) {
  return mu.map((m, i) => m + sigma[i] * drawNoise(random).x);
}

/**
 * A draw from N(0, I) (Box and Muller 1958).
 *
 * @param {() => number} random uniform in [0, 1)
 * @returns {Position}
 */
export function drawNoise(random = Math.random) {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  const angle = 2 * Math.PI * random();
  return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
}

/** Half the side of the part of the map around a posterior. @param {Posterior} posterior */
export function halfAround({ sigma }) {
  const needed = ROOM * Math.max(sigma.x, sigma.y);
  return HALVES.find((half) => half >= needed) ?? HALVES[HALVES.length - 1];
}

/** @typedef {{ centre: Position, half: number }} Part of the map, that a mean stays in */

/** @param {Posterior} posterior @param {number} dx @param {number} dy @param {Part} part */
function moved(posterior, dx, dy, { centre, half }) {
  const { mu } = posterior;
  const inside = (/** @type {number} */ v, /** @type {number} */ c) => clamp(v, c - half, c + half);
  const [x, y] = [inside(mu.x + dx, centre.x), inside(mu.y + dy, centre.y)];
  return { ...posterior, mu: { ...mu, x, y } };
}

/**
 * Still large enough to be taken hold of, and in the part of the map.
 *
 * @param {Posterior} posterior @param {"x" | "y"} axis @param {number} growth @param {Part} part
 */
function resized(posterior, axis, growth, { half }) {
  const { sigma } = posterior;
  const size = clamp(sigma[axis] + growth, half / SMALLEST, half / 2);
  return { ...posterior, sigma: { ...sigma, [axis]: size } };
}

/**
 * What a press at z takes hold of: the nearest of the edges at 2 sigma if it is within reach and
 * nearer than the mean, else the mean.
 *
 * @param {Posterior} posterior @param {Position} z @param {number} reach
 * @returns {Grip}
 */
export function gripAt(posterior, z, reach) {
  const { mu } = posterior;
  const [dx, dy] = [z.x - mu.x, z.y - mu.y];
  const away = Math.hypot(dx, dy);
  const [x, y] = Object.values(edgesOf(posterior)).map((edge) =>
    Math.min(Math.hypot(dx - edge.x, dy - edge.y), Math.hypot(dx + edge.x, dy + edge.y)),
  );
  if (Math.min(x, y) > reach || Math.min(x, y) >= away) return "mu";
  return x <= y ? "x" : "y";
}

/**
 * The posterior while a pointer that went down at `start` is at `now`: the mean moves as far as the
 * pointer does, an edge at 2 sigma follows it.
 *
 * @param {Posterior} posterior as it was @param {Grip} grip @param {Position} start @param {Position} now
 * @param {Part} part
 * @returns {Posterior}
 */
export function dragged(posterior, grip, start, now, part) {
  if (grip === "mu") return moved(posterior, now.x - start.x, now.y - start.y, part);
  const from = posterior.mu[grip];
  const growth = Math.abs(now[grip] - from) - Math.abs(start[grip] - from);
  return resized(posterior, grip, growth / 2, part);
}

/**
 * The posterior after a key: arrows move the mean, with Shift they change the sigmas; null for other
 * keys.
 *
 * @param {Posterior} posterior @param {string} key @param {boolean} shift
 * @param {Part} part
 * @returns {Posterior | null}
 */
export function pressed(posterior, key, shift, part) {
  const arrow = ARROWS[key];
  if (!arrow) return null;
  const [dx, dy] = arrow.map((v) => (v * part.half) / STEP);
  if (!shift) return moved(posterior, dx, dy, part);
  return resized(posterior, dx ? "x" : "y", (dx + dy) / 2, part);
}
