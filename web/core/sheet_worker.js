/**
 * Draws sheets of images in a thread of its own, so that no frame of the page waits for them. The
 * newest request is the only one that is finished.
 */

import { loadDecoder } from "./decoder.js";
import { drawSheet } from "./image_sheet.js";

/** @typedef {import("./image_sheet.js").Plan & { id: number, weights: string }} Request */

/** @type {Promise<import("./decoder.js").Decoder> | null} */
let decoder = null;
let newest = 0;

// Gives the thread a chance to receive a newer request.
const pause = () => new Promise((resolve) => setTimeout(resolve));

self.onmessage = async (/** @type {MessageEvent<Request>} */ { data }) => {
  newest = data.id;
  decoder ??= loadDecoder(data.weights);
  try {
    const rows = drawSheet(await decoder, data);
    let step = rows.next();
    while (!step.done) {
      await pause();
      if (newest !== data.id) return;
      step = rows.next();
    }
    self.postMessage({ id: data.id, sheet: step.value }, { transfer: [step.value.buffer] });
  } catch (error) {
    decoder = null; // the next request fetches the weights again
    self.postMessage({ id: data.id, error: String(error) });
  }
};
