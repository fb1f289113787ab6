/** How a lesson ended: where, what was learnt and the images that show it. */

import { contextOf, find, imageCanvas, make, signed } from "../core/dom.js";
import { describeAll } from "./progress.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./course.js").Course} Course */

const ENDED = { solved: "✓ Solved", shown: "Solution shown" };

/** @param {Page} page @param {import("./course.js").Outcome["images"][number]} image */
function makeFigure({ images, state }, { caption, position }) {
  const canvas = imageCanvas();
  canvas.role = "img";
  canvas.ariaLabel = `The image decoded ${caption.toLowerCase()}`;
  images.loaded.then(
    () => images.paint(contextOf(canvas), state.plane.position(position)),
    () => {}, // the decoded image says so
  );
  const figure = make("figure");
  figure.append(canvas, make("figcaption", caption));
  return figure;
}

/** @param {Page} page @param {HTMLElement} root of the lessons @param {Course} course */
export function showOutcome(page, root, { outcome, outcomes, current }) {
  const box = find(root, ".solved");
  const shown = outcome ? `${current} ${outcome.how}` : "";
  if (box.dataset.lesson === shown) return; // a live region repeats what is written again
  box.dataset.lesson = shown;
  box.replaceChildren();
  if (!outcome) return;
  const { x, y } = outcome.at;
  const head = `${ENDED[outcome.how]} at (${signed(x)}, ${signed(y)}).`;
  const all = describeAll(outcomes.map((some) => some?.how ?? null));
  box.append(make("b", `${head} ${all}`.trim()), make("span", page.props.lessons[current].learnt));
  if (!outcome.images.length) return;
  const figures = make("div", "", "images");
  figures.append(...outcome.images.map((image) => makeFigure(page, image)));
  box.append(figures);
}
