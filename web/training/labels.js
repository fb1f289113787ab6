/** The names of the classes: around the points and not on them. */

import { areWords } from "../core/dom.js";
import { drawDisc, drawText, FONT, remPixels, trace } from "../core/drawing.js";
import { place } from "../map/placement.js";
import { sumsOf } from "./replay.js";

/** @typedef {import("../map/painter.js").Scene} Scene */
/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {import("../map/placement.js").Box} Box */
/** @typedef {Map<number, import("../map/placement.js").Former>} Memory where names stood, by class */

// Directions that are tried, as cosine and sine of a turn: 0, then to either side.
const TURNS = Array.from({ length: 120 }, (_, k) => {
  const angle = (Math.ceil(k / 2) * (k % 2 ? 1 : -1) * Math.PI) / 60;
  return { cos: Math.cos(angle), sin: Math.sin(angle) };
});
const GAP = 3; // pixels between two names
const CLEAR = 1.9; // times the root mean square distance from the middle: beyond nearly all points
const BESIDE = 20; // pixels further out
const ROOMY = 1.4; // times as long as the names, for what they lose at the corners
const RINGS = 4; // that are tried, each a name further out
const RADIUS = 0.6875; // rem, of a disc with a numeral
const TEXT = 0.875; // rem
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
 * Where the name of something may stand on rings around a middle, the best first: in its direction,
 * or as near to that as can be.
 *
 * @param {Pixel} home what it names @param {{ width: number, height: number }} size
 * @param {Pixel} middle @param {number} radius of the innermost ring @param {Box} bounds
 */
function onRings(home, { width, height }, middle, radius, bounds) {
  const toward = Math.atan2(home.py - middle.py, home.px - middle.px);
  const [dx, dy] = [Math.cos(toward), Math.sin(toward)];
  const at = (/** @type {number} */ i) => {
    const { cos, sin } = TURNS[i % TURNS.length];
    const out = radius + Math.floor(i / TURNS.length) * (height + GAP);
    const px = middle.px + out * (dx * cos - dy * sin);
    const py = middle.py + out * (dy * cos + dx * sin);
    return {
      px: Math.min(bounds.right - width / 2, Math.max(bounds.left + width / 2, px)),
      py: Math.min(bounds.bottom - height / 2, Math.max(bounds.top + height / 2, py)),
    };
  };
  return { length: RINGS * TURNS.length, at }; // nearly always, one of the first is free
}

/**
 * The places of names on rings around a middle; null where there is no room.
 *
 * @param {readonly Pixel[]} homes what they name
 * @param {readonly { width: number, height: number }[]} sizes
 * @param {Pixel} middle @param {number} radius @param {Box} bounds that hold all names
 * @param {readonly Box[]} taken what they must not cover
 * @param {readonly (import("../map/placement.js").Former | undefined)[]} former
 */
export function placeAround(homes, sizes, middle, radius, bounds, taken = [], former = []) {
  const length = sizes.reduce((sum, { height }) => sum + height + GAP, 0);
  const least = Math.max(radius + BESIDE, (ROOMY * length) / (2 * Math.PI));
  const labels = homes.map((home, i) => ({
    width: sizes[i].width + GAP,
    height: sizes[i].height + GAP,
    homes: onRings(home, sizes[i], middle, least, bounds),
    ...{ priority: 0, reach: 0, former: former[i] },
  }));
  const room = {
    left: bounds.left - GAP,
    top: bounds.top - GAP,
    right: bounds.right + GAP,
    bottom: bounds.bottom + GAP,
  };
  return place(labels, room, taken);
}

/**
 * The classes whose mean positions are in view, with the sizes of their names.
 *
 * @param {Scene} scene @param {readonly string[]} names @param {ReturnType<typeof sumsOf>} sums
 * @param {number} rem in pixels
 */
function classesIn({ context, view }, names, sums, rem) {
  const words = areWords(names);
  context.font = `${TEXT * rem}px ${FONT}`;
  return [...sums.keys()].flatMap((label) => {
    const { x, y, count } = sums[label];
    const home = view.toPixels({ x: x / count, y: y / count });
    const { px, py } = home; // not a number where a class has no images
    if (!(Math.min(px, py) >= 0 && Math.max(px, py) <= view.side)) return [];
    const disc = { width: 2 * RADIUS * rem + 3, height: 2 * RADIUS * rem + 3 };
    const width = context.measureText(names[label]).width + 6;
    return [{ label, home, size: words ? { width, height: 1.25 * rem } : disc }];
  });
}

/** @param {Scene} scene @param {Pixel} home @param {Pixel} at @param {string} colour */
function drawLeader({ context, colours }, home, at, colour) {
  context.lineWidth = 3.5;
  context.strokeStyle = colours.ground;
  trace(context, [home, at]);
  context.lineWidth = 1.5;
  context.strokeStyle = colour;
  trace(context, [home, at]);
}

/**
 * Draws the names, each joined to the mean position of its class.
 *
 * @param {Scene} scene @param {import("../page.js").Props} props
 * @param {Float32Array} positions @param {Uint8Array} labels
 * @param {readonly Box[]} taken what they must not cover @param {Memory} memory of this map
 */
export function drawNames(scene, { names }, positions, labels, taken, memory) {
  const { context, view, colours } = scene;
  const rem = remPixels();
  const classes = classesIn(scene, names, sumsOf(positions, labels, names.length), rem);
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
    classes.map(({ label }) => memory.get(label)),
  );
  memory.clear();
  const shown = classes.flatMap(({ label, home }, i) => {
    const found = places[i];
    if (!found) return [];
    memory.set(label, found.former);
    return [{ text: names[label], home, at: found.at, colour: colours.classes[label] }];
  });
  for (const { home, at, colour } of shown) drawLeader(scene, home, at, colour);
  for (const { text, at, colour } of shown) {
    if (areWords(names)) drawText(context, colours, text, at.px, at.py);
    else drawDisc(context, colours, at, { radius: RADIUS * rem, size: TEXT * rem, colour, text });
  }
}
