/**
 * Pointers, wheel and keys on the map: one pointer moves the cursor, two zoom and pan, a hovering
 * mouse previews the image under it.
 */

import { contextOf, find, findButton, findCanvas } from "../core/dom.js";
import { fadeOf } from "../plane/fade.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {import("../core/view.js").Position} Position */
/** @typedef {import("../core/state.js").PageState} PageState */

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const STEP = { small: 0.05, large: 0.5 }; // of an arrow key, on the whole map
const KEY_ZOOM = 1.5;
const WHEEL_ZOOM = 0.002; // the logarithm of the zoom, per pixel of the wheel
const LINE = 16; // pixels, for wheels that count in lines
const CLICK = { px: 4, ms: 400 }; // how still and short a press is
const HIT = 5; // pixels around a point in which a click opens its image
const PREVIEW = { size: 96, gap: 20, flip: 84 }; // pixels

export class MapPointer {
  /** @type {Map<number, Pixel>} pointers that are down */
  #down = new Map();
  /** @type {(Pixel & { at: number }) | null} where the only pointer went down, and when */
  #pressed = null;
  /** @type {{ z: Position, reading: PageState["reading"], opens: boolean }[]} what the last two presses changed */
  #changed = [];
  /** @type {import("../core/encodings.js").Encodings | null} */
  #encodings = null;
  #early = true; // whether a move may come before its frame
  #box = new DOMRect(); // of the map
  #page;
  #top;
  #preview;
  #hint;

  /** @param {Page} page @param {HTMLElement} element the map */
  constructor(page, element) {
    this.#page = page;
    this.#top = findCanvas(element, ".map-top");
    this.#preview = findCanvas(element, ".map-preview");
    this.#hint = contextOf(this.#preview);
    page.encodings.then(
      (encodings) => {
        this.#encodings = encodings;
      },
      () => {}, // the map says that it could not be loaded
    );
    this.#listen();
    const reset = () => this.#reset();
    this.#top.addEventListener("dblclick", () => this.#undoPresses());
    const whole = findButton(element, ".reset-view");
    whole.addEventListener("click", reset);
    page.state.subscribe("view", () => {
      whole.hidden = page.state.view.zoom < 1.001;
    });
    whole.hidden = page.state.view.zoom < 1.001;
  }

  #listen() {
    const top = this.#top;
    top.addEventListener("pointerdown", (event) => this.#press(event));
    top.addEventListener("pointermove", (event) => this.#move(event));
    top.addEventListener("pointerrawupdate", (event) =>
      this.#moveEarly(/** @type {PointerEvent} */ (event)),
    );
    top.addEventListener("pointerup", (event) => this.#release(event));
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
      top.addEventListener(end, ({ pointerId }) => {
        this.#down.delete(pointerId);
        this.#page.state.hold(this.#down.size > 0);
      });
    }
    top.addEventListener("pointerleave", () => this.#hidePreview());
    top.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    top.addEventListener("keydown", (event) => {
      if (this.#key(event.key, event.shiftKey)) event.preventDefault();
    });
  }

  // In a drag the map stays where it is: to measure it at each move would have the browser lay out
  // the page twice in a frame.
  /** @param {MouseEvent} event @returns {Pixel} */
  #pixelOf(event) {
    if (this.#down.size === 0) this.#box = this.#top.getBoundingClientRect();
    const { left, top, width } = this.#box;
    this.#page.state.view.side = width;
    return { px: event.clientX - left, py: event.clientY - top };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    const { state } = this.#page;
    const here = this.#pixelOf(event);
    if (state.picking && this.#down.size === 0) {
      state.mark(state.view.toLatent(here));
      return;
    }
    this.#top.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, here);
    this.#pressed = this.#down.size === 1 ? { ...here, at: event.timeStamp } : null;
    this.#hidePreview();
    const { z, reading } = state;
    this.#changed = [...this.#changed.slice(-1), { z, reading, opens: false }];
    state.hold(true);
    if (this.#down.size === 1 && !event.shiftKey) state.set(state.view.toLatent(here), "map");
  }

  // Browsers hold back moves until the next frame begins. Where they announce them before, the first
  // of a frame is decoded at once, and the frame has only to paint; the others come as usual.
  /** @param {PointerEvent} event */
  #moveEarly(event) {
    if (!this.#early || !this.#down.has(event.pointerId)) return;
    this.#early = false;
    requestAnimationFrame(() => {
      this.#early = true;
    });
    this.#move(event);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const here = this.#pixelOf(event);
    const last = this.#down.get(event.pointerId);
    if (!last) {
      if (event.pointerType === "mouse") this.#showPreview(here);
      return;
    }
    const { state } = this.#page;
    const before = [...this.#down.values()];
    this.#down.set(event.pointerId, here);
    if (this.#down.size === 2) this.#pinch(before, [...this.#down.values()]);
    else if (event.shiftKey) this.#pan(last, here);
    else state.set(state.view.toLatent(here), "map");
  }

  // A click on a point opens the test image that was encoded there.
  /** @param {PointerEvent} event */
  #release(event) {
    const here = this.#pixelOf(event);
    const pressed = this.#pressed;
    this.#pressed = null;
    if (!pressed || event.timeStamp - pressed.at >= CLICK.ms) return;
    if (Math.hypot(here.px - pressed.px, here.py - pressed.py) >= CLICK.px) return;
    // In a lesson, a click says where the cursor goes.
    const index = this.#page.state.tab === "lessons" ? null : this.#hit(here);
    if (index === null) return;
    this.#changed[this.#changed.length - 1].opens = true;
    this.#page.openImage(index);
  }

  // A double click resets the view and nothing else: what its first click did is undone.
  #undoPresses() {
    const [first] = this.#changed;
    const { state } = this.#page;
    if (this.#changed.some(({ opens }) => opens)) state.showReading(first.reading);
    this.#reset();
    state.set(first.z, "map");
  }

  /** The test image whose point is at a pixel. @param {Pixel} pixel */
  #hit(pixel) {
    const { epoch, layers, values, view } = this.#page.state;
    if (epoch || !layers.points || !this.#encodings) return null;
    const most = values.near ? fadeOf(this.#encodings.onMap.distances).near : undefined;
    const { index, distance } = this.#encodings.nearestPoint(view.toLatent(pixel), most);
    return distance * view.unit < HIT ? index : null;
  }

  /** @param {Pixel} from @param {Pixel} to */
  #pan(from, to) {
    const { view } = this.#page.state;
    const [a, b] = [view.toLatent(from), view.toLatent(to)];
    view.moveBy(a.x - b.x, a.y - b.y);
    this.#page.state.viewChanged();
  }

  /** @param {Pixel[]} before @param {Pixel[]} after of two pointers each */
  #pinch(before, after) {
    const spread = (/** @type {Pixel[]} */ [a, b]) => Math.hypot(a.px - b.px, a.py - b.py) || 1;
    const middle = (/** @type {Pixel[]} */ [a, b]) => ({
      px: (a.px + b.px) / 2,
      py: (a.py + b.py) / 2,
    });
    this.#pan(middle(before), middle(after));
    this.#zoom(middle(after), spread(after) / spread(before));
  }

  /** @param {Pixel} pixel @param {number} factor */
  #zoom(pixel, factor) {
    this.#page.state.view.zoomAt(pixel, factor);
    this.#page.state.viewChanged();
  }

  #reset() {
    this.#page.state.view.reset();
    this.#page.state.viewChanged();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
    this.#zoom(this.#pixelOf(event), Math.exp(-pixels * WHEEL_ZOOM));
    this.#hidePreview();
  }

  /** Whether a key means something here. @param {string} key @param {boolean} shift */
  #key(key, shift) {
    const { state } = this.#page;
    const { view, z } = state;
    const direction = ARROWS[key];
    if (direction) {
      const step = (shift ? STEP.large : STEP.small) / Math.max(1, Math.round(view.zoom / 2));
      state.set({ ...z, x: z.x + direction[0] * step, y: z.y + direction[1] * step }, "keys");
    } else if (key === "+" || key === "-") {
      this.#zoom(view.toPixels(z), key === "+" ? KEY_ZOOM : 1 / KEY_ZOOM);
    } else if (key === "0") {
      this.#reset();
    } else if (key === "Enter" && state.picking) {
      state.mark(z);
    } else {
      return false;
    }
    return true;
  }

  /** @param {Pixel} pixel */
  #showPreview(pixel) {
    const { images, state } = this.#page;
    if (!images.paint(this.#hint, state.view.toLatent(pixel))) return;
    const place = (/** @type {number} */ v) =>
      v > state.view.side - PREVIEW.size ? v - PREVIEW.flip : v + PREVIEW.gap;
    this.#preview.style.transform = `translate(${place(pixel.px)}px, ${place(pixel.py)}px)`;
    this.#preview.hidden = false;
  }

  #hidePreview() {
    this.#preview.hidden = true;
  }
}

/**
 * The question on the map while points A and B are picked.
 *
 * @param {Page} page @param {HTMLElement} element the map
 */
export function startPicking({ state }, element) {
  const question = find(element, ".map-ask");
  state.subscribe("marks", () => {
    question.hidden = !state.picking;
    if (!state.picking) return;
    const which = state.picking === "A" ? "where the path starts (A)" : "where it ends (B)";
    find(question, "span").textContent = `Click ${which}, or move there and press Enter.`;
  });
  findButton(question, "button").addEventListener("click", () => state.cancelPick());
  const press = (/** @type {KeyboardEvent} */ { key }) => {
    if (key === "Escape" && state.picking) state.cancelPick();
  };
  document.addEventListener("keydown", press, { signal: state.signal });
}
