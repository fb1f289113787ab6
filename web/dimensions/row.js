/** One dimension: its name, its KL, a slider, and the images along it. */

import { contextOf, imageCanvas, make, makeButton, signed, write } from "../core/dom.js";
import { dimensionName } from "../core/plane.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {Page["props"]["dims"][number]} Dimension */

const REACH = 3; // as in explorer/dimensions.py
const STEPS = 7;
export const VALUES = Array.from(
  { length: STEPS },
  (_, i) => (2 * REACH * i) / (STEPS - 1) - REACH,
);

/** The image of a strip that a value is closest to; -1 beyond its ends. @param {number} value */
export function nearestStep(value) {
  const step = (2 * REACH) / (STEPS - 1);
  const i = Math.round((value + REACH) / step);
  return i >= 0 && i < STEPS ? i : -1;
}

export class DimensionRow {
  #page;
  #index;
  #slider = make("input");
  #output = make("output");
  #name;
  /** @type {{ button: HTMLButtonElement, context: CanvasRenderingContext2D }[]} */
  #images;
  #current = -1;

  /**
   * @param {Page} page @param {Dimension} dimension @param {number} most KL of all
   * @param {(dimension: number) => void} show turns the plane toward a dimension
   */
  constructor(page, dimension, most, show) {
    this.#page = page;
    this.#index = dimension.dimension - 1;
    const name = dimensionName(dimension.dimension);
    this.#name = makeButton(name, () => show(dimension.dimension));
    this.#name.className = "name";
    this.#name.title = `Turn the map toward ${name}`;
    const kl = make("span", "", "kl");
    const bar = make("i");
    bar.style.setProperty("--share", `${most > 0 ? dimension.kl / most : 0}`);
    kl.append(bar, make("b", dimension.kl.toFixed(2)));
    const { items } = page.props.info;
    kl.title = `KL ${dimension.kl.toFixed(2)} nats. The encoded ${items} have mean ${signed(dimension.mean)} and standard deviation ${dimension.sd.toFixed(2)} along ${name}`;
    this.#startSlider(name);
    this.#images = VALUES.map((value) => this.#makeImage(name, value));
    const strip = make("span", "", "strip");
    strip.append(...this.#images.map(({ button }) => button));
    /** The row itself. */
    this.element = make("li");
    this.element.append(this.#name, kl, this.#slider, this.#output, strip);
  }

  /** @param {string} name */
  #startSlider(name) {
    const { state, props } = this.#page;
    const slider = this.#slider;
    Object.assign(slider, { type: "range", step: "0.01" });
    slider.min = `${-props.range}`;
    slider.max = `${props.range}`;
    slider.ariaLabel = name;
    slider.addEventListener("input", () => this.#set(Number(slider.value)));
    slider.addEventListener("pointerdown", () => {
      state.hold(true);
      const once = { once: true, signal: state.signal };
      addEventListener("pointerup", () => state.hold(false), once);
      addEventListener("pointercancel", () => state.hold(false), once);
    });
  }

  /** @param {string} name @param {number} value */
  #makeImage(name, value) {
    const button = makeButton("", () => this.#set(value));
    button.ariaLabel = `Set ${name} to ${signed(value, 0)}`;
    button.title = `${name} = ${signed(value, 0)}`;
    const canvas = imageCanvas();
    button.append(canvas);
    return { button, context: contextOf(canvas) };
  }

  /** Moves z along the dimension. @param {number} value */
  #set(value) {
    const { state } = this.#page;
    const z = state.plane.coordinates(state.z);
    z[this.#index] = value;
    state.set(state.plane.position(z), "dimension");
  }

  /** Shows where z is. @param {readonly number[]} z */
  move(z) {
    const value = z[this.#index];
    if (Math.abs(Number(this.#slider.value) - value) > 0.005) this.#slider.value = `${value}`;
    write(this.#output, signed(value));
    const current = nearestStep(value);
    if (current === this.#current) return;
    this.#images[this.#current]?.button.removeAttribute("aria-current");
    if (current >= 0) this.#images[current].button.ariaCurrent = "true";
    this.#current = current;
  }

  /** Whether the map shows it on an axis. */
  showPlane() {
    const { spec } = this.#page.state.plane;
    const shown = spec.kind === "dimensions" && spec.dimensions.includes(this.#index + 1);
    this.#name.ariaPressed = `${shown}`;
  }

  /** Decodes the images around a position. @param {readonly number[]} z */
  paint(z) {
    const { images, state } = this.#page;
    const moved = [...z];
    for (const [i, { context }] of this.#images.entries()) {
      moved[this.#index] = VALUES[i];
      images.paint(context, state.plane.position(moved));
    }
  }
}
