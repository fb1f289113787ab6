/**
 * The state of the page: the one current position z, the view, the paths, the points A and B, the
 * layers of the map, the values of the controls, the open tab and the epoch that the map shows.
 *
 * What changes one calls a method here; what shows it subscribes. Nothing else on the page keeps a
 * position, and a link holds all of it.
 */

import { NO_FRAMES } from "./frames.js";
import { FLAGS, formatLink, parseLink } from "./link.js";
import { areSame, between, WHOLE } from "./plane.js";
import { Topics } from "./topics.js";
import { MapView } from "./view.js";

/** @typedef {import("./view.js").Position} Position */
/** @typedef {{ range: number, start: ArrayLike<number>, layers: LayerRecord[], controls: Control[], plane?: import("./plane.js").Plane, signal?: AbortSignal }} Declared start: the position of a page that is opened without one; signal: aborted when another model takes the page */
/** @typedef {import("./link.js").Value} Value */
/** @typedef {import("./link.js").Control} Control */
/** @typedef {import("./link.js").LayerRecord} LayerRecord */
/** @typedef {{ curve: Position[], points: Position[], method: string, label: string, scattered: boolean, missed: boolean }} Path */
/** @typedef {import("./reading.js").Reading} Reading */
/** @typedef {import("./reading.js").FailedReading} FailedReading */
/** @typedef {import("../map/painter.js").Epoch} Epoch */
/** @typedef {"position" | "view" | "paths" | "layers" | "marks" | "reading" | "controls" | "tab" | "held" | "epoch" | "plane"} Topic */

export class PageState {
  /** @type {Topics<Topic>} */
  #topics = new Topics();
  /** @type {{ frame: number, goal: Position } | null} the running animation */
  #journey = null;
  /** @type {Position} */
  #z;
  #start;
  /** @type {((both: boolean) => void) | null} */
  #picked = null;
  #begun = 0; // readings
  #frames;
  #view;

  /**
   * @param {Declared} declared
   * @param {import("./frames.js").Frames} frames
   */
  constructor({ range, start, layers, controls, plane = WHOLE, signal }, frames = NO_FRAMES) {
    this.#frames = frames;
    /** Aborted when another model takes the page: from then on nothing is told of this state. */
    this.signal = signal ?? new AbortController().signal;
    this.signal.addEventListener("abort", () => this.#end(), { once: true });
    this.layerRecords = layers;
    this.controls = controls;
    this.#view = new MapView(range);
    /** What the map shows of the latent space. */
    this.plane = plane;
    this.#start = this.#view.onMap(plane.position(start));
    this.#z = this.#start;
    /** How often something other than a late answer has moved the cursor. */
    this.moves = 0;
    /** @type {Path[]} */
    this.paths = [];
    /** @type {Reading | FailedReading | null} of the newest image */
    this.reading = null;
    /** @type {string | null} the point that the next click on the map sets */
    this.picking = null;
    this.tab = "";
    /** @type {Epoch | null} of the training, while the map shows one */
    this.epoch = null;
    /** Whether a pointer holds the cursor: while it does, a pause is no rest. */
    this.held = false;
    const { layers: shown, marks, values } = parseLink("", layers, controls, plane);
    /** Whether each layer is shown, by its key. */
    this.layers = shown;
    /** Points picked on the map. */
    this.marks = marks;
    /** Of the controls, by their names. */
    this.values = values;
  }

  /**
   * Calls `listener` after every change of a topic, with what caused it.
   *
   * @param {Topic} topic @param {(source?: string) => void} listener
   */
  subscribe(topic, listener) {
    this.#topics.subscribe(topic, listener);
  }

  #end() {
    this.#topics.clear();
    this.#stop();
  }

  /** @param {Topic} topic @param {string} [source] */
  #announce(topic, source) {
    if (!this.signal.aborted) this.#topics.announce(topic, source);
  }

  // --- position ---

  /** The current position; a new object after every move. */
  get z() {
    return this.#z;
  }

  /** Where a running animation ends, else the position. */
  get goal() {
    return this.#journey?.goal ?? this.#z;
  }

  get travelling() {
    return this.#journey !== null;
  }

  /** @param {Position} point */
  isAt(point) {
    return areSame(this.#view.onMap(point), this.#z);
  }

  /** @param {Position} next @param {string} [source] */
  #moveTo(next, source) {
    if (this.isAt(next)) return;
    this.#z = this.#view.onMap(next);
    this.#announce("position", source);
  }

  #stop() {
    if (!this.#journey) return;
    this.#frames.cancel(this.#journey.frame);
    this.#journey = null;
    this.#announce("held"); // what waits for a rest begins to wait
  }

  /**
   * Moves at once and ends any animation: the user has priority.
   *
   * @param {Position} next @param {string} [source]
   */
  set(next, source) {
    if (!Number.isFinite(next.x) || !Number.isFinite(next.y)) return;
    this.#stop();
    this.moves++;
    this.#moveTo(next, source);
  }

  /**
   * Moves from here along `points`, from each to the next in the same time.
   *
   * @param {Position[]} points @param {number} ms in all @param {string} [source]
   */
  travel(points, ms, source) {
    this.#stop();
    this.moves++;
    const last = points[points.length - 1];
    if (!(ms > 0) || this.#frames.reduced() || this.signal.aborted) {
      this.#moveTo(last, source);
      return;
    }
    const corners = [this.#z, ...points];
    const pieces = points.length;
    const journey = { frame: 0, goal: this.#view.onMap(last) };
    this.#journey = journey;
    const start = this.#frames.now();
    const tick = (/** @type {number} */ now) => {
      if (this.#journey !== journey) return;
      const gone = Math.max(0, (now - start) / ms) * pieces;
      if (gone >= pieces) {
        this.#stop();
        this.#moveTo(last, source);
        return;
      }
      const i = Math.floor(gone);
      this.#moveTo(between(corners[i], corners[i + 1], gone - i), source);
      journey.frame = this.#frames.request(tick);
    };
    journey.frame = this.#frames.request(tick);
  }

  /** When a pointer begins to move the cursor, and when it lets go. @param {boolean} held */
  hold(held) {
    if (held === this.held) return;
    this.held = held;
    this.#announce("held");
  }

  /**
   * `travel` for an answer that took a while: only if nothing has moved the cursor since `moves` was
   * `asked`. Whether it does.
   *
   * @param {number} asked @param {Position[]} points @param {number} ms @param {string} [source]
   */
  arrive(asked, points, ms, source) {
    const timely = asked === this.moves;
    if (timely) this.travel(points, ms, source);
    return timely;
  }

  // --- what the map shows ---

  /** The part of the latent space that the map shows. */
  get view() {
    return this.epoch?.view ?? this.#view;
  }

  /** Shows an epoch on the map, or the model again. @param {Epoch | null} epoch */
  showEpoch(epoch) {
    const { view } = this;
    this.epoch = epoch;
    this.#announce("epoch");
    if (this.view !== view) this.viewChanged();
  }

  /** After a change of the view. */
  viewChanged() {
    this.#announce("view");
  }

  /** After a turn of the plane, which plane/turn.js makes. */
  planeChanged() {
    this.#announce("plane");
  }

  /** @param {string} key */
  toggleLayer(key) {
    this.layers[key] = !this.layers[key];
    this.#announce("layers");
  }

  /** @param {Path[]} paths */
  showPaths(paths) {
    this.paths = paths;
    this.#announce("paths");
  }

  /**
   * Begins what ends in a reading: makes all that was begun before outdated. The function tells
   * whether this still is the newest.
   */
  beginReading() {
    const mine = ++this.#begun;
    return () => mine === this.#begun;
  }

  /** @param {Reading | FailedReading | null} reading */
  showReading(reading) {
    this.#begun++;
    this.reading = reading;
    this.#announce("reading");
  }

  /**
   * The next click on the map sets A, the one after it B.
   *
   * @returns {Promise<boolean>} whether both were set
   */
  pick() {
    this.cancelPick();
    this.picking = FLAGS[0];
    /** @type {Promise<boolean>} */
    const picked = new Promise((resolve) => {
      this.#picked = resolve;
    });
    this.#announce("marks");
    return picked;
  }

  /**
   * Sets the point that is being picked.
   *
   * @param {Position} point
   */
  mark(point) {
    if (!this.picking) return;
    this.marks[this.picking] = this.#view.onMap(point);
    this.picking = FLAGS[FLAGS.indexOf(this.picking) + 1] ?? null;
    if (!this.picking) this.#picked?.(true);
    this.#announce("marks");
  }

  cancelPick() {
    this.#picked?.(false);
    this.#picked = null;
    this.picking = null;
    this.#announce("marks");
  }

  /** @param {string} name @param {Value} value */
  setValue(name, value) {
    this.values[name] = value;
    this.#announce("controls");
  }

  /** @param {string} tab */
  openTab(tab) {
    this.tab = tab;
    this.#announce("tab");
  }

  /** What a link to this state has after #. */
  get link() {
    const { centre, half, zoom } = this.#view;
    const linked = {
      z: this.#z,
      view: zoom > 1.001 ? { centre, half } : null,
      layers: this.layers,
      marks: this.marks,
      values: this.values,
    };
    return formatLink(linked, this.layerRecords, this.controls, this.plane);
  }

  /**
   * The state that a link describes; what it leaves out is as on a new page.
   *
   * @param {string} hash
   */
  restore(hash) {
    const linked = parseLink(hash, this.layerRecords, this.controls, this.plane);
    const { z, view, layers, marks, values } = linked;
    this.layers = layers;
    for (const [flag, point] of Object.entries(marks)) {
      this.marks[flag] = point && this.#view.onMap(point);
    }
    this.values = values;
    if (view) this.#view.show(view.centre, view.half);
    else this.#view.reset();
    this.set(z ?? this.#start, "link");
    for (const topic of /** @type {Topic[]} */ (["layers", "marks", "controls", "view"])) {
      this.#announce(topic, "link");
    }
  }
}
