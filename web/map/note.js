/** The note beside a point whose test image was opened: what it is, and where its details are. */

import { find, findButton } from "../core/dom.js";
import { boxAround, place } from "./placement.js";

/** @typedef {import("./placement.js").Box} Box */
/** @typedef {import("./cloud.js").Cloud} Cloud */

const REACH = 300; // pixels
const MARGIN = 4; // pixels to the edge of the map
const DETAILS = "draw"; // the tab that shows them

export class Note {
  /** Whether it belongs to the open image, even while that is outside the view. */
  isOpen = false;
  #element;
  #text;
  #state;
  #zoom;

  /**
   * @param {import("../core/state.js").PageState} state @param {HTMLElement} element the map
   * @param {import("./cloud.js").CloudZoom} zoom ends with the note
   */
  constructor(state, element, zoom) {
    this.#state = state;
    this.#zoom = zoom;
    this.#element = find(element, ".map-note");
    this.#text = find(this.#element, "p");
    const top = find(element, ".map-top");
    findButton(this.#element, ".see").addEventListener("click", () => {
      state.openTab(DETAILS);
      document.getElementById("own-digit")?.scrollIntoView({ block: "nearest" });
    });
    findButton(this.#element, ".close").addEventListener("click", () => {
      this.#close();
      top.focus({ preventScroll: true });
    });
    const press = (/** @type {KeyboardEvent} */ { key }) => {
      if (key === "Escape" && !state.picking) this.#close();
    };
    document.addEventListener("keydown", press, { signal: state.signal });
    state.subscribe("reading", () => this.#follow());
    state.subscribe("tab", () => {
      if (state.tab === DETAILS) this.#show(false);
    });
  }

  #follow() {
    const { reading, tab } = this.#state;
    const opened = reading?.error === undefined && !reading?.fromUser ? reading : null;
    if (opened) this.#text.textContent = opened.title;
    this.#show(opened !== null && tab !== DETAILS);
  }

  // With the note goes what it names: the posterior and the title on the map, the details in Draw.
  #close() {
    if (this.isOpen) this.#state.showReading(null);
    this.#zoom.back();
  }

  /** @param {boolean} open */
  #show(open) {
    this.isOpen = open;
    this.#element.hidden = !open;
  }

  /**
   * Stands beside the cloud, off what must not be covered; its box, or null where it is not shown.
   *
   * @param {Cloud | null} cloud @param {number} side of the map
   * @param {readonly Box[]} needed boxes it never covers @param {readonly Box[]} others if there is room
   */
  put(cloud, side, needed, others) {
    if (!this.isOpen || !cloud) return null;
    const room = { left: MARGIN, top: MARGIN, right: side - MARGIN, bottom: side - MARGIN };
    const { offsetWidth: width, offsetHeight: height } = this.#element;
    const label = { homes: [cloud], width, height, priority: 0, reach: REACH, beside: true };
    const found =
      place([label], room, [...needed, ...others])[0] ?? place([label], room, needed)[0];
    this.#element.toggleAttribute("data-away", !found);
    if (!found) return null;
    const { left, top } = found.box;
    this.#element.style.translate = `${left}px ${top}px`;
    return boxAround(found.at, width, height);
  }
}
