/** The top of the page: its link, its type size, its theme, and the list of shortcuts. */

import { findButton } from "../core/dom.js";
import { startCopying } from "../map/index.js";
import { startShortcuts } from "./shortcuts.js";

/** @param {import("../page.js").Page} page @param {HTMLElement} element */
export function start(page, element) {
  startCopying(page, findButton(element, "#copy-link"));
  findButton(element, "#theme").addEventListener("click", () => {
    document.body.classList.toggle("dark"); // Gradio follows the system; this overrides it
  });
  startShortcuts(element);
}
