/** Rows of the film strip as files; explorer/exports.py makes them. */

import { bytesOf, make, makeButton } from "../core/dom.js";

/** @typedef {import("../core/server.js").Server} Server */
/** @typedef {{ points: number[][], curve: number[][], title: string }} SavedRow */

const NAME = "Save";
const FAILURE = 4000; // ms that it stays on the button
const KINDS = {
  png: "Strip (PNG)",
  gif: "Animation (GIF)",
  webp: "Animation (WebP)",
  json: "Path (JSON)",
};

/** Hands a file to the user. @param {{ name: string, type: string, data: string }} file data: base64 */
export function download({ name, type, data }) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([bytesOf(data)], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A menu of the files that a row can be saved as. @param {Server} server @param {SavedRow} row */
export function makeSaveMenu(server, row) {
  const menu = make("details", "", "save menu");
  const summary = make("summary", NAME);
  const list = make("div");
  async function save(/** @type {string} */ kind) {
    menu.open = false;
    summary.textContent = "Saving…";
    try {
      download(await server.ask("export", kind, row));
      summary.textContent = NAME;
    } catch {
      summary.textContent = "Could not save: try again";
      setTimeout(() => {
        summary.textContent = NAME;
      }, FAILURE);
    }
  }
  for (const [kind, text] of Object.entries(KINDS)) {
    const button = makeButton(text, () => save(kind));
    button.dataset.kind = kind;
    list.append(button);
  }
  menu.append(summary, list);
  return menu;
}
