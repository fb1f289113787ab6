import assert from "node:assert/strict";
import { test } from "node:test";
import { Course, describeDistance } from "../../web/lessons/course.js";

test("the distance says warmer or colder, and by how much", () => {
  assert.equal(describeDistance(0.5, null), "The nearest solution is 0.50 away.");
  assert.match(describeDistance(0.38, 0.5), /^Warmer: the nearest .* 0\.38 away, 0\.12 closer/);
  assert.match(describeDistance(0.7, 0.5), /^Colder: the nearest .* 0\.70 away, 0\.20 farther/);
  assert.match(describeDistance(0.501, 0.5), /as far as before/);
  assert.match(describeDistance(null, 0.5), /Go on to the next one/);
});

test("each position is compared with the one before it, of the same lesson", () => {
  const course = new Course([null, null]);
  course.compare(0.5);
  assert.match(course.compare(0.4), /^Warmer/);
  assert.match(course.compare(0.45), /^Colder/);
  course.open(1);
  assert.doesNotMatch(course.compare(0.1), /Warmer|Colder/);
});

test("an outcome is frozen until the lesson is begun anew", () => {
  const course = new Course([null, null]);
  const at = { x: 1, y: 2 };
  const won = { how: /** @type {const} */ ("solved"), at, message: "won", images: [] };
  course.end(won);
  course.end({ ...won, how: "shown", message: "later" });
  assert.deepEqual(course.outcome, won);
  course.open(1);
  assert.equal(course.outcome, null);
  course.open(0);
  assert.deepEqual(course.outcomes, [won, null]);
  course.begin();
  assert.equal(course.outcome, null);
});

test("what was kept goes on, until all lessons are begun anew", () => {
  const at = { x: 1, y: 2 };
  const won = { how: /** @type {const} */ ("solved"), at, message: "won", images: [] };
  const course = new Course([null, won]);
  course.open(1);
  assert.deepEqual(course.outcome, won);
  course.beginAll();
  assert.equal(course.current, 0);
  assert.deepEqual(course.outcomes, [null, null]);
});

test("where some solutions are known, nothing is said of the others", () => {
  assert.match(describeDistance(0.5, null, false), /^The nearest known solution is 0\.50 away\.$/);
  const course = new Course([null, null], false);
  course.compare(0.5);
  assert.match(course.compare(0.4), /^Warmer: the nearest known solution/);
});
