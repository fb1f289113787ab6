/** What has come of each lesson, and whether the cursor is getting closer. */

/** @typedef {import("../core/view.js").Position} Position */

/**
 * How a lesson ended. It is frozen: later moves neither undo nor contradict it.
 *
 * @typedef {{
 *   how: "solved" | "shown", at: Position, message: string,
 *   images: { caption: string, position: number[] }[],
 * }} Outcome images: positions, D numbers, whose images show the solution
 */

const SAME = 0.005; // of the map; a change that rounds to nothing

/**
 * A sentence on how far away the nearest solution is, and whether it is closer than before.
 *
 * @param {number | null} distance in units of the map; null: none is known
 * @param {number | null} before at the position before this one; null at the first
 * @param {boolean} all whether solutions were looked for all over the space, as on a map of it
 */
export function describeDistance(distance, before, all = true) {
  if (distance === null) {
    return "No position near the centre solves this lesson with this model. Go on to the next one.";
  }
  const nearest = all ? "nearest" : "nearest known";
  const away = `The ${nearest} solution is ${distance.toFixed(2)} away`;
  if (before === null) return `${away}.`;
  const change = distance - before;
  if (Math.abs(change) < SAME) return `${away}, as far as before.`;
  const by = Math.abs(change).toFixed(2);
  return change < 0
    ? `Warmer: ${lower(away)}, ${by} closer than before.`
    : `Colder: ${lower(away)}, ${by} farther than before.`;
}

/** @param {string} sentence */
const lower = (sentence) => sentence[0].toLowerCase() + sentence.slice(1);

export class Course {
  current = 0;
  /** @type {(Outcome | null)[]} */
  #outcomes;
  /** @type {number | null} where the newest check of the current lesson was */
  #distance = null;

  #all;

  /**
   * @param {readonly (Outcome | null)[]} outcomes of the lessons so far
   * @param {boolean} all solutions are known, and not some
   */
  constructor(outcomes, all = true) {
    this.#all = all;
    this.#outcomes = [...outcomes];
  }

  get outcomes() {
    return /** @type {readonly (Outcome | null)[]} */ (this.#outcomes);
  }

  /** Of the current lesson. */
  get outcome() {
    return this.#outcomes[this.current];
  }

  /** @param {number} index */
  open(index) {
    this.current = index;
    this.#distance = null;
  }

  /** Ends the current lesson, unless it has ended. @param {Outcome} outcome */
  end(outcome) {
    this.#outcomes[this.current] ??= outcome;
  }

  /** Begins the current lesson anew. */
  begin() {
    this.#outcomes[this.current] = null;
    this.#distance = null;
  }

  /** Begins all lessons anew. */
  beginAll() {
    this.#outcomes.fill(null);
    this.open(0);
  }

  /** Compares a position of the current lesson with the one before it. @param {number | null} distance */
  compare(distance) {
    const sentence = describeDistance(distance, this.#distance, this.#all);
    this.#distance = distance;
    return sentence;
  }
}
