/** The learning curves of the replay. */

import { make, makeSvg } from "../core/dom.js";
import { momentAt, valueAt } from "./replay.js";

/** @typedef {import("./replay.js").Replay} Replay */

/**
 * `zero`: whether the axis starts at 0.
 *
 * @typedef {{
 *   name: import("./replay.js").CurveName, title: string, unit: string, decimals: number,
 *   zero?: boolean,
 * }} Curve
 */

/** @type {Curve[]} */
export const CURVES = [
  { name: "recon", title: "Reconstruction error", unit: "nats", decimals: 1 },
  { name: "kl", title: "KL divergence from the prior", unit: "nats", decimals: 2, zero: true },
  { name: "beta", title: "Weight of the KL term (beta)", unit: "", decimals: 2, zero: true },
];
const MIN_WIDTH = 160; // pixels
const HEIGHT = 104;
const FIRST = 58; // pixels that the name of the first tick takes
const MARGIN = { left: 38, right: 10, top: 7, bottom: 21 };

/**
 * Round values, about two to four between low and high.
 *
 * @param {number} low @param {number} high
 */
export function ticks(low, high) {
  const rough = (high - low) / 2.5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5].find((f) => f * power >= rough * 0.999) ?? 10;
  const step = factor * power;
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
    values.push(i * step || 0); // not -0
  }
  return values;
}

/** The class of the first or the second model's curve. @param {number} i */
const classOf = (i) => (i ? "curve second" : "curve");

/** One curve of each model, drawn at its displayed size, so that its text matches the page's. */
export class Plot {
  #curve;
  #replays;
  #last;
  #width = MIN_WIDTH;
  #values;
  #marker = makeSvg("path", { class: "marker" });
  #dots;
  #low;
  #high;

  /**
   * @param {Curve} curve @param {readonly Replay[]} replays @param {number} last epoch of the axis
   * @param {HTMLElement} holder
   */
  constructor(curve, replays, last, holder) {
    this.#curve = curve;
    this.#replays = replays;
    this.#last = last;
    const all = replays.flatMap(({ curves }) => curves[curve.name]);
    const most = Math.max(...all);
    this.#low = curve.zero ? 0 : Math.min(...all);
    this.#high = most > this.#low ? most : this.#low + 1;
    this.#values = replays.map(() => make("i"));
    this.#dots = replays.map(() => makeSvg("circle", { r: 4.5 }));
    const box = make("div", "", "plot");
    box.dataset.curve = curve.name;
    box.append(this.#heading());
    holder.append(box);
    this.#width = Math.max(MIN_WIDTH, box.clientWidth);
    box.append(this.#draw());
  }

  /** @param {number} epoch */
  #x(epoch) {
    const wide = this.#width - MARGIN.left - MARGIN.right;
    return MARGIN.left + (epoch / Math.max(1, this.#last)) * wide;
  }

  /** @param {number} value */
  #y(value) {
    const share = (value - this.#low) / (this.#high - this.#low);
    return HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.bottom - MARGIN.top);
  }

  // The title, and the value of each model, with a sample of its line if there are two.
  #heading() {
    const heading = make("p");
    heading.append(make("span", this.#curve.title));
    for (const [i, value] of this.#values.entries()) {
      const shown = make("b");
      if (this.#values.length > 1) {
        const sample = makeSvg("svg", {
          class: "sample",
          viewBox: "0 0 24 8",
          "aria-hidden": "true",
        });
        sample.append(makeSvg("path", { class: classOf(i), d: "M0 4H24" }));
        shown.append(sample);
      }
      shown.append(value);
      heading.append(shown);
    }
    return heading;
  }

  #draw() {
    const svg = makeSvg("svg", { viewBox: `0 0 ${this.#width} ${HEIGHT}`, role: "img" });
    svg.append(makeSvg("title", {}, `${this.#curve.title} by epoch`), ...this.#axes());
    for (const [i, { curves, epochs }] of this.#replays.entries()) {
      const vertices = curves[this.#curve.name].map(
        (value, k) => `${this.#x(epochs[k + 1]).toFixed(1)} ${this.#y(value).toFixed(1)}`,
      );
      svg.append(makeSvg("path", { class: classOf(i), d: `M${vertices.join("L")}` }));
    }
    svg.append(this.#marker, ...this.#dots);
    return svg;
  }

  #axes() {
    const { left, right } = MARGIN;
    const parts = [];
    for (const value of ticks(this.#low, this.#high)) {
      const y = this.#y(value);
      parts.push(makeSvg("path", { class: "rule", d: `M${left} ${y}H${this.#width - right}` }));
      const at = { x: left - 6, y: y + 4, "text-anchor": "end" };
      parts.push(makeSvg("text", at, Number(value.toFixed(6))));
    }
    for (const epoch of ticks(0, this.#last).filter(Number.isInteger)) {
      if (epoch && this.#x(epoch) < left + FIRST) continue;
      const [x, anchor] = epoch ? [this.#x(epoch), "middle"] : [left - 3, "start"];
      const at = { x, y: HEIGHT - 3, "text-anchor": anchor };
      parts.push(makeSvg("text", at, epoch || "epoch 0"));
    }
    return parts;
  }

  /** Marks an epoch and says each model's value there. @param {number} epoch */
  mark(epoch) {
    const { name, unit, decimals } = this.#curve;
    const { top, bottom } = MARGIN;
    this.#marker.setAttribute("d", `M${this.#x(epoch).toFixed(1)} ${top}V${HEIGHT - bottom}`);
    for (const [i, replay] of this.#replays.entries()) {
      const at = momentAt(replay, epoch);
      const value = valueAt(replay, name, at);
      const dot = this.#dots[i];
      dot.toggleAttribute("hidden", value === null);
      this.#values[i].textContent =
        value === null ? "–" : `${value.toFixed(decimals)} ${unit}`.trim();
      if (value === null) continue;
      dot.setAttribute("cx", this.#x(replay.epochs[at]).toFixed(1));
      dot.setAttribute("cy", this.#y(value).toFixed(1));
    }
  }
}
