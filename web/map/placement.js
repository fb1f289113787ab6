/**
 * Where labels stand on a map: none covers another, an obstacle or the cursor, and each keeps its place
 * beside its home from one drawing to the next while that place stays free.
 */

/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */

/**
 * What is to be placed.
 *
 *   homes   where it belongs, the best first; homes outside the room do not count
 *   reach   how far it may be moved from a home, in pixels between the home and its edge
 *   beside  whether it may not stand on its home itself
 *   former  the place that it had
 *
 * @typedef {{ readonly length: number, at: (index: number) => Pixel | undefined }} Homes an array, or like one
 * @typedef {{
 *   homes: Homes, width: number, height: number, priority: number, reach: number,
 *   beside?: boolean, former?: Former,
 * }} Placeable
 * @typedef {{ index: number, dx: number, dy: number }} Place which home, and how far from it in pixels
 * @typedef {{ own: Place, last: Place }} Former without the cursor, and with it
 * @typedef {{ at: Pixel, home: Pixel, box: Box, former: Former }} Placement its middle, the home it
 * belongs to, its box, and what it will have been
 */

const DIRECTIONS = Array.from({ length: 16 }, (_, i) => {
  const angle = (i * Math.PI) / 8;
  return { dx: Math.sin(angle), dy: -Math.cos(angle) }; // the first is above
});
const FIRST = 4; // pixels between a home and the edge of a label that is moved aside
const STEP = 6;
const TO_SPARE = 8; // pixels around the best home when a label returns: with fewer it would go to and fro

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

/**
 * Where a label may stand, the best first, each with the room that it needs around itself.
 *
 * @param {Placeable} label @param {(index: number) => boolean} isSeen whether a home counts
 * @param {Place | undefined} former
 * @returns {Generator<Place & { gap: number }>}
 */
function* candidates({ homes, width, height, reach, beside }, isSeen, former) {
  let best = 0;
  while (best < homes.length && !isSeen(best)) best++;
  if (best === homes.length) return;
  if (former && isSeen(former.index)) {
    const isBest = former.index === best && !former.dx && !former.dy;
    if (!beside && !isBest) yield { index: best, dx: 0, dy: 0, gap: TO_SPARE };
    yield { ...former, gap: 1 };
  }
  for (let index = best; index < homes.length && !beside; index++) {
    if (isSeen(index)) yield { index, dx: 0, dy: 0, gap: 1 };
  }
  for (let away = FIRST; away <= reach; away += STEP) {
    for (let index = best; index < homes.length; index++) {
      if (!isSeen(index)) continue;
      for (const { dx, dy } of DIRECTIONS) {
        yield { index, dx: dx * (width / 2 + away), dy: dy * (height / 2 + away), gap: 1 };
      }
    }
  }
}

/**
 * @param {Placeable} label @param {Box} room @param {readonly Box[]} taken
 * @param {readonly Box[]} covers @param {Place | undefined} former
 */
function findPlace(label, room, taken, covers, former) {
  const isSeen = (/** @type {number} */ index) => {
    const home = label.homes.at(index);
    if (!home) return false; // fewer than there were
    const point = boxAround(home, 0);
    return isInside(point, room) && !covers.some((cover) => overlap(cover, point));
  };
  for (const { gap, ...place } of candidates(label, isSeen, former)) {
    const home = label.homes.at(place.index);
    if (!home) continue;
    const at = { px: home.px + place.dx, py: home.py + place.dy };
    const box = boxAround(at, label.width, label.height);
    if (isInside(box, room) && !taken.some((other) => overlap(box, other, gap))) {
      return { at, home, box, place };
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
 * @param {readonly Box[]} [covers] obstacles that hide the homes beneath them
 * @returns {(Placement | null)[]}
 */
export function place(labels, room, obstacles, cursor = null, covers = []) {
  const order = [...labels.keys()].sort((a, b) => labels[b].priority - labels[a].priority);
  /** @type {(Placement | null)[]} */
  const placed = labels.map(() => null);
  /** @param {number[]} some @param {Box[]} taken @param {"own" | "last"} which of the former places */
  function settle(some, taken, which) {
    for (const i of some) {
      const found = findPlace(labels[i], room, taken, covers, labels[i].former?.[which]);
      const own = placed[i]?.former.own ?? found?.place;
      placed[i] = null;
      if (!found || !own) continue;
      const { place: last, ...where } = found;
      placed[i] = { ...where, former: { own, last } };
      taken.push(found.box);
    }
  }
  settle(order, [...obstacles, ...covers], "own");
  if (!cursor) return placed;
  const isCovered = (/** @type {number} */ i) => overlap(placed[i]?.box ?? room, cursor, 1);
  const moved = order.filter((i) => placed[i] && isCovered(i));
  const staying = placed.flatMap((found, i) => (found && !moved.includes(i) ? [found.box] : []));
  settle(moved, [...obstacles, ...covers, ...staying, cursor], "last");
  return placed;
}
