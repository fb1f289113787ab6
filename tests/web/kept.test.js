import assert from "node:assert/strict";
import test from "node:test";
import { keepLessons, keptLessons } from "../../web/lessons/kept.js";

const NAMES = ["one", "two"];
const AT = { x: 1, y: 2 };
const WON = { how: /** @type {const} */ ("solved"), at: AT, message: "won", images: [] };

/** @param {Record<string, string>} items */
function store(items) {
  const storage = {
    getItem: (/** @type {string} */ key) => items[key] ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => {
      items[key] = value;
    },
  };
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  return items;
}

test("the lessons of each model are kept", () => {
  store({});
  keepLessons("a", NAMES, 1, [WON, null]);
  assert.deepEqual(keptLessons("a", NAMES), { current: 1, outcomes: [WON, null] });
  assert.deepEqual(keptLessons("b", NAMES), { current: 0, outcomes: [null, null] });
});

test("they are found by their names, whatever their order has become", () => {
  store({});
  keepLessons("a", NAMES, 1, [WON, null]);
  const other = keptLessons("a", ["two", "new", "one"]);
  assert.deepEqual(other, { current: 0, outcomes: [null, null, WON] });
});

test("what cannot be read is as if nothing had been kept", () => {
  const nothing = { current: 0, outcomes: [null, null] };
  for (const text of [
    "",
    "{",
    "null",
    "3",
    '{"outcomes": {"one": {"how": "won"}}}',
    '{"current": 7}',
  ]) {
    store({ "lessons a": text });
    assert.deepEqual(keptLessons("a", NAMES), nothing, text);
  }
});

test("a browser that refuses its storage keeps nothing and fails nowhere", () => {
  Object.defineProperty(globalThis, "localStorage", {
    get() {
      throw new Error("SecurityError");
    },
    configurable: true,
  });
  keepLessons("a", NAMES, 1, [WON, null]);
  assert.deepEqual(keptLessons("a", NAMES), { current: 0, outcomes: [null, null] });
});
