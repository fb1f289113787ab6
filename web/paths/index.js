/** The tab Paths: comparison of paths, experiments, and the images along the paths. */

import { find } from "../core/dom.js";
import { startComparison, startExperiments } from "./actions.js";
import { startExample } from "./example.js";
import { startForm } from "./form.js";
import { FilmStrip } from "./strip.js";

/** @param {import("../page.js").Page} page @param {HTMLElement} element */
export function start(page, element) {
  const strip = new FilmStrip(page, element);
  startExample(page, find(element, ".example"));
  startForm(page, element);
  startComparison(page, element, strip);
  startExperiments(page, element, strip);
}
