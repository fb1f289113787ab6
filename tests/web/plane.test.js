import assert from "node:assert/strict";
import test from "node:test";
import { formatLink, parseLink, parsePlane } from "../../web/core/link.js";
import { priorBeyond } from "../../web/core/neighbours.js";
import {
  areSame,
  between,
  distanceBetween,
  distanceOf,
  Plane,
  WHOLE,
} from "../../web/core/plane.js";
import { PageState } from "../../web/core/state.js";
import { normScale } from "../../web/dimensions/norms.js";
import { nearestStep, VALUES } from "../../web/dimensions/row.js";
import { dimensionsWith } from "../../web/dimensions/turning.js";
import { stepToward, toward } from "../../web/directions/toward.js";
import { tableCells } from "../../web/paths/comparison.js";
import { describeOff, spanOf } from "../../web/paths/own_plane.js";
import { FADE, fadeOf, fadeSteps, faintestFrom } from "../../web/plane/fade.js";
import { describeDistance } from "../../web/plane/index.js";
import { turn } from "../../web/plane/turn.js";

const HALF = Math.SQRT1_2;
// In four dimensions, 0.5 above the centre of the prior.
const origin = [0, 0, 0, 0.5];
const axes = [
  [HALF, HALF, 0, 0],
  [0, 0, 1, 0],
];
const newPlane = () => new Plane({ origin, axes }, 6);

/** @param {readonly number[]} found @param {readonly number[]} expected */
function assertClose(found, expected, tolerance = 1e-9) {
  assert.equal(found.length, expected.length);
  for (const [i, v] of expected.entries()) {
    assert.ok(Math.abs(found[i] - v) < tolerance, `${found} is not ${expected}`);
  }
}

test("in two dimensions a position is its coordinates, and nothing is off the plane", () => {
  assert.deepEqual(WHOLE.position([1.5, -2]), { x: 1.5, y: -2 });
  assert.deepEqual(WHOLE.coordinates({ x: 1.5, y: -2 }), [1.5, -2]);
  assert.deepEqual(WHOLE.asked({ x: 1.5, y: -2 }), [1.5, -2]);
  assert.deepEqual(WHOLE.ellipse([0.2, 0.3]), { rx: 0.2, ry: 0.3, turn: 0 });
  assert.deepEqual(between({ x: 0, y: 0 }, { x: 1, y: 2 }, 0.5), { x: 0.5, y: 1 });
});

test("coordinates become a position of the plane and what leads to them, and back", () => {
  const plane = newPlane();
  const z = [1, 2, 3, 4];
  const position = plane.position(z);
  assertClose([position.x, position.y], [3 * HALF, 3]);
  assertClose(plane.coordinates(position), z);
  assert.ok(Math.abs(distanceOf(position) - Math.hypot(HALF, 3.5)) < 1e-9);
  assert.deepEqual(plane.asked(position), [plane.coordinates(position), null]);
  const inside = plane.position(plane.coordinates({ x: 0.25, y: -1 }));
  assert.equal(inside.off, undefined, "in the plane but for rounding");
  assertClose([inside.x, inside.y], [0.25, -1]);
});

test("the way between two positions is straight in the whole space", () => {
  const plane = newPlane();
  const [a, b] = [plane.position([1, 2, 3, 4]), plane.position([-1, 0, 2, 0.5])];
  assertClose(plane.coordinates(between(a, b, 0.25)), [0.5, 1.5, 2.75, 3.125]);
  const apart = Math.hypot(2, 2, 1, 3.5);
  assert.ok(Math.abs(distanceBetween(a, b) - apart) < 1e-9);
  assert.ok(Math.abs(toward(a, b).distance - apart) < 1e-9);
  assert.ok(Math.abs(distanceBetween(a, stepToward(a, b)) - 0.25) < 1e-9);
  assert.ok(!areSame(a, { x: a.x, y: a.y }), "the projection is another position");
});

test("a drag stays in the plane, and other moves keep to the space", () => {
  const plane = newPlane();
  const z = [1, 2, 3, 4];
  const state = new PageState({ range: 8, start: z, layers: [], controls: [], plane });
  assertClose(plane.coordinates(state.z), z, 1e-3);
  assert.ok(state.isAt(plane.position(z)));
  assert.ok(!state.isAt({ x: state.z.x, y: state.z.y }));
  state.set({ x: 0.5, y: 0.5 }, "map");
  assert.equal(state.z.off, undefined);
  const { link } = state;
  state.set(plane.position([0, 1, -1, 2]), "class");
  assert.ok(distanceOf(state.z) > 1);
  state.restore(link);
  assert.deepEqual(state.z, { x: 0.5, y: 0.5 });
});

test("a link has all coordinates; one that is impossible is left out", () => {
  const plane = newPlane();
  const position = plane.position([1, 2, 3, 4]);
  const nothing = parseLink("", [], [], plane);
  const text = formatLink(
    { ...nothing, z: position, marks: { A: position, B: null } },
    [],
    [],
    plane,
  );
  assert.equal(text, "z=1,2,3,4&A=1,2,3,4");
  const read = parseLink(text, [], [], plane);
  for (const found of [read.z, read.marks.A]) {
    assert.ok(found);
    assertClose(plane.coordinates(found), [1, 2, 3, 4]);
  }
  for (const hash of ["z=1,2,3", "z=1,2,3,4,5", "z=1,2,3,x", "z=1,2,,4"]) {
    assert.equal(parseLink(hash, [], [], plane).z, null, hash);
  }
  assert.deepEqual(parseLink("x=1&y=2", [], [], plane).z, { x: 1, y: 2 });
  const far = parseLink("z=0,0,99,0.5", [], [], plane).z;
  assert.deepEqual(far, { x: 0, y: 6 }, "no coordinate is beyond the limit");
});

test("encodings are projected, with their distances", () => {
  const plane = newPlane();
  const means = Float32Array.of(1, 2, 3, 4, 0, 0, 1, 0.5);
  const { points, distances } = plane.projections(means);
  for (const i of [0, 1]) {
    const position = plane.position(means.subarray(4 * i, 4 * i + 4));
    assertClose([points[2 * i], points[2 * i + 1]], [position.x, position.y], 1e-6);
    assert.ok(Math.abs(distances[i] - distanceOf(position)) < 1e-6);
  }
  assert.equal(WHOLE.projections(means).points, means);
});

test("a posterior casts the ellipse of its projection's covariance", () => {
  const sigma = [0.3, 0.1, 0.2, 0.7];
  // Both axes at once: [[0.05, 0], [0, 0.04]].
  const { rx, ry, turn } = newPlane().ellipse(sigma);
  assertClose([rx, ry, turn], [Math.sqrt(0.05), 0.2, 0]);
  const turned = new Plane({
    origin: [0, 0, 0],
    axes: [
      [1, 0, 0],
      [0, HALF, HALF],
    ],
  });
  const ellipse = turned.ellipse([0.1, 0.4, 0.2]);
  assertClose([ellipse.rx, ellipse.ry], [Math.sqrt(0.1), 0.1]);
  assert.ok(Math.abs(Math.sin(ellipse.turn)) > 1 - 1e-9, "the larger radius points to y");
});

test("points fade with their distance, the nearest fifth not at all", () => {
  const distances = Float32Array.from({ length: 100 }, (_, i) => i / 50);
  const { near, far, shown } = fadeOf(distances);
  assert.ok(Math.abs(near - 0.4) < 0.02 && shown === 21, `${near} ${shown}`);
  const steps = fadeSteps(distances);
  assert.equal(steps.filter((step) => step === 0).length, shown);
  const faintest = faintestFrom({ near, far });
  assert.ok(distances.every((d, i) => d > faintest + 0.01 === (steps[i] === FADE.length - 1)));
  assert.ok(distances.every((d, i) => d < far || steps[i] === FADE.length - 1));
  assert.ok(steps.every((step, i) => i === 0 || step >= steps[i - 1]));
  assert.deepEqual([...fadeSteps(new Float32Array(3))], [0, 0, 0]);
});

test("the share of the prior further out is that of the chi distribution", () => {
  // scipy.stats.chi.sf
  for (const [radius, latentDim, share] of [
    [1, 1, 0.3173105],
    [2, 3, 0.2614641],
    [3, 7, 0.2526559],
    [3, 10, 0.5321036],
    [5, 16, 0.0698255],
    [8, 64, 0.4764883],
  ]) {
    assert.ok(Math.abs(priorBeyond(radius, latentDim) - share) < 1e-5, `${latentDim}`);
  }
});

test("a turn of the plane leaves everything where it is in the space", () => {
  const plane = newPlane();
  const z = [1, 2, 3, 4];
  const state = new PageState({ range: 9, start: z, layers: [], controls: [], plane });
  const path = plane.position([0, 1, 0, 1]);
  state.marks.A = { x: 1, y: 2 };
  const before = plane.coordinates(state.marks.A);
  state.showPaths([
    { curve: [path], points: [path], method: "linear", label: "", scattered: false, missed: false },
  ]);
  const spec = { kind: /** @type {const} */ ("dimensions"), dimensions: [2, 4], through: z };
  const shape = {
    origin: [1, 0, 3, 0],
    axes: [
      [0, 1, 0, 0],
      [0, 0, 0, 1],
    ],
  };
  turn(state, shape, spec);
  assertClose(plane.coordinates(state.z), z, 1e-3);
  assertClose([state.z.x, state.z.y], [2, 4], 1e-3);
  assert.ok(distanceOf(state.z) < 1e-3);
  assertClose(plane.coordinates(/** @type {any} */ (state.marks.A)), before);
  assertClose(plane.coordinates(state.paths[0].points[0]), [0, 1, 0, 1]);
  assert.deepEqual(plane.names, ["x (z₂)", "y (z₄)"]);
  assert.deepEqual(parsePlane(state.link, 4), spec);
});

test("a link's plane is read again; one that is impossible is the principal one", () => {
  const points = [
    [1, 2, 3],
    [0, 0, 1],
    [0, -1.5, 0],
  ];
  const plane = new Plane();
  plane.turn(
    {
      origin: [0, 0, 0],
      axes: [
        [1, 0, 0],
        [0, 1, 0],
      ],
    },
    { kind: "points", points },
  );
  const text = formatLink({ ...parseLink("", [], [], plane), z: { x: 0, y: 0 } }, [], [], plane);
  assert.ok(text.includes("plane=1,2,3:0,0,1:0,-1.5,0"), text);
  assert.deepEqual(parsePlane(`#${text}`, 3), { kind: "points", points });
  for (const hash of ["", "plane=1", "plane=1,2", "plane=1,2:1,2", "plane=1,2,3:1,2,3:1,2,x"]) {
    assert.deepEqual(parsePlane(hash, 3), { kind: "principal" }, hash);
  }
});

test("a press on a dimension makes it x, and keeps another as y", () => {
  const byUse = [3, 1, 2];
  assert.deepEqual(dimensionsWith(2, [], byUse), [2, 3]);
  assert.deepEqual(dimensionsWith(3, [], byUse), [3, 1]);
  assert.deepEqual(dimensionsWith(2, [1, 3], byUse), [2, 1]);
  assert.deepEqual(dimensionsWith(1, [1, 3], byUse), [1, 3]);
});

test("the image of a strip that is nearest to a value is marked", () => {
  assert.deepEqual(VALUES, [-3, -2, -1, 0, 1, 2, 3]);
  assert.deepEqual([-2.6, -0.6, 0.2, 3.4, 3.6, -4].map(nearestStep), [0, 2, 3, 6, -1, -1]);
});

test("the plot of |z| reaches from the centre to its end, and no mark leaves it", () => {
  const { x, y } = normScale({
    ...{ means: [0, 2, 1], data: [0, 1, 1], prior: [0, 1, 1] },
    most: 6,
    typical: [1, 2, 3],
  });
  assert.equal(x(0), 0);
  assert.equal(x(3) * 2, x(6));
  assert.equal(x(9), x(6));
  assert.ok(y(2) < y(1) && y(1) < y(0));
});

test("above two dimensions the table of paths says how close to the centre each comes", () => {
  const row = { method: "linear", title: "", changes: [], length: 1, largest_step: 1, support: 1 };
  const cells = tableCells([{ ...row, passes: ["5"], norms: [2, 1.25, 3] }]);
  assert.deepEqual(
    cells[0].map(({ text }) => text),
    ["1.0", "1.00", "1", "1.25", "5"],
  );
});

test("where z is, seen from the plane, is said in words", () => {
  assert.equal(describeDistance(0.004), "z lies in this plane");
  assert.equal(describeDistance(0.42), "z lies 0.42σ from this plane");
});

test("a path's plane contains its ends and its bend; of a straight one also the cursor", () => {
  const [from, to] = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
  ];
  const arc = [from, [HALF, HALF, 0, 0], to];
  const cursor = [0.1, 0.2, 3, 0];
  assert.deepEqual(spanOf(arc, cursor), [from, to, arc[1]]);
  const straight = [from, [0.5, 0.5, 0, 0], to];
  assert.deepEqual(spanOf(straight, cursor), [from, to, cursor]);
  assert.deepEqual(spanOf(straight, [0.3, 0.7, 0, 0]), [from, to, [0, 0, 0, 0]], "the centre");
  assert.match(describeOff(0.424, false), /leaves the map's plane by up to 0\.42σ/);
  assert.match(describeOff(0.424, true), /leaves its plane by up to 0\.42σ/);
  assert.match(describeOff(0.004, true), /lies in the map's plane/);
});
