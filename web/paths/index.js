/** The tab Paths: comparison of paths, experiments, and the images along the paths. */

import { startComparison, startExperiments } from "./actions.js";
import { startForm } from "./form.js";
import { FilmStrip } from "./strip.js";

/** @param {import("../page.js").Page} page @param {HTMLElement} element */
export function start(page, element) {
  const strip = new FilmStrip(page, element);
  startForm(page, element);
  startComparison(page, element, strip);
  startExperiments(page, element, strip);
}
