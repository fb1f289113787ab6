/** How far from the centre the data lives: |z| of the images, of the prior, and of the cursor. */

import { find, make, makeSvg, write } from "../core/dom.js";
import { priorRadius } from "../core/neighbours.js";

/** @typedef {import("../page.js").Page} Page */

/**
 * What explorer/norms.py counts: densities in bins from 0 to `most`, of |mu| of the encodings, of |z|
 * of draws from their posteriors, and of the prior; and the |mu| that 5, 50 and 95 % stay below.
 *
 * @typedef {{
 *   means: number[], data: number[], prior: number[], most: number, typical: number[],
 * }} Norms
 */

const PLOT = { width: 460, height: 118, top: 6, bottom: 22 }; // in its own units

/** Where the plot shows a radius and a density. @param {Norms} norms */
export function normScale({ means, data, prior, most }) {
  const { width, height, top, bottom } = PLOT;
  const highest = Math.max(...means, ...data, ...prior);
  return {
    x: (/** @type {number} */ radius) => (Math.min(radius, most) / most) * width,
    y: (/** @type {number} */ density) =>
      height - bottom - (density / highest) * (height - bottom - top),
  };
}

/** The distribution of the encodings as an area, the others as lines. @param {Norms} norms */
function makePlot(norms) {
  const { width, height, bottom } = PLOT;
  const { x, y } = normScale(norms);
  const step = norms.most / norms.means.length;
  const plot = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const steps = norms.means.map((v, i) => `V${y(v).toFixed(1)}H${x((i + 1) * step).toFixed(1)}`);
  const lineOf = (/** @type {number[]} */ densities) =>
    `M${densities.map((v, i) => `${x((i + 0.5) * step).toFixed(1)} ${y(v).toFixed(1)}`).join("L")}`;
  plot.append(
    makeSvg("path", { class: "means", d: `M0 ${y(0)}${steps.join("")}V${y(0)}Z` }),
    makeSvg("path", { class: "data", d: lineOf(norms.data) }),
    makeSvg("path", { class: "prior", d: lineOf(norms.prior) }),
    makeSvg("path", { class: "axis", d: `M0 ${y(0)}H${width}` }),
  );
  for (let radius = 1; radius < norms.most; radius++) {
    plot.append(makeSvg("text", { x: x(radius), y: height - bottom + 16 }, radius));
  }
  return plot;
}

/** @param {Page} page @param {HTMLElement} element */
export function startNorms({ props, state }, element) {
  const { norms, info } = props;
  if (!norms) return;
  const [low, , high] = norms.typical.map((v) => v.toFixed(1));
  const plot = makePlot(norms);
  const { x, y } = normScale(norms);
  const cursor = makeSvg("path", { class: "cursor" });
  plot.append(cursor);
  find(element, "figure").prepend(plot);
  const text = find(element, "figcaption");
  const value = make("b");
  text.append(
    "|z| is ",
    value,
    ` at the cursor. Area: the encoded ${info.items} (means μ), 90 % of them between ${low} and ${high}. Solid line: draws from their clouds. Dashed line: the prior.`,
  );
  function show() {
    const radius = priorRadius(state.plane.coordinates(state.z));
    write(value, radius.toFixed(2));
    cursor.setAttribute("d", `M${x(radius).toFixed(1)} ${PLOT.top}V${y(0)}`);
  }
  state.subscribe("position", show);
  show();
}
