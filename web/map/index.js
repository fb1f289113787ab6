/** The map of the latent space, on which the user moves z by pointer or keys. */

import { copyOnPress } from "../core/copying.js";
import { find, findCanvas, onResize, onTheme } from "../core/dom.js";
import { Rest } from "../core/rest.js";
import { MapLayers } from "./layers.js";
import { Overlays } from "./overlays.js";
import { MapPainter } from "./painter.js";
import { MapPointer, startPicking } from "./pointer.js";

/** @typedef {import("../page.js").Page} Page */

const SPEECH = 300; // ms without a move before the position is spoken
const REST = 200; // ms without a move before the labels are placed around the cursor

/**
 * Draws in the browser's next frame.
 *
 * @param {(all: boolean) => boolean} draw false: not yet @param {AbortSignal} signal ends it
 */
function frameLoop(draw, signal) {
  let waiting = false;
  let stale = false; // whether the layers must be drawn again
  function redraw(/** @type {boolean} */ all) {
    stale ||= all;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (signal.aborted) return;
      const everything = stale;
      stale = false;
      if (!draw(everything)) setTimeout(redraw, 50, true);
    });
  }
  return redraw;
}

/** @param {Page} page @param {HTMLButtonElement} button that copies a link */
export function startCopying({ state }, button) {
  const link = () => `${location.href.split("#")[0]}#${state.link}`;
  copyOnPress(button, link, "In the address bar", (text) => history.replaceState(null, "", text));
}

/** The position for screen readers. @param {Page} page @param {HTMLElement} element */
function startSpeech({ state }, element) {
  const spoken = find(element, "#map-position");
  let timer = 0;
  state.subscribe("position", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      spoken.textContent = `x ${state.z.x}, y ${state.z.y}`;
    }, SPEECH);
  });
}

/** What the map says while it loads. @param {Page} page @param {HTMLElement} element @param {MapLayers} layers */
async function announceLoading({ encodings, images }, element, layers) {
  const message = find(element, ".map-wait");
  try {
    await Promise.all([encodings, layers.drawn]);
    message.textContent = "";
    await images.loaded;
    element.dataset.ready = "true";
  } catch (error) {
    console.error(error);
    message.textContent = "Part of the map could not be loaded. Reload the page to try again.";
  }
}

/** @param {Page} page @param {HTMLElement} element */
export function start(page, element) {
  const { state } = page;
  const redraw = frameLoop((all) => painter.draw(all), state.signal);
  const layers = new MapLayers(page, element, () => redraw(true));
  const overlays = new Overlays(state, element);
  const painter = new MapPainter(page, element, layers, overlays);
  new MapPointer(page, element);
  startPicking(page, element);
  startSpeech(page, element);

  const rest = new Rest(state, REST, () => redraw(false));
  const leads = (/** @type {string | undefined} */ source) =>
    !["map", "link", "tour"].includes(source ?? "");
  state.subscribe("position", (source) => {
    painter.placeCursor();
    rest.await();
    if (overlays.zoom.running || !leads(source)) return;
    if (state.view.follow(state.z)) state.viewChanged();
  });
  state.subscribe("view", () => redraw(true));
  state.subscribe("epoch", () => redraw(true));
  for (const topic of /** @type {const} */ (["paths", "reading", "marks", "controls", "tab"])) {
    state.subscribe(topic, () => redraw(false));
  }
  page.highlight.subscribe(() => redraw(false));
  onResize(findCanvas(element, ".map-top"), () => redraw(true), state.signal);
  const recolour = () => {
    painter.forgetColours();
    redraw(true);
  };
  onTheme(recolour, state.signal);
  announceLoading(page, element, layers);
}
