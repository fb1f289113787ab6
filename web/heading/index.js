/** The top of the page: its link, its type size, its theme, and the list of shortcuts. */

import { findButton } from "../core/dom.js";
import { startCopying } from "../map/index.js";
import { startShortcuts } from "./shortcuts.js";
import { startTypeSize } from "./type_size.js";

/** @param {import("../page.js").Page} page @param {HTMLElement} element */
export function start(page, element) {
  startCopying(page, findButton(element, "#copy-link"));
  findButton(element, "#theme").addEventListener("click", () => {
    document.body.classList.toggle("dark"); // Gradio follows the system; this overrides it
  });
  startTypeSize(page.state, findButton(element, "#large-type"));
  startShortcuts(element, page.state.signal);
}
