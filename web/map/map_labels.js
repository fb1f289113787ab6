/**
 * The labels of the map: classes, paths, A and B, rings, the open image. Each part that has some
 * declares them, and all are placed together.
 *
 * They are elements above the canvases. While the cursor moves they stay where they are, and one that
 * comes under it turns see-through; when it rests, they are placed around it.
 */

import { contextOf, find, make } from "../core/dom.js";
import { FONT, trace } from "../core/drawing.js";
import { boxAround, overlap, place } from "./placement.js";

/** @typedef {import("../core/view.js").Pixel} Pixel */
/** @typedef {import("./painter.js").Scene} Scene */
/** @typedef {import("./placement.js").Box} Box */
/** @typedef {import("./placement.js").Placement} Placement */

/**
 * A label; for homes, reach and beside see placement.js.
 *
 *   key     names it among all labels
 *   kind    disc: a numeral in its class's colour; plate: a word; plain: text without a border
 *   colour  of its border, and of the line to its home where it was moved aside
 *
 * @typedef {{
 *   key: string, text: string, kind: "disc" | "plate" | "plain", colour: string, priority: number,
 *   homes: readonly Pixel[], reach: number, beside?: boolean,
 * }} Label
 */

/** Who keeps its home where two labels meet. */
export const PRIORITY = { mark: 5, reading: 4, class: 3, path: 2, ring: 1 };

const NARROW = 480; // pixels of a map with smaller numerals
const CURSOR = 40; // pixels of the crosshair
const RING = 28; // pixels of the ring in it
const MARGIN = 2; // pixels to the edge of the map

export class MapLabels {
  /** @type {Map<string, HTMLElement>} by key */
  #elements = new Map();
  /** @type {{ element: HTMLElement, box: Box, under: boolean }[]} */
  #shown = [];
  /** @type {Map<string, import("./placement.js").Former>} where labels stood, by key */
  #former = new Map();
  /** @type {Map<string, number>} of texts in pixels */
  #widths = new Map();
  #ruler = contextOf(document.createElement("canvas"));
  #element;
  /** A rem in pixels, at the type size of the page. */
  rem = 16;

  /** @param {HTMLElement} element the map */
  constructor(element) {
    this.#element = find(element, ".map-labels");
  }

  /** In pixels. @param {string} text @param {number} [size] in rem @param {number} [weight] */
  widthOf(text, size = 0.75, weight = 400) {
    const font = `${weight} ${size * this.rem}px ${FONT}`;
    const key = `${font} ${text}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      this.#ruler.font = font;
      width = Math.ceil(this.#ruler.measureText(text).width);
      this.#widths.set(key, width);
    }
    return width;
  }

  /** @param {Scene} scene @param {Label} label */
  #sizeOf({ view }, { kind, text }) {
    if (kind === "disc") {
      const size = (view.side < NARROW ? 1.375 : 1.75) * this.rem;
      return { width: size, height: size };
    }
    if (kind === "plain") return { width: this.widthOf(text, 0.875) + 4, height: this.rem };
    return { width: this.widthOf(text, 0.875, 600) + 14, height: 1.375 * this.rem };
  }

  /**
   * Places labels and draws the lines to the homes that some had to leave.
   *
   * @param {Scene} scene @param {readonly Label[]} labels
   * @param {readonly Box[]} obstacles @param {readonly Box[]} covers obstacles that hide homes, too
   * @param {Pixel | null} cursor null while it moves
   */
  show(scene, labels, obstacles, covers, cursor) {
    const edge = scene.view.side - MARGIN;
    const placed = place(
      labels.map((label) => ({
        ...label,
        ...this.#sizeOf(scene, label),
        former: this.#former.get(label.key),
      })),
      { left: MARGIN, top: MARGIN, right: edge, bottom: edge },
      obstacles,
      cursor && boxAround(cursor, CURSOR),
      covers,
    );
    const gone = new Set(this.#elements.keys());
    this.#shown = [];
    for (const [i, label] of labels.entries()) {
      const found = placed[i];
      if (!found) this.#former.delete(label.key);
      if (!found) continue;
      gone.delete(label.key);
      this.#former.set(label.key, found.former);
      this.#shown.push({ element: this.#put(label, found), box: found.box, under: false });
      if (label.kind !== "plain") drawLeader(scene, label.colour, found);
    }
    for (const key of gone) {
      this.#elements.get(key)?.remove();
      this.#elements.delete(key);
    }
  }

  /** @param {Label} label @param {Placement} placement */
  #put({ key, text, kind, colour }, { at, box }) {
    let element = this.#elements.get(key);
    if (!element) {
      element = make("span");
      this.#elements.set(key, element);
      this.#element.append(element);
    }
    if (element.textContent !== text) element.textContent = text;
    element.className = kind;
    element.dataset.label = key;
    delete element.dataset.under;
    element.style.setProperty("--colour", colour);
    element.style.width = `${box.right - box.left}px`;
    element.style.height = `${box.bottom - box.top}px`;
    element.style.translate = `calc(${at.px}px - 50%) calc(${at.py}px - 50%)`;
    return element;
  }

  /** Fades those under the cursor's ring: all that a move does to them. @param {Pixel} cursor */
  fadeUnder(cursor) {
    const ring = boxAround(cursor, RING);
    for (const label of this.#shown) {
      const under = overlap(label.box, ring);
      if (under === label.under) continue;
      label.under = under;
      label.element.toggleAttribute("data-under", under);
    }
  }
}

/** From a label's home to the label, which covers the line's end. @param {Scene} scene @param {string} colour @param {Placement} placement */
function drawLeader({ context, colours }, colour, { home, at }) {
  if (home.px === at.px && home.py === at.py) return;
  for (const [width, style] of /** @type {const} */ ([
    [3.5, colours.ground],
    [1.5, colour],
  ])) {
    context.lineWidth = width;
    context.strokeStyle = style;
    trace(context, [home, at]);
  }
  context.beginPath();
  context.arc(home.px, home.py, 2.5, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}
