/** The names of the classes: around the points and not on them. */

import { areWords } from "../core/dom.js";
import { drawDisc, drawText, FONT, trace } from "../core/drawing.js";
import { sumsOf } from "./replay.js";

/** @typedef {import("../map/painter.js").Scene} Scene */
/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {{ wide: number, high: number }} Size in pixels */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Bounds */
/** @typedef {Pixel & Size} Box around its middle */

const TURNS = 120; // directions that are tried
const GAP = 3; // pixels between two names
const CLEAR = 1.9; // times the root mean square distance from the middle: beyond nearly all points
const BESIDE = 20; // pixels further out
const ROOMY = 1.4; // times as long as the names, for what they lose at the corners
const RINGS = 4; // that are tried, each a name further out
const RADIUS = 10; // pixels, of a disc with a numeral
const EDGE = { left: 34, right: 8, top: 46, bottom: 42 }; // pixels left to axes and to the epoch's name

/**
 * The middle of positions x, y, x, y ... and a radius around it beyond which few of them lie.
 *
 * @param {ArrayLike<number>} positions
 */
export function ringAround(positions) {
  const count = positions.length / 2;
  const middle = { x: 0, y: 0 };
  for (let i = 0; i < positions.length; i += 2) {
    middle.x += positions[i] / count;
    middle.y += positions[i + 1] / count;
  }
  let squares = 0;
  for (let i = 0; i < positions.length; i += 2) {
    squares += (positions[i] - middle.x) ** 2 + (positions[i + 1] - middle.y) ** 2;
  }
  return { middle, radius: CLEAR * Math.sqrt(squares / count) };
}

/**
 * The middles of names on a ring, each in the direction of what it names, or as near to that as
 * leaves them apart; null where there is no room.
 *
 * @param {readonly Pixel[]} homes what they name @param {readonly Size[]} sizes
 * @param {Pixel} middle @param {number} radius @param {Bounds} bounds that hold all names
 * @param {readonly Box[]} taken what they must not cover
 */
export function placeAround(homes, sizes, middle, radius, bounds, taken = []) {
  const placed = [...taken];
  const length = sizes.reduce((sum, { high }) => sum + high + GAP, 0);
  const least = Math.max(radius + BESIDE, (ROOMY * length) / (2 * Math.PI));
  return homes.map((home, i) => {
    const { wide, high } = sizes[i];
    const toward = Math.atan2(home.py - middle.py, home.px - middle.px);
    for (let attempt = 0; attempt < RINGS * TURNS; attempt++) {
      const k = attempt % TURNS;
      const turn = (Math.ceil(k / 2) * (k % 2 ? 1 : -1) * 2 * Math.PI) / TURNS;
      const out = least + Math.floor(attempt / TURNS) * (high + GAP);
      const px = middle.px + out * Math.cos(toward + turn);
      const py = middle.py + out * Math.sin(toward + turn);
      const at = {
        px: Math.min(bounds.right - wide / 2, Math.max(bounds.left + wide / 2, px)),
        py: Math.min(bounds.bottom - high / 2, Math.max(bounds.top + high / 2, py)),
      };
      const covers = (/** @type {Box} */ other) =>
        Math.abs(other.px - at.px) < (other.wide + wide) / 2 + GAP &&
        Math.abs(other.py - at.py) < (other.high + high) / 2 + GAP;
      if (placed.some(covers)) continue;
      placed.push({ ...at, wide, high });
      return at;
    }
    return null;
  });
}

/**
 * The classes whose mean positions are in view, with the sizes of their names.
 *
 * @param {Scene} scene @param {readonly string[]} names @param {ReturnType<typeof sumsOf>} sums
 */
function classesIn({ context, view }, names, sums) {
  const words = areWords(names);
  context.font = `12px ${FONT}`;
  return [...sums.keys()].flatMap((label) => {
    const { x, y, count } = sums[label];
    const home = view.toPixels({ x: x / count, y: y / count });
    const { px, py } = home; // not a number where a class has no images
    if (!(Math.min(px, py) >= 0 && Math.max(px, py) <= view.side)) return [];
    const disc = { wide: 2 * RADIUS + 3, high: 2 * RADIUS + 3 };
    const size = words ? { wide: context.measureText(names[label]).width + 6, high: 18 } : disc;
    return [{ label, home, size }];
  });
}

/**
 * Draws the names, each joined to the mean position of its class.
 *
 * @param {Scene} scene @param {import("../page.js").Props} props
 * @param {Float32Array} positions @param {Uint8Array} labels
 * @param {readonly Box[]} taken what they must not cover
 */
export function drawNames(scene, { names }, positions, labels, taken) {
  const { context, view, colours } = scene;
  const classes = classesIn(scene, names, sumsOf(positions, labels, names.length));
  const { middle, radius } = ringAround(positions);
  const places = placeAround(
    classes.map(({ home }) => home),
    classes.map(({ size }) => size),
    view.toPixels(middle),
    radius * view.unit,
    {
      left: EDGE.left,
      top: EDGE.top,
      right: view.side - EDGE.right,
      bottom: view.side - EDGE.bottom,
    },
    taken,
  );
  const shown = classes.flatMap(({ label, home }, i) => {
    const at = places[i];
    return at ? [{ text: names[label], home, at, colour: colours.classes[label] }] : [];
  });
  for (const { home, at, colour } of shown) {
    context.lineWidth = 3.5;
    context.strokeStyle = colours.ground;
    trace(context, [home, at]);
    context.lineWidth = 1.5;
    context.strokeStyle = colour;
    trace(context, [home, at]);
  }
  for (const { text, at, colour } of shown) {
    if (areWords(names)) drawText(context, colours, text, at.px, at.py);
    else drawDisc(context, colours, { home: at, at, radius: RADIUS, colour, text });
  }
}
