/** The pad: strokes of pointers, kept so that the last can be undone. */

import { contextOf, findCanvas } from "../core/dom.js";

/** @typedef {{ x: number, y: number }} Point in pixels of the canvas */

const REST = 350; // ms after a stroke before the drawing is read
const PEN = 24; // of the pad's 280 pixels: scaled to MNIST's 20, about as thick as MNIST's strokes
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
  #ink;
  #onRest;

  /**
   * @param {HTMLElement} root
   * @param {{ paper: number, ink: number }} levels grey levels
   * @param {(png: string) => void} onRest called with the drawing in base64 once it rests
   */
  constructor(root, { paper, ink }, onRest) {
    this.#root = root;
    this.#paper = findCanvas(root, ".paper");
    this.#pen = contextOf(this.#paper);
    this.#ink = grey(ink);
    this.#onRest = onRest;
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
    pen.clearRect(0, 0, this.#paper.width, this.#paper.height); // transparent: all that is left is ink
    pen.strokeStyle = this.#ink;
    pen.lineWidth = PEN;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    for (const points of strokes) this.#draw(points);
    this.#root.classList.toggle("inked", strokes.length > 0);
  }

  /** Has the drawing read unless it is changed soon. */
  readSoon() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.#onRest(this.#paper.toDataURL("image/png").split(",")[1]);
    }, REST);
  }

  /** @param {Point[]} points */
  #draw(points) {
    this.#pen.beginPath();
    this.#pen.moveTo(points[0].x, points[0].y);
    for (const { x, y } of points) this.#pen.lineTo(x, y + 0.01); // the offset makes a tap a dot
    this.#pen.stroke();
  }

  /** @param {PointerEvent} event @returns {Point} */
  #pointOf(event) {
    const box = this.#paper.getBoundingClientRect();
    const scale = this.#paper.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
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
    const moves = event.getCoalescedEvents?.() ?? [];
    points.push(...(moves.length ? moves : [event]).map((move) => this.#pointOf(move)));
    this.#draw(points.slice(-2 - moves.length));
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (this.#stroke?.id !== event.pointerId) return;
    this.#stroke = null;
    this.readSoon();
  }
}
