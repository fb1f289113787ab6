import assert from "node:assert/strict";
import test from "node:test";
import { describeFault, formatLink, parseLink, readValue } from "../../web/core/link.js";
import { Plane } from "../../web/core/plane.js";

/** @typedef {import("../../web/core/link.js").Control} Control */

/** @type {Control[]} */
const CONTROLS = [
  { name: "digit", kind: "number", low: 0, high: 9, step: 1, aliases: [], default: 8 },
  { name: "amount", kind: "number", low: 0, high: 1, step: 0.05, aliases: [], default: 0.5 },
  { name: "from", kind: "endpoint", flag: "A", last: 9, aliases: [], default: 5 },
  {
    name: "methods",
    kind: "choices",
    options: ["linear", "spherical", "data"],
    aliases: ["ways"],
    default: ["linear", "data"],
  },
  { name: "even", kind: "flag", aliases: [], default: false },
  {
    name: "anchor",
    kind: "choice",
    options: ["typical", "centroid"],
    aliases: [],
    default: "typical",
  },
];
const LAYERS = [
  { key: "points", aliases: [], default: true },
  { key: "images", aliases: ["pictures"], default: false },
];
const NEW = parseLink("", LAYERS, CONTROLS);

test("an empty link is a new page", () => {
  assert.equal(NEW.z, null);
  assert.equal(NEW.view, null);
  assert.deepEqual(NEW.layers, { points: true, images: false });
  assert.deepEqual(NEW.marks, { A: null, B: null });
  assert.deepEqual(Object.values(NEW.values), [8, 0.5, 5, ["linear", "data"], false, "typical"]);
});

test("what is written is read again", () => {
  const linked = {
    z: { x: -1.234, y: 0.5 },
    view: { centre: { x: 0.5, y: -0.25 }, half: 2 },
    layers: { points: false, images: true },
    marks: { A: { x: 1, y: 2 }, B: null },
    values: {
      digit: 3,
      amount: 0.15,
      from: "A",
      methods: ["spherical"],
      even: true,
      anchor: "centroid",
    },
  };
  const text = formatLink(linked, LAYERS, CONTROLS);
  assert.ok(text.startsWith("x=-1.234&y=0.5&view=0.5,-0.25,2&layers=images&A=1,2&digit=3"), text);
  assert.deepEqual(parseLink(`#${text}`, LAYERS, CONTROLS), linked);
});

test("the usual layers and the whole map are left out", () => {
  const text = formatLink({ ...NEW, z: { x: 0, y: 0 } }, LAYERS, CONTROLS);
  assert.equal(
    text,
    "x=0&y=0&digit=8&amount=0.5&from=5&methods=linear,data&even=false&anchor=typical",
  );
});

test("names of before are understood", () => {
  const { layers, values } = parseLink("layers=pictures&ways=data,linear", LAYERS, CONTROLS);
  assert.deepEqual(layers, { points: false, images: true });
  assert.deepEqual(values.methods, ["linear", "data"]);
});

test("what is impossible is as on a new page", () => {
  const hash = "x=&y=1&view=1,2,-3&A=1&digit=12&amount=a&from=here&methods=none&even=1&anchor=x";
  const found = parseLink(hash, LAYERS, CONTROLS);
  assert.deepEqual(found, { ...NEW, values: { ...NEW.values, from: "here" } });
  assert.equal(parseLink("x=1&y=Infinity", LAYERS, CONTROLS).z, null);
});

test("numbers are read in their steps", () => {
  assert.equal(readValue(CONTROLS[1], "0.151"), 0.15);
  assert.equal(readValue(CONTROLS[2], "9"), 9);
  assert.equal(readValue(CONTROLS[2], "B"), null);
});

test("an empty choice is left out, and a step of the tour alone has no position", () => {
  const options = ["", "cloud"];
  const tour = /** @type {Control} */ ({
    name: "tour",
    kind: "choice",
    options,
    aliases: [],
    default: "",
  });
  const z = { x: 0, y: 0 };
  assert.ok(!formatLink({ ...NEW, z, values: { tour: "" } }, LAYERS, [tour]).includes("tour"));
  const { z: none, values } = parseLink("#tour=cloud", LAYERS, [tour]);
  assert.equal(none, null);
  assert.equal(values.tour, "cloud");
  assert.equal(parseLink("#tour=nowhere", LAYERS, [tour]).values.tour, "");
});

test("a link that cannot be read says what to give", () => {
  const faults = {
    "": "",
    "x=1&y=2&A=1,2&digit=99": "",
    "x=nan&y=1": "x in the link is “nan”; give a number.",
    "x=1&y=": "y in the link is “”; give a number.",
    "A=1": "A in the link is “1”; give 2 numbers with commas between them.",
    "z=1,2,3": "The link is for a model with more than two dimensions; open it with that model.",
  };
  for (const [hash, sentence] of Object.entries(faults)) {
    assert.equal(describeFault(`#${hash}`), sentence, hash);
  }
});

test("above two dimensions a link names the numbers that it lacks", () => {
  const space = new Plane({
    origin: [0, 0, 0],
    axes: [
      [1, 0, 0],
      [0, 1, 0],
    ],
  });
  const needed = "give 3 numbers with commas between them.";
  const plane = "give two dimensions and a position, or three positions, with colons between them.";
  const faults = {
    "z=1,2,3&A=0,0,0&plane=1,3:0,0,0": "",
    "x=1&y=2": "",
    "z=1,2": `z in the link is “1,2”; ${needed}`,
    "z=1,2,NaN": `z in the link is “1,2,NaN”; ${needed}`,
    "z=1,2,3,4": `z in the link is “1,2,3,4”; ${needed}`,
    "z=1,2,3&B=4": `B in the link is “4”; ${needed}`,
    "plane=1,3": `plane in the link is “1,3”; ${plane}`,
    "plane=1,3:0,0": `plane in the link is “1,3:0,0”; ${plane}`,
  };
  for (const [hash, sentence] of Object.entries(faults)) {
    assert.equal(describeFault(`#${hash}`, space), sentence, hash);
  }
  const long = describeFault(`#z=${"1,".repeat(4096)}`, space);
  assert.ok(long.length < 120, long);
});

test("the key of a model is kept, and no other text", () => {
  const compare = /** @type {Control} */ ({
    name: "compare",
    kind: "key",
    aliases: [],
    default: "",
  });
  const z = { x: 0, y: 0 };
  const text = formatLink({ ...NEW, z, values: { compare: "vae_low.beta-2" } }, LAYERS, [compare]);
  assert.equal(text, "x=0&y=0&compare=vae_low.beta-2");
  assert.equal(parseLink(text, LAYERS, [compare]).values.compare, "vae_low.beta-2");
  for (const wrong of ["../runs/a", "a b", "", "x".repeat(101)]) {
    assert.equal(parseLink(`compare=${wrong}`, LAYERS, [compare]).values.compare, "");
  }
  const none = { ...NEW, z, values: { compare: "" } };
  assert.equal(formatLink(none, LAYERS, [compare]), "x=0&y=0");
});
