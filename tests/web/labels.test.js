import assert from "node:assert/strict";
import test from "node:test";
import { MapView } from "../../web/core/view.js";
import { boxAround, overlap } from "../../web/map/placement.js";
import { drawNames, placeAround, ringAround } from "../../web/training/labels.js";

test("names stand around the points and never cover one another", () => {
  const bounds = { left: 30, right: 312, top: 40, bottom: 280 };
  /** @type {[string, { width: number, height: number }, number][]} */
  const kinds = [
    ["numerals", { width: 23, height: 23 }, 90],
    ["words", { width: 74, height: 18 }, 90],
    ["far out", { width: 74, height: 18 }, 5000],
  ];
  for (const [kind, size, radius] of kinds) {
    for (const spread of [0.001, 30, 90]) {
      const homes = Array.from({ length: 10 }, (_, i) => ({
        px: 160 + spread * Math.sin(3.7 * i),
        py: 160 + spread * Math.cos(1.3 * i * i),
      }));
      const sizes = Array(10).fill(size);
      const places = placeAround(homes, sizes, { px: 160, py: 160 }, radius, bounds);
      for (const [i, found] of places.entries()) {
        assert.ok(found, `${kind}: there is room for all`);
        const box = boxAround(found.at, size.width, size.height);
        assert.ok(box.left >= bounds.left && box.right <= bounds.right);
        assert.ok(box.top >= bounds.top && box.bottom <= bounds.bottom);
        for (const other of places.slice(0, i)) {
          assert.ok(other && !overlap(box, other.box), `${kind}, spread ${spread}`);
        }
      }
    }
  }
});

test("names keep their directions from one epoch to the next where they can", () => {
  const bounds = { left: 30, right: 570, top: 40, bottom: 560 };
  const sizes = Array(10).fill({ width: 25, height: 25 });
  const homesAt = (/** @type {number} */ t) =>
    Array.from({ length: 10 }, (_, i) => ({
      px: 300 + 60 * Math.sin(3.7 * i + t),
      py: 300 + 60 * Math.cos(1.3 * i * i + t),
    }));
  const middle = { px: 300, py: 300 };
  let places = placeAround(homesAt(0), sizes, middle, 150, bounds);
  let jumps = 0;
  for (let t = 0.002; t < 0.3; t += 0.002) {
    const former = places.map((found) => found?.former);
    const next = placeAround(homesAt(t), sizes, middle, 150, bounds, [], former);
    for (const [i, found] of next.entries()) {
      const before = places[i]?.at;
      assert.ok(found && before);
      if (Math.hypot(found.at.px - before.px, found.at.py - before.py) > 4) jumps++;
    }
    places = next;
  }
  assert.ok(jumps < 40, `${jumps} jumps of 1490`);
});

test("a name for which there is no room is left out", () => {
  const homes = Array.from({ length: 10 }, (_, i) => ({ px: 50 + i, py: 50 }));
  const sizes = Array(10).fill({ width: 40, height: 40 });
  const bounds = { left: 0, right: 100, top: 0, bottom: 100 };
  const places = placeAround(homes, sizes, { px: 50, py: 50 }, 10, bounds);
  assert.ok(places[0]);
  assert.ok(places.includes(null));
});

test("the ring lies beyond nearly all points", () => {
  const positions = Float32Array.of(1, 0, 3, 0, 2, 1, 2, -1);
  const { middle, radius } = ringAround(positions);
  assert.deepEqual(middle, { x: 2, y: 0 });
  assert.ok(radius > 1 && radius < 2.5);
});

/** What is drawn of two classes' names at a type size. @param {number} rem in pixels */
function drawnAt(rem) {
  /** @type {{ fonts: Set<string>, radii: Set<number> }} */
  const drawn = { fonts: new Set(), radii: new Set() };
  const context = {
    font: "",
    measureText: () => ({ width: 8 }),
    arc: (/** @type {number[]} */ ...values) => drawn.radii.add(values[2]),
    fillText: () => drawn.fonts.add(context.font),
    ...{ beginPath() {}, lineTo() {}, stroke() {}, fill() {} },
  };
  const view = new MapView(4);
  view.side = 400;
  const colours = { ink: "#000", ground: "#fff", classes: ["#111", "#222"] };
  Object.assign(globalThis, {
    document: { documentElement: {} },
    getComputedStyle: () => ({ fontSize: `${rem}px` }),
  });
  const scene = /** @type {any} */ ({ context, view, colours, layers: {} });
  const props = /** @type {any} */ ({ names: ["0", "1"] });
  const positions = Float32Array.of(1, 0, -1, 0);
  drawNames(scene, props, positions, Uint8Array.of(0, 1), [], new Map());
  return drawn;
}

test("numerals are 14 pixels high and grow with the type size", () => {
  const [normal, large] = [drawnAt(16), drawnAt(20)];
  assert.match([...normal.fonts].join(), /^700 14px /);
  assert.match([...large.fonts].join(), /^700 17.5px /);
  assert.equal([...large.radii][0], 1.25 * [...normal.radii][0]);
});
