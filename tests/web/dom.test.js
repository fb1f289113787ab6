import assert from "node:assert/strict";
import { test } from "node:test";
import { showList } from "../../web/core/dom.js";

/** A stand-in for an element. */
class Parent {
  /** @type {object[]} */
  children = [];

  replaceChildren(/** @type {object[]} */ ...children) {
    this.children = children;
  }
}

test("the elements of a list stay until it lists something else", () => {
  const parent = new Parent();
  const list = (/** @type {object[]} */ items) =>
    showList(/** @type {any} */ (parent), items, (item, i) => /** @type {any} */ ({ item, i }));
  assert.deepEqual(list([{ key: "a" }, { key: "b" }]), parent.children);
  const kept = parent.children;
  assert.equal(list([{ key: "a" }, { key: "b" }]), null);
  assert.equal(parent.children, kept);
  assert.equal(list([{ key: "b" }])?.length, 1);
  assert.deepEqual(parent.children, [{ item: { key: "b" }, i: 0 }]);
  assert.deepEqual(list([]), []);
});
