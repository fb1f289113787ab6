/** How points fade with their distance from the plane that the map shows. */

const NEAR = 0.2; // of the points are drawn in full
const FAR = 0.95; // of the points: those beyond are the faintest

/** The opacity of each step, from the plane outwards, as a share of that of points in it. */
export const FADE = [1, 0.55, 0.36, 0.22, 0.12];

/**
 * The distances between which points fade, and how many are no further than `near`.
 *
 * @param {Float32Array} distances (N,) from the plane
 */
export function fadeOf(distances) {
  const sorted = distances.slice().sort();
  const at = (/** @type {number} */ share) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  // Rounded as it is shown.
  const near = Math.ceil(100 * at(NEAR)) / 100;
  return { near, far: Math.max(near, at(FAR)), shown: distances.filter((d) => d <= near).length };
}

/** From where on points are the faintest. @param {{ near: number, far: number }} fade */
export function faintestFrom({ near, far }) {
  return far - (far - near) / (FADE.length - 1);
}

/**
 * The step of FADE of each point, which all are 0 where the plane is the space.
 *
 * @param {Float32Array} distances (N,)
 */
export function fadeSteps(distances) {
  const { near, far } = fadeOf(distances);
  const steps = FADE.length - 1;
  return Uint8Array.from(distances, (d) =>
    d <= near ? 0 : 1 + Math.min(steps - 1, Math.floor(((d - near) / (far - near || 1)) * steps)),
  );
}
