/** The pad: strokes of pointers, kept so that the last can be undone. */

import { contextOf, findCanvas } from "../core/dom.js";

/** @typedef {[x: number, y: number]} Point in pixels of the canvas */
/** @typedef {{ paper: number, ink: number, side: number, pen: number }} PadProps grey levels, pixels */

const REST = 350; // ms after a stroke before the drawing is read
const STEP = 1; // pixel between the points of a stroke; a pen that reports more often says nothing new
const MIDDLE_GREY = 127;

/** @param {number} level */
const grey = (level) => `rgb(${level} ${level} ${level})`;

export class Pad {
  /** @type {Readonly<Point[][]>} */
  #strokes = [];
  /** @type {{ id: number, points: Point[] } | null} the one that is being drawn */
  #stroke = null;
  #timer = 0;
  #root;
  #paper;
  #pen;
  #props;
  #onRest;

  /**
   * @param {HTMLElement} root
   * @param {PadProps} props
   * @param {(strokes: Readonly<Point[][]>) => void} onRest called with the drawing once it rests
   */
  constructor(root, props, onRest) {
    const { paper, side } = props;
    this.#root = root;
    this.#props = props;
    this.#paper = findCanvas(root, ".paper");
    this.#pen = contextOf(this.#paper);
    this.#onRest = onRest;
    this.#paper.width = this.#paper.height = side;
    this.#paper.style.background = grey(paper);
    root.classList.toggle("light", paper > MIDDLE_GREY);
    this.#paper.addEventListener("pointerdown", (event) => this.#press(event));
    this.#paper.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
      this.#paper.addEventListener(end, (event) => this.#release(event));
    }
  }

  /** What is drawn; a new array after every change. */
  get strokes() {
    return this.#strokes;
  }

  /** @param {Readonly<Point[][]>} strokes */
  show(strokes) {
    clearTimeout(this.#timer);
    this.#strokes = strokes;
    const pen = this.#pen;
    const { ink, pen: width, side } = this.#props;
    pen.clearRect(0, 0, side, side); // transparent: all that is left is ink
    pen.strokeStyle = grey(ink);
    pen.lineWidth = width;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    for (const points of strokes) this.#draw(points);
    this.#root.classList.toggle("inked", strokes.length > 0);
  }

  /** Has the drawing read unless it is changed soon. */
  readSoon() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#onRest(this.#strokes), REST);
  }

  /** @param {Point[]} points */
  #draw(points) {
    this.#pen.beginPath();
    this.#pen.moveTo(...points[0]);
    for (const [x, y] of points) this.#pen.lineTo(x, y + 0.01); // the offset makes a tap a dot
    this.#pen.stroke();
  }

  /** @param {PointerEvent} event @returns {Point} */
  #pointOf({ clientX, clientY }) {
    const { pen, side } = this.#props;
    const box = this.#paper.getBoundingClientRect();
    // As far beyond the edge the pen leaves no ink; to a tenth of a pixel.
    const along = (/** @type {number} */ offset) =>
      Math.round(10 * Math.min(side + pen, Math.max(-pen, (offset * side) / box.width))) / 10;
    return [along(clientX - box.left), along(clientY - box.top)];
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0 || this.#stroke) return;
    this.#paper.setPointerCapture(event.pointerId);
    this.#stroke = { id: event.pointerId, points: [this.#pointOf(event)] };
    this.show([...this.#strokes, this.#stroke.points]);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (this.#stroke?.id !== event.pointerId) return;
    const { points } = this.#stroke;
    const drawn = points.length;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length ? moves : [event]) {
      const [x, y] = this.#pointOf(move);
      const [lastX, lastY] = points[points.length - 1];
      if (Math.hypot(x - lastX, y - lastY) >= STEP) points.push([x, y]);
    }
    this.#draw(points.slice(drawn - 1));
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (this.#stroke?.id !== event.pointerId) return;
    this.#stroke = null;
    this.readSoon();
  }
}
