/**
 * What the encoder makes of an image: drawn or uploaded by the user, or taken from the test set.
 */

import { find, findButton } from "../core/dom.js";
import { startDrops } from "./drops.js";
import { makeExample } from "./example.js";
import { Pad } from "./pad.js";
import { Reader } from "./reader.js";
import { ReadingView } from "./reading.js";
import { Uploads } from "./uploads.js";

/** @typedef {import("../page.js").Page} Page */

/**
 * The button that opens a random test image.
 *
 * @param {Page} page @param {HTMLElement} root @param {Reader} reader @param {ReadingView} view
 */
function startRandom(page, root, reader, view) {
  findButton(root, ".random").addEventListener("click", async () => {
    const isNewest = reader.begin();
    try {
      const { labels } = await page.encodings;
      if (isNewest()) page.openImage(Math.floor(Math.random() * labels.length), true);
    } catch {
      if (isNewest()) view.fail("The encodings could not be loaded. Reload the page.");
    }
  });
}

/** @param {Page} page @param {HTMLElement} element */
export function start(page, element) {
  const { state, props } = page;
  const root = find(element, ".draw");
  const isOpen = () => state.tab === "draw";
  const view = new ReadingView(page, root);
  const reader = new Reader(page, () => view.wait());
  const pad = new Pad(root, props.pad, (strokes) => reader.readStrokes(strokes));
  const uploads = new Uploads(root, {
    reader,
    maxBytes: props.pad.max_bytes,
    onShown: () => pad.show([]),
    onFailure: (message) => view.fail(message),
  });

  function edit(/** @type {typeof pad.strokes} */ strokes) {
    uploads.hide();
    pad.show(strokes);
    if (strokes.length) pad.readSoon();
    else state.showReading(null);
  }
  findButton(root, ".undo").addEventListener("click", () => edit(pad.strokes.slice(0, -1)));
  findButton(root, ".clear").addEventListener("click", () => edit([]));
  startRandom(page, root, reader, view);
  const { signal } = page.state;
  startDrops(find(root, ".sheet"), isOpen, (dropped) => uploads.readDropped(dropped), signal);

  state.subscribe("reading", () => {
    const { reading } = state;
    if (!reading?.fromUser) uploads.hide();
    if (reading && !reading.fromUser) pad.show([]);
    if (!isOpen()) return;
    view.show();
    if (!reading) showExample();
  });
  const showExample = makeExample(page, view);
  state.subscribe("tab", () => {
    if (!isOpen()) return;
    view.refresh();
    if (!state.reading) showExample();
  });
}
