/** Where labels stand on the map: none covers another, an obstacle or the cursor. */

/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */

/**
 * What is to be placed.
 *
 *   homes   where it belongs, the best first; homes outside the room do not count
 *   reach   how far it may be moved from a home, in pixels between the home and its edge
 *   beside  whether it may not stand on its home itself
 *
 * @typedef {{
 *   homes: readonly Pixel[], width: number, height: number, priority: number, reach: number,
 *   beside?: boolean,
 * }} Placeable
 * @typedef {{ at: Pixel, home: Pixel, box: Box }} Placement its middle, the home it belongs to, its box
 */

const DIRECTIONS = Array.from({ length: 16 }, (_, i) => {
  const angle = (i * Math.PI) / 8;
  return { dx: Math.sin(angle), dy: -Math.cos(angle) }; // the first is above
});
const FIRST = 4; // pixels between a home and the edge of a label that is moved aside
const STEP = 6;

/** @param {Pixel} middle @param {number} width @param {number} height @returns {Box} */
export function boxAround({ px, py }, width, height = width) {
  return {
    left: px - width / 2,
    top: py - height / 2,
    right: px + width / 2,
    bottom: py + height / 2,
  };
}

/** Whether two boxes are less than `gap` apart. @param {Box} a @param {Box} b @param {number} gap */
export function overlap(a, b, gap = 0) {
  return (
    a.left < b.right + gap &&
    b.left < a.right + gap &&
    a.top < b.bottom + gap &&
    b.top < a.bottom + gap
  );
}

/** @param {Box} inner @param {Box} outer */
function isInside(inner, outer) {
  return (
    inner.left >= outer.left &&
    inner.top >= outer.top &&
    inner.right <= outer.right &&
    inner.bottom <= outer.bottom
  );
}

/** Where a label may stand, the best first. @param {Placeable} label @param {readonly Pixel[]} homes */
function* candidates({ width, height, reach, beside }, homes) {
  if (!beside) for (const home of homes) yield { home, at: home };
  for (let gap = FIRST; gap <= reach; gap += STEP) {
    for (const home of homes) {
      for (const { dx, dy } of DIRECTIONS) {
        const px = home.px + dx * (width / 2 + gap);
        yield { home, at: { px, py: home.py + dy * (height / 2 + gap) } };
      }
    }
  }
}

/** @param {Placeable} label @param {Box} room @param {readonly Box[]} taken @returns {Placement | null} */
function findPlace(label, room, taken) {
  const homes = label.homes.filter((home) => isInside(boxAround(home, 0), room));
  for (const { home, at } of candidates(label, homes)) {
    const box = boxAround(at, label.width, label.height);
    if (isInside(box, room) && !taken.some((other) => overlap(box, other, 1))) {
      return { at, home, box };
    }
  }
  return null;
}

/**
 * Places labels, those of the highest priority first; null for those that find no room.
 *
 * The cursor moves only the labels that it would cover: the others stay where they were without it.
 *
 * @param {readonly Placeable[]} labels @param {Box} room
 * @param {readonly Box[]} obstacles @param {Box | null} [cursor]
 * @returns {(Placement | null)[]}
 */
export function place(labels, room, obstacles, cursor = null) {
  const order = [...labels.keys()].sort((a, b) => labels[b].priority - labels[a].priority);
  /** @type {(Placement | null)[]} */
  const placed = labels.map(() => null);
  /** @param {number[]} some @param {Box[]} taken */
  function settle(some, taken) {
    for (const i of some) {
      const found = findPlace(labels[i], room, taken);
      placed[i] = found;
      if (found) taken.push(found.box);
    }
  }
  settle(order, [...obstacles]);
  if (!cursor) return placed;
  const isCovered = (/** @type {number} */ i) => overlap(placed[i]?.box ?? room, cursor, 1);
  const moved = order.filter((i) => placed[i] && isCovered(i));
  const staying = placed.flatMap((found, i) => (found && !moved.includes(i) ? [found.box] : []));
  settle(moved, [...obstacles, ...staying, cursor]);
  return placed;
}
