/** The tab Dimensions, above two: what each dimension of z does, and which plane the map shows. */

import { find } from "../core/dom.js";
import { Rest } from "../core/rest.js";
import { download } from "../paths/save.js";
import { startNorms } from "./norms.js";
import { DimensionRow } from "./row.js";
import { Turning } from "./turning.js";

/** @typedef {import("../page.js").Page} Page */

const TAB = "dimensions";
const REST = 60; // ms without a move before the images are decoded

/** Paints rows one a frame, so that none is late; a new call ends the one before. */
function makeBrush() {
  let frame = 0;
  return (/** @type {DimensionRow[]} */ rows, /** @type {number[]} */ z) => {
    cancelAnimationFrame(frame);
    const left = [...rows];
    const next = () => {
      left.shift()?.paint(z);
      if (left.length) frame = requestAnimationFrame(next);
    };
    next();
  };
}

/** The buttons that save all rows as they are at z. @param {Page} page @param {HTMLElement} element */
function startSaving({ server, state }, element) {
  const text = find(element, "span");
  const usual = text.textContent;
  for (const button of element.querySelectorAll("button")) {
    button.addEventListener("click", async () => {
      text.textContent = "Saving…";
      try {
        const { kind } = button.dataset;
        download(await server.ask("table", kind, ...state.plane.asked(state.z)));
        text.textContent = usual;
      } catch (error) {
        text.textContent = /** @type {Error} */ (error).message;
      }
    });
  }
}

/** @param {Page} page @param {HTMLElement} element @param {HTMLElement} tab */
export function start(page, element, tab) {
  const { props, state, images } = page;
  if (state.plane.isWhole) return;
  tab.hidden = false;
  const turning = new Turning(page, find(element, ".turn"));
  startNorms(page, find(element, ".norms"));
  startSaving(page, find(element, ".save-table"));
  const most = Math.max(...props.dims.map(({ kl }) => kl));
  const unused = find(element, ".unused", HTMLDetailsElement);
  find(unused, "summary").textContent = `${props.unused_message}.`;
  unused.hidden = !props.unused_message;
  const rows = props.dims.map((dimension) => {
    const row = new DimensionRow(page, dimension, most, (shown) => turning.show(shown));
    find(dimension.used ? element : unused, ".rows").append(row.element);
    return { row, used: dimension.used };
  });
  const seen = () => rows.filter(({ used }) => used || unused.open).map(({ row }) => row);
  const brush = makeBrush();
  const isOpen = () => state.tab === TAB;
  const paint = () => {
    if (isOpen() && images.ready) brush(seen(), state.plane.coordinates(state.z));
  };
  const rest = new Rest(state, REST, paint);

  function follow() {
    if (!isOpen()) return;
    const z = state.plane.coordinates(state.z);
    for (const row of seen()) row.move(z);
    rest.await();
  }

  function showPlane() {
    for (const { row } of rows) row.showPlane();
  }

  state.subscribe("position", follow);
  state.subscribe("tab", follow);
  state.subscribe("plane", showPlane);
  unused.addEventListener("toggle", follow);
  showPlane();
  images.loaded.then(follow, () => {}); // the decoded image says so
}
