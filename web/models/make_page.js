/** The state and the data of a model's page; the comparison makes one for its second map. */

import { Encodings } from "../core/encodings.js";
import { Highlight } from "../core/highlight.js";
import { ImageSource } from "../core/image_source.js";
import { Plane } from "../core/plane.js";
import { PageState } from "../core/state.js";
import { loadPathStyles } from "../paths/styles.js";

/** @typedef {import("../page.js").Page} Page */

const OPEN_MS = 400; // of the move to an image that was opened

/** The animations of a page, which end with it. @param {AbortSignal} signal */
function framesUntil(signal) {
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  return {
    now: () => performance.now(),
    request: (/** @type {FrameRequestCallback} */ callback) =>
      signal.aborted ? 0 : requestAnimationFrame(callback),
    cancel: (/** @type {number} */ frame) => cancelAnimationFrame(frame),
    reduced: () => reducedMotion.matches,
  };
}

/**
 * Opens test images: the reading, and if wanted the cursor, go to the newest that was asked for.
 *
 * @param {PageState} state @param {Page["server"]} server
 */
function imageOpener(state, server) {
  return async (/** @type {number} */ index, move = false) => {
    const isNewest = state.beginReading();
    const asked = state.moves;
    try {
      const reading = await server.ask("test_digit", index);
      if (!isNewest()) return;
      state.showReading(reading);
      if (move) state.arrive(asked, [state.plane.position(reading.mu)], OPEN_MS, "open");
    } catch (error) {
      if (isNewest()) state.showReading({ error: /** @type {Error} */ (error).message });
    }
  };
}

/**
 * What the parts of a model's page are started with.
 *
 * @param {import("./models.js").Opened} opened @param {import("./models.js").Models} models
 * @returns {Promise<Page>}
 */
export async function makePage({ props, server, end: { signal } }, models) {
  const start = props.anchors.typical[props.start];
  const plane = new Plane(props.plane, props.limit);
  const state = new PageState({ ...props, start, plane, signal }, framesUntil(signal));
  const images = new ImageSource(server, plane);
  signal.addEventListener("abort", () => images.stop(), { once: true });
  const encodings = Encodings.load(server, props.names.length, { ...props, plane });
  const pathStyles = await loadPathStyles(props.methods.map(({ key }) => key));
  const openImage = imageOpener(state, server);
  const highlight = new Highlight();
  return { props, state, server, images, highlight, encodings, pathStyles, openImage, models };
}
