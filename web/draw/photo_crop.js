/**
 * The uploaded image on the pad, and the frame around what is encoded of it, which can be moved,
 * resized and drawn anew by pointer and by keyboard.
 */

import { find } from "../core/dom.js";
import { clamp, contained, dragged, framed, gripAt, isMeant, pressed, WHOLE } from "./crop.js";

/** @typedef {import("./crop.js").Crop} Crop */
/** @typedef {import("./crop.js").Point} Point */

const HANDLE = 16; // px around a corner of the frame in which a press resizes it
const KEY_REST = 350; // ms after a key before the frame counts

export class PhotoCrop {
  /** @type {Readonly<Crop>} */
  #crop = WHOLE;
  /** @type {{ id: number, start: Point, crop: Readonly<Crop>, grip: import("./crop.js").Grip } | null} */
  #drag = null;
  #keyTimer = 0;
  #layer;
  #image;
  #frame;
  #onCrop;

  /**
   * @param {HTMLElement} sheet
   * @param {(crop: Readonly<Crop>) => void} onCrop called after the user has changed the frame
   */
  constructor(sheet, onCrop) {
    this.#layer = find(sheet, ".photo");
    this.#image = find(this.#layer, "img", HTMLImageElement);
    this.#frame = find(this.#layer, ".frame");
    this.#onCrop = onCrop;
    this.#listen();
  }

  #listen() {
    const layer = this.#layer;
    layer.addEventListener("pointerdown", (event) => this.#press(event));
    layer.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
      layer.addEventListener(end, (event) => this.#release(event));
    }
    layer.addEventListener("keydown", (event) => {
      const crop = pressed(this.#crop, event.key, event.shiftKey);
      if (!crop) return;
      event.preventDefault();
      this.#place(crop);
      clearTimeout(this.#keyTimer);
      this.#keyTimer = window.setTimeout(() => this.#onCrop(this.#crop), KEY_REST);
    });
  }

  /** Where the image lies in its layer, a square. */
  get #box() {
    return contained(this.#image.naturalWidth, this.#image.naturalHeight);
  }

  /** @param {Readonly<Crop>} crop */
  #place(crop) {
    this.#crop = crop;
    const box = this.#box;
    const [left, top, right, bottom] = crop;
    Object.assign(this.#frame.style, {
      left: `${100 * (box.left + left * box.width)}%`,
      top: `${100 * (box.top + top * box.height)}%`,
      width: `${100 * (right - left) * box.width}%`,
      height: `${100 * (bottom - top) * box.height}%`,
    });
  }

  /** @param {PointerEvent} event @returns {Point} */
  #pointOf(event) {
    const outer = this.#layer.getBoundingClientRect();
    const box = this.#box;
    return {
      x: clamp(((event.clientX - outer.left) / outer.width - box.left) / box.width),
      y: clamp(((event.clientY - outer.top) / outer.height - box.top) / box.height),
    };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0 || this.#drag) return;
    event.preventDefault();
    const layer = this.#layer;
    layer.focus();
    layer.setPointerCapture(event.pointerId);
    const start = this.#pointOf(event);
    const box = this.#box;
    const handle = HANDLE / layer.clientWidth;
    const grip = gripAt(this.#crop, start, { x: handle / box.width, y: handle / box.height });
    this.#drag = { id: event.pointerId, start, crop: this.#crop, grip };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#drag?.id !== event.pointerId) return;
    const { start, crop, grip } = this.#drag;
    this.#place(dragged(crop, grip, start, this.#pointOf(event)));
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (this.#drag?.id !== event.pointerId) return;
    const { crop: before } = this.#drag;
    this.#drag = null;
    if (!isMeant(this.#crop)) this.#place(before);
    else if (this.#crop !== before) this.#onCrop(this.#crop);
  }

  /**
   * Shows an image; whether the browser can.
   *
   * @param {Blob} file
   */
  async show(file) {
    clearTimeout(this.#keyTimer);
    const image = this.#image;
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(file);
    const shown = await image.decode().then(
      () => true,
      () => false,
    );
    this.#layer.hidden = !shown;
    if (shown) this.#place(WHOLE);
    return shown;
  }

  /**
   * Shows where ink was found.
   *
   * @param {Readonly<Crop>} ink
   */
  found(ink) {
    if (!this.#layer.hidden) this.#place(framed(ink));
  }

  hide() {
    clearTimeout(this.#keyTimer);
    this.#layer.hidden = true;
    URL.revokeObjectURL(this.#image.src);
    this.#image.removeAttribute("src");
  }
}
