/** The table and the plot beneath the rows of a comparison. */

import { make, makeSvg } from "../core/dom.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./styles.js").PathStyles} PathStyles */

/**
 * A path with its measures; see explorer/interpolation.py.
 *
 * @typedef {{
 *   method: string, title: string, changes: number[], length: number, largest_step: number,
 *   support: number, passes: string[], norms?: number[], typical_norms?: number[],
 * }} ComparedRow norms: |z| along the path, above two dimensions
 */

/** @typedef {{ text: string, best: boolean }} Cell */

// Of the plot, in its own units; the axes and their numbers take the left and the bottom.
const PLOT = { width: 460, height: 190, left: 36, top: 14, bottom: 34 };
const MAX_TICKS = 12;

/**
 * The cells of the table, row by row: length, largest step, support, classes.
 *
 * @param {readonly ComparedRow[]} rows
 * @returns {Cell[][]}
 */
export function tableCells(rows) {
  const straight = rows.find(({ method }) => method === "linear");
  // Equal is what reads equal: two different figures are never both the smallest.
  const best = {
    length: Math.min(...rows.map(({ length }) => length)).toFixed(1),
    step: Math.min(...rows.map(({ largest_step }) => largest_step)).toFixed(2),
    support: Math.max(...rows.map(({ support }) => support)),
  };
  return rows.map((row) => {
    const { length, largest_step: step, support, passes, norms } = row;
    const least = norms && Math.min(...norms);
    const ratio =
      straight && straight !== row && straight.length > 0
        ? ` (${(length / straight.length).toFixed(2)} ×)`
        : "";
    return [
      { text: length.toFixed(1) + ratio, best: length.toFixed(1) === best.length },
      { text: step.toFixed(2), best: step.toFixed(2) === best.step },
      { text: `${support}`, best: support === best.support },
      ...(least === undefined ? [] : [{ text: least.toFixed(2), best: false }]),
      { text: passes.join(" → "), best: false },
    ];
  });
}

/**
 * One sentence on which of the compared paths to use; nothing where there is no choice.
 *
 * @param {readonly Pick<ComparedRow, "title" | "largest_step" | "support">[]} rows
 * @param {Page["props"]["info"]} info
 */
export function recommend(rows, { item, items }) {
  if (rows.length < 2) return "";
  const [smooth] = [...rows].sort((a, b) => a.largest_step - b.largest_step);
  const [near] = [...rows].sort((a, b) => b.support - a.support || a.largest_step - b.largest_step);
  const most = near.support;
  const smoothest = `“${smooth.title}” for the smoothest change (largest step ${smooth.largest_step.toFixed(2)})`;
  const least = `${most} test ${most === 1 ? item : items}`;
  if (near === smooth) {
    const also = most ? `; no other path has more support than its ${least}` : "";
    return `Use ${smoothest}${also}.`;
  }
  return `Use ${smoothest}, or “${near.title}” to stay near the data (at least ${least} around each point).`;
}

/**
 * Where the plot shows a change, of `most` at most, of the i-th of `steps` steps.
 *
 * @param {number} steps @param {number} most
 */
export function plotScale(steps, most) {
  const { width, height, left, top, bottom } = PLOT;
  return {
    x: (/** @type {number} */ i) => left + ((i + 0.5) / steps) * (width - left),
    y: (/** @type {number} */ change) =>
      height - bottom - (change / most) * (height - bottom - top),
  };
}

/** The line of a path's changes, as the attribute d. @param {readonly number[]} changes @param {ReturnType<typeof plotScale>} scale */
function plotLine(changes, { x, y }) {
  return `M${changes.map((change, i) => `${x(i).toFixed(1)} ${y(change).toFixed(1)}`).join("L")}`;
}

/** A line that `styleLines` gives the style of a method. @param {string} method @param {string} d */
function makeLine(method, d) {
  const line = makeSvg("path", { d, fill: "none", "stroke-width": 2.5 });
  line.dataset.method = method;
  return line;
}

/**
 * Draws all lines of paths within an element as the theme has them.
 *
 * @param {PathStyles} styles @param {HTMLElement} element
 */
export function styleLines(styles, element) {
  for (const line of element.querySelectorAll("path")) {
    const { method } = line.dataset;
    if (!method) continue;
    line.setAttribute("stroke", styles.colour(method));
    line.setAttribute("stroke-dasharray", styles.dash(method).join(" "));
  }
}

/** A short piece of the line that the map draws for a path. @param {string} method */
export function makeSample(method) {
  const sample = makeSvg("svg", { class: "sample", width: 38, height: 10, "aria-hidden": "true" });
  sample.append(makeLine(method, "M1 5H37"));
  return sample;
}

/** The change from image to image, one line a path. @param {readonly ComparedRow[]} rows */
function makePlot(rows) {
  const { width, height, left } = PLOT;
  const steps = rows[0].changes.length;
  const most = Math.max(...rows.flatMap(({ changes }) => changes)) || 1;
  const scale = plotScale(steps, most);
  const plot = makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  plot.append(
    makeSvg("title", {}, "How much each image differs from the one before, for each path"),
  );
  for (const value of [0, most / 2, most]) {
    const y = scale.y(value);
    plot.append(
      makeSvg("path", { class: "grid", d: `M${left} ${y}H${width}` }),
      makeSvg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, value.toFixed(1)),
    );
  }
  for (const { method, changes } of rows) plot.append(makeLine(method, plotLine(changes, scale)));
  for (let i = 0; i < steps; i += Math.ceil(steps / MAX_TICKS)) {
    const at = { x: scale.x(i), y: height - 18, "text-anchor": "middle" };
    plot.append(makeSvg("text", at, i + 1));
  }
  const middle = { x: (left + width) / 2, y: height - 2, "text-anchor": "middle" };
  plot.append(makeSvg("text", middle, "step"));
  return plot;
}

/** Where the encodings lie. @param {number[]} typical what 5, 50 and 95 % stay below @param {string} items */
function describeNorms([low, , high], items) {
  return `90 % of the encoded ${items} lie ${low.toFixed(1)} to ${high.toFixed(1)} away from it`;
}

/**
 * The columns, with what they mean.
 *
 * @param {Page["props"]} props @param {number[]} [typical] |z| of the encodings, above two dimensions
 * @returns {[string, string][]}
 */
const columns = ({ info: { items }, radius }, typical) => [
  ["path", "The curve on the map"],
  [
    "length",
    "The total change of the image along the path: its length in image space. Smallest in bold",
  ],
  ["largest step", "The largest change from one image to the next. Smallest in bold"],
  [
    "support",
    `The fewest test ${items} encoded within ${Number(radius.toFixed(3))} of a point on the path; 0: it crosses a ` +
      "region without data. Largest in bold",
  ],
  .../** @type {[string, string][]} */ (
    typical
      ? [["least |z|", `How close to the centre the path comes; ${describeNorms(typical, items)}`]]
      : []
  ),
  ["passes", "The most common classes along the path"],
];

/** @param {readonly ComparedRow[]} rows @param {Page["props"]} props */
function makeTable(rows, props) {
  const table = make("table");
  const head = table.createTHead().insertRow();
  for (const [name] of columns(props, rows[0].typical_norms)) {
    const cell = make("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const [i, cells] of tableCells(rows).entries()) {
    const { method, title } = rows[i];
    const name = make("th");
    name.scope = "row";
    name.append(makeSample(method), title);
    const line = body.insertRow();
    line.append(name);
    for (const { text, best } of cells) {
      line.insertCell().append(best ? make("b", text) : text);
    }
  }
  return table;
}

/** What the columns mean, where they stand. @param {Page["props"]} props @param {number[]} [typical] */
function makeLegend(props, typical) {
  const legend = make("dl", "", "legend");
  for (const [name, meaning] of columns(props, typical).slice(1)) {
    legend.append(make("dt", name), make("dd", `${meaning}.`));
  }
  return legend;
}

/** @param {Page} page @param {readonly ComparedRow[]} rows */
export function makeComparison({ props }, rows) {
  const comparison = make("div", "", "comparison");
  const figure = make("figure");
  figure.append(make("figcaption", "Change from image to image"), makePlot(rows));
  const typical = rows[0].typical_norms;
  const table = make("div");
  table.append(makeTable(rows, props), makeLegend(props, typical));
  comparison.append(figure, table);
  return comparison;
}
