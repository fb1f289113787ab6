/** What lies over the map: legend, buttons, questions, the note. It makes way for the cursor. */

import { CloudZoom, cloudBox } from "./cloud.js";
import { Note } from "./note.js";
import { boxAround, overlap } from "./placement.js";

/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {import("./placement.js").Box} Box */
/** @typedef {import("./cloud.js").Cloud} Cloud */

const CURSOR = 40; // pixels of the crosshair
const MOVABLE = ".map-legend, .map-ask, .reset-view";

export class Overlays {
  /** @type {{ element: HTMLElement, box: Box | null }[]} each has a second corner, by CSS */
  #movable;
  /** @type {Cloud | null} */
  #cloud = null;
  /** @type {Box | null} */
  #noteBox = null;
  #frame;
  #state;

  /** @param {import("../core/state.js").PageState} state @param {HTMLElement} element the map */
  constructor(state, element) {
    this.#state = state;
    /** Zooms to the cloud of an image that is opened. */
    this.zoom = new CloudZoom(state);
    this.note = new Note(state, element, this.zoom);
    this.#frame = /** @type {HTMLElement} */ (element.querySelector(".map-frame"));
    // On small screens the decoded image lies on the map too.
    const found = [...element.querySelectorAll(MOVABLE), document.querySelector("#digit")];
    this.#movable = found
      .filter((some) => some instanceof HTMLElement)
      .map((some) => ({ element: some, box: null }));
  }

  /** The box of an element on the map in its pixels, or null. @param {HTMLElement} element @returns {Box | null} */
  #measure(element) {
    const [map, box] = [this.#frame.getBoundingClientRect(), element.getBoundingClientRect()];
    if (!box.width || !overlap(map, box)) return null;
    const scale = this.#state.view.side / map.width;
    return {
      left: (box.left - map.left) * scale,
      top: (box.top - map.top) * scale,
      right: (box.right - map.left) * scale,
      bottom: (box.bottom - map.top) * scale,
    };
  }

  /**
   * Measures everything and puts the note beside the cloud; the boxes that labels must not cover.
   *
   * @param {Cloud | null} cloud @param {Pixel | null} cursor null while it moves
   */
  settle(cloud, cursor) {
    this.#cloud = cloud;
    for (const movable of this.#movable) movable.box = this.#measure(movable.element);
    if (cursor) this.#moveAside(boxAround(cursor, CURSOR));
    this.#putNote(cursor);
    return this.#boxes();
  }

  #boxes() {
    const boxes = this.#movable.map(({ box }) => box);
    return [...boxes, this.#noteBox].filter((box) => box !== null);
  }

  /** @param {Pixel | null} cursor */
  #putNote(cursor) {
    const needed = this.#cloud ? [cloudBox(this.#cloud)] : [];
    if (cursor) needed.push(boxAround(cursor, CURSOR));
    const { side } = this.#state.view;
    const others = this.#movable.flatMap(({ box }) => (box ? [box] : []));
    this.#noteBox = this.note.put(this.#cloud, side, needed, others);
  }

  /** @param {Box} cursor */
  #moveAside(cursor) {
    for (const movable of this.#movable) {
      if (!movable.box || !overlap(movable.box, cursor)) continue;
      movable.element.toggleAttribute("data-aside");
      movable.box = this.#measure(movable.element);
    }
  }

  /** Moves what the cursor comes under to its other corner. @param {Pixel} cursor */
  makeWay(cursor) {
    const box = boxAround(cursor, CURSOR);
    this.#moveAside(box);
    if (this.#noteBox && overlap(this.#noteBox, box)) this.#putNote(cursor);
  }
}
