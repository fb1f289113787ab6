import assert from "node:assert/strict";
import test from "node:test";
import { MapView } from "../../web/core/view.js";
import { axisTexts } from "../../web/map/axes.js";
import { boxAround, overlap, place } from "../../web/map/placement.js";

/** Numbers in 0 ... 1, the same in each run. @param {number} seed */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (1103515245 * state + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** @param {number} side */
const roomOf = (side) => ({ left: 2, top: 2, right: side - 2, bottom: side - 2 });

/** @param {Partial<import("../../web/map/placement.js").Placeable>} [values] */
const label = (values = {}) => ({
  homes: [{ px: 100, py: 100 }],
  width: 28,
  height: 28,
  priority: 1,
  reach: 80,
  ...values,
});

/** Labels of positions on the map, in a random view. @param {() => number} random */
function randomMap(random) {
  const view = new MapView(4);
  view.side = 250 + 650 * random();
  const z = () => ({ x: 6 * random() - 3, y: 6 * random() - 3 });
  const cursor = z();
  view.zoomAt(view.toPixels(cursor), 64 ** random());
  const labels = Array.from({ length: 24 }, () =>
    label({
      homes: Array.from({ length: 1 + Math.floor(3 * random()) }, () => view.toPixels(z())),
      width: 20 + 90 * random(),
      height: 20 + 10 * random(),
      priority: Math.floor(4 * random()),
      reach: 90 * random(),
      beside: random() < 0.2,
    }),
  );
  const obstacles = [boxAround(view.toPixels(z()), 200 * random(), 60 * random())];
  return { side: view.side, labels, obstacles, cursor: boxAround(view.toPixels(cursor), 36) };
}

test("no label covers another, an obstacle or the cursor, or leaves the view", () => {
  const random = randomNumbers(1);
  let shown = 0;
  for (let round = 0; round < 300; round++) {
    const { side, labels, obstacles, cursor } = randomMap(random);
    const room = roomOf(side);
    const placed = place(labels, room, obstacles, cursor).filter((found) => found !== null);
    shown += placed.length;
    for (const [i, { box }] of placed.entries()) {
      assert.ok(box.left >= room.left && box.right <= room.right);
      assert.ok(box.top >= room.top && box.bottom <= room.bottom);
      for (const other of [cursor, ...obstacles]) assert.ok(!overlap(box, other));
      for (const other of placed.slice(0, i)) assert.ok(!overlap(box, other.box));
    }
  }
  assert.ok(shown > 1000, `${shown} labels found room`);
});

test("the cursor moves no label but those that it covers", () => {
  const random = randomNumbers(2);
  for (let round = 0; round < 100; round++) {
    const { side, labels, obstacles, cursor } = randomMap(random);
    const before = place(labels, roomOf(side), obstacles);
    const after = place(labels, roomOf(side), obstacles, cursor);
    for (const [i, found] of before.entries()) {
      if (!found || !overlap(found.box, cursor, 1)) assert.deepEqual(after[i], found);
    }
  }
});

/** A zoom in 40 small steps, and what `place` says in each. @param {() => number} random @param {boolean} keeps */
function zoomAcross(random, keeps) {
  const view = new MapView(4);
  view.side = 400 + 400 * random();
  const positions = Array.from({ length: 16 }, () => ({
    x: 3 * random() - 1.5,
    y: 3 * random() - 1.5,
  }));
  /** @type {ReturnType<typeof place>} */
  let before = positions.map(() => null);
  const steps = [];
  for (let step = 0; step < 40; step++) {
    const labels = positions.map((z, i) =>
      label({
        homes: [view.toPixels(z)],
        priority: i % 3,
        former: (keeps && before[i]?.former) || undefined,
      }),
    );
    const after = place(labels, roomOf(view.side), []);
    steps.push({ labels, before, after, room: roomOf(view.side) });
    before = after;
    view.zoomAt({ px: view.side / 2, py: view.side / 2 }, 1.03);
  }
  return steps;
}

/** @param {ReturnType<typeof place>[number]} found */
const offsetOf = (found) => found && [found.at.px - found.home.px, found.at.py - found.home.py];

/** @param {ReturnType<typeof offsetOf>} a @param {ReturnType<typeof offsetOf>} b */
const isElsewhere = (a, b) => a && b && Math.hypot(a[0] - b[0], a[1] - b[1]) > 1e-6;

test("a label keeps its place while a zoom leaves that place free, or goes home", () => {
  let jumps = 0;
  const random = randomNumbers(4);
  for (let round = 0; round < 30; round++) {
    for (const { labels, before, after, room } of zoomAcross(random, true)) {
      for (const [i, { homes, width, height, priority }] of labels.entries()) {
        const [former, now] = [offsetOf(before[i]), offsetOf(after[i])];
        if (!former || !now || !isElsewhere(former, now) || Math.hypot(...now) === 0) continue;
        jumps++;
        const home = homes.at(0);
        assert.ok(home);
        const at = { px: home.px + former[0], py: home.py + former[1] };
        const box = boxAround(at, width, height);
        const leaves = box.left < room.left || box.right > room.right;
        const falls = box.top < room.top || box.bottom > room.bottom;
        const taken = after.some(
          (other, j) =>
            other && j !== i && labels[j].priority >= priority && overlap(other.box, box, 1),
        );
        assert.ok(leaves || falls || taken, `label ${i} left a free place`);
      }
    }
  }
  assert.ok(jumps > 10, `${jumps} labels had to move`);
});

test("a zoom moves fewer labels than if none remembered its place", () => {
  const count = (/** @type {boolean} */ keeps) => {
    const random = randomNumbers(5);
    let jumps = 0;
    for (let round = 0; round < 30; round++) {
      for (const { before, after } of zoomAcross(random, keeps)) {
        for (const [i, found] of after.entries()) {
          if (isElsewhere(offsetOf(before[i]), offsetOf(found))) jumps++;
        }
      }
    }
    return jumps;
  };
  const [kept, anew] = [count(true), count(false)];
  assert.ok(kept < 0.7 * anew, `${kept} jumps, ${anew} without memory`);
});

test("a label that the cursor moves keeps both places: with the cursor and without", () => {
  const room = roomOf(400);
  const cursor = boxAround({ px: 100, py: 100 }, 36);
  const [aside] = place([label()], room, [], cursor);
  assert.ok(aside && isElsewhere(offsetOf(aside), [0, 0]));
  const nearer = label({ homes: [{ px: 103, py: 103 }], former: aside.former });
  const [still] = place([nearer], room, [], cursor);
  assert.deepEqual(offsetOf(still)?.map(Math.round), offsetOf(aside)?.map(Math.round));
  assert.deepEqual(offsetOf(place([nearer], room, [])[0]), [0, 0]);
});

test("a label with room stands on its home; one beside it does not cover it", () => {
  const [on, beside] = place([label(), label({ beside: true })], roomOf(400), []);
  assert.deepEqual(on?.at, { px: 100, py: 100 });
  assert.ok(beside && !overlap(beside.box, boxAround({ px: 100, py: 100 }, 1)));
});

test("the label of the highest priority keeps the home, and the last has no room", () => {
  const room = { left: 0, top: 0, right: 200, bottom: 200 };
  const [low, high] = place([label(), label({ priority: 2 })], room, []);
  assert.deepEqual(high?.at, { px: 100, py: 100 });
  assert.notDeepEqual(low?.at, high?.at);
  assert.deepEqual(low?.home, { px: 100, py: 100 });
  const wide = { width: 150, height: 150 };
  assert.equal(place([label(wide), label({ ...wide, priority: 2 })], room, [])[0], null);
});

test("a label takes its second home where the first is outside the view", () => {
  const homes = [
    { px: -50, py: 0 },
    { px: 60, py: 70 },
  ];
  assert.deepEqual(place([label({ homes })], roomOf(400), [])[0]?.at, homes[1]);
  assert.equal(place([label({ homes: homes.slice(0, 1) })], roomOf(400), [])[0], null);
});

test("the texts of the axes never touch, at any size, zoom and position", () => {
  const random = randomNumbers(3);
  for (let round = 0; round < 400; round++) {
    const view = new MapView(4);
    view.side = 200 + 700 * random();
    view.zoomAt({ px: view.side * random(), py: view.side * random() }, 64 ** random());
    const texts = axisTexts(view, (text) => 8 * text.length);
    assert.ok(texts.length >= 6, "both axes have ticks");
    for (const [i, { text, box }] of texts.entries()) {
      for (const other of texts.slice(0, i)) {
        assert.ok(!overlap(box, other.box, 3), `${text} touches ${other.text}`);
      }
    }
  }
});
