/** The geometry of the frame around what is encoded of an image. */

/** @typedef {[left: number, top: number, right: number, bottom: number]} Crop fractions of the image */
/** @typedef {{ x: number, y: number }} Point in the same fractions */
/** @typedef {{ left: number, top: number, width: number, height: number }} Box */

/**
 * What a press takes hold of: the corner at these indices of a Crop, the whole frame, or nothing,
 * so that a new frame begins.
 *
 * @typedef {[0 | 2, 1 | 3] | "move" | null} Grip
 */

const SMALLEST = 0.02; // of the image; a smaller frame was not meant
const STEP = 0.02; // of the image, for an arrow key
const MARGIN = 0.03; // of the image, around ink that was found

/** @type {Record<string, [number, number]>} */
const ARROWS = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

/** @type {Readonly<Crop>} */
export const WHOLE = [0, 0, 1, 1];

/** @param {number} v */
export function clamp(v) {
  return Math.min(1, Math.max(0, v));
}

/**
 * Where an image lies in a square of side 1 that it fits as object-fit: contain does.
 *
 * @param {number} width @param {number} height
 * @returns {Box}
 */
export function contained(width, height) {
  const longest = Math.max(width, height) || 1;
  const [w, h] = [width / longest, height / longest];
  return { left: (1 - w) / 2, top: (1 - h) / 2, width: w, height: h };
}

/**
 * @param {Readonly<Crop>} crop @param {Point} point
 * @param {Point} reach how far from a corner a press still takes hold of it
 * @returns {Grip}
 */
export function gripAt([left, top, right, bottom], { x, y }, reach) {
  const h = Math.abs(x - left) < reach.x ? 0 : Math.abs(x - right) < reach.x ? 2 : null;
  const v = Math.abs(y - top) < reach.y ? 1 : Math.abs(y - bottom) < reach.y ? 3 : null;
  if (h !== null && v !== null) return [h, v];
  return x > left && x < right && y > top && y < bottom ? "move" : null;
}

/**
 * The frame, kept on the image.
 *
 * @param {Readonly<Crop>} crop @param {number} dx @param {number} dy
 * @returns {Crop}
 */
export function moved([left, top, right, bottom], dx, dy) {
  const x = Math.min(1 - right, Math.max(-left, dx));
  const y = Math.min(1 - bottom, Math.max(-top, dy));
  return [left + x, top + y, right + x, bottom + y];
}

/**
 * The frame while a pointer that went down at `start` is at `now`.
 *
 * @param {Readonly<Crop>} crop as it was @param {Grip} grip @param {Point} start @param {Point} now
 * @returns {Crop}
 */
export function dragged(crop, grip, start, now) {
  if (grip === "move") return moved(crop, now.x - start.x, now.y - start.y);
  const fixed = grip ? { x: crop[2 - grip[0]], y: crop[4 - grip[1]] } : start;
  return [
    Math.min(fixed.x, now.x),
    Math.min(fixed.y, now.y),
    Math.max(fixed.x, now.x),
    Math.max(fixed.y, now.y),
  ];
}

/**
 * The frame after a key: arrows move it, with Shift they resize it; null for other keys.
 *
 * @param {Readonly<Crop>} crop @param {string} key @param {boolean} shift
 * @returns {Crop | null}
 */
export function pressed(crop, key, shift) {
  const arrow = ARROWS[key];
  if (!arrow) return null;
  const [dx, dy] = arrow;
  if (!shift) return moved(crop, dx, dy);
  const [left, top, right, bottom] = crop;
  return [
    left,
    top,
    clamp(Math.max(left + STEP, right + dx)),
    clamp(Math.max(top + STEP, bottom + dy)),
  ];
}

/**
 * The frame around ink.
 *
 * @param {Readonly<Crop>} ink
 * @returns {Crop}
 */
export function framed([left, top, right, bottom]) {
  return [clamp(left - MARGIN), clamp(top - MARGIN), clamp(right + MARGIN), clamp(bottom + MARGIN)];
}

/** @param {Readonly<Crop>} crop */
export function isMeant([left, top, right, bottom]) {
  return right - left >= SMALLEST && bottom - top >= SMALLEST;
}
