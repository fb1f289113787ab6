/** The choice of the plane that the map shows. */

import { find, make } from "../core/dom.js";
import { dimensionName } from "../core/plane.js";
import { turnTo } from "../plane/turn.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/plane.js").Spec} Spec */

const FIRST = [0, 1, 2]; // classes whose prototypes are chosen at first

/**
 * The two dimensions to show after a press on one: it becomes x, and y is what was x, or the most used.
 *
 * @param {number} dimension @param {readonly number[]} shown on the axes now, if these are dimensions
 * @param {readonly number[]} byUse all dimensions, the most used first
 */
export function dimensionsWith(dimension, shown, byUse) {
  const other = [...shown, ...byUse].find((some) => some !== dimension);
  return [dimension, other ?? dimension];
}

/** A menu of numbers and their names. @param {[number, string][]} options @param {number} value @param {string} label */
function makeMenu(options, value, label) {
  const menu = make("select");
  menu.ariaLabel = label;
  for (const [key, text] of options) menu.add(new Option(text, `${key}`));
  menu.value = `${value}`;
  return menu;
}

export class Turning {
  #page;
  #kind;
  #which;
  #failed;
  /** @type {HTMLSelectElement[]} */
  #menus = [];
  #picked; // the choice in words

  /** @param {Page} page @param {HTMLElement} element */
  constructor(page, element) {
    this.#page = page;
    this.#kind = find(element, "#plane-kind", HTMLSelectElement);
    this.#which = find(element, ".which");
    this.#failed = find(element, ".failed");
    this.#picked = this.#kind.value;
    this.#kind.addEventListener("change", () => {
      this.#picked = this.#kind.value;
      this.#offer();
      this.#ask();
    });
    page.state.subscribe("plane", () => this.#follow());
    this.#offer();
  }

  /** Turns the map toward a dimension. @param {number} dimension */
  show(dimension) {
    const { props, state } = this.#page;
    const { spec } = state.plane;
    const shown = spec.kind === "dimensions" ? spec.dimensions : [];
    const byUse = props.dims.map((some) => some.dimension);
    this.#turn(this.#ofDimensions(dimensionsWith(dimension, shown, byUse)));
  }

  /** @param {number[]} dimensions @returns {Spec} */
  #ofDimensions(dimensions) {
    const { plane, z } = this.#page.state;
    return { kind: "dimensions", dimensions, through: plane.coordinates(z) };
  }

  // After a turn from elsewhere, such as a link.
  #follow() {
    const { spec } = this.#page.state.plane;
    const agrees = spec.kind === "points" && ["points", "prototypes"].includes(this.#picked);
    if (!agrees) this.#picked = spec.kind;
    this.#kind.value = this.#picked;
    this.#offer();
  }

  /** The menus that belong to the choice. */
  #offer() {
    const { props, state } = this.#page;
    const { spec } = state.plane;
    const before = this.#menus.map(({ value }) => Number(value));
    if (this.#picked === "dimensions") {
      const shown =
        spec.kind === "dimensions"
          ? spec.dimensions
          : props.dims.slice(0, 2).map(({ dimension }) => dimension);
      /** @type {[number, string][]} */
      const options = props.dims.map(({ dimension }) => [dimension, dimensionName(dimension)]);
      this.#menus = shown.map((value, i) => makeMenu(options, value, i ? "y" : "x"));
    } else if (this.#picked === "prototypes") {
      const shown = before.length === 3 ? before : FIRST;
      /** @type {[number, string][]} */
      const options = props.names.map((name, label) => [label, name]);
      this.#menus = shown.map((value, i) => makeMenu(options, value, `Prototype ${i + 1}`));
    } else this.#menus = [];
    for (const menu of this.#menus) menu.addEventListener("change", () => this.#ask());
    this.#which.replaceChildren(...this.#menus);
  }

  /** @returns {Promise<Spec | null>} null: not all points are set */
  async #spec() {
    const { props, state } = this.#page;
    const values = this.#menus.map(({ value }) => Number(value));
    if (this.#picked === "principal") return { kind: "principal" };
    if (this.#picked === "dimensions") return this.#ofDimensions(values);
    if (this.#picked === "prototypes") {
      return { kind: "points", points: values.map((label) => props.anchors.typical[label]) };
    }
    if (!(state.marks.A && state.marks.B) && !(await state.pick())) return null;
    const { A, B } = state.marks;
    if (!A || !B) return null;
    const points = [A, B, state.z].map((point) => state.plane.coordinates(point));
    return { kind: "points", points };
  }

  async #ask() {
    const spec = await this.#spec();
    if (spec) await this.#turn(spec);
    else this.#follow();
  }

  /** @param {Spec} spec */
  async #turn(spec) {
    this.#failed.textContent = "";
    try {
      await turnTo(this.#page, spec);
    } catch (error) {
      this.#failed.textContent = /** @type {Error} */ (error).message;
    }
  }
}
