/** The images along one or more paths, in rows; a click on one moves the cursor to its position. */

import { contextOf, find, imageCanvas, make, makeButton, onTheme } from "../core/dom.js";
import { travelTo } from "../map/travel.js";
import { makeComparison, makeSample, recommend, styleLines } from "./comparison.js";
import { OwnPlane } from "./own_plane.js";
import { makeSaveMenu } from "./save.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./comparison.js").ComparedRow} ComparedRow */

/**
 * Rows of a comparison have all that ComparedRow says, those of an experiment may not. See
 * explorer/interpolation.py and explorer/experiments.py.
 *
 * @typedef {{
 *   title: string, points: number[][], curve: number[][], note?: string, missed?: boolean,
 * }} PlainRow missed: no test image was encoded around its positions
 * @typedef {PlainRow & Partial<ComparedRow> & { label?: string }} Row
 * @typedef {{
 *   rows: Row[], ends?: string, play?: boolean, scattered?: boolean,
 *   note?: { title: string, text: string, conclusion?: string },
 *   view?: { centre: number[], half: number },
 * }} Answer view: the part of the map that shows it
 */

/** @typedef {(waiting: boolean, failure?: string) => void} Report on a request, to who made it */

/** @typedef {{ button: HTMLButtonElement, point: number[], context: CanvasRenderingContext2D }} Frame */

const PACE = 300; // ms from image to image

/** Whether a row belongs to a comparison. @param {Row} row @returns {row is Row & ComparedRow} */
const isCompared = (row) => row.method !== undefined;

export class FilmStrip {
  /** @type {Frame[]} */
  #frames = [];
  /** @type {OwnPlane[]} of the rows, above two dimensions */
  #planes = [];
  /** @type {Report} of the newest request */
  #report = () => {};
  #page;
  #element;
  #note;

  /** @param {Page} page @param {HTMLElement} panel */
  constructor(page, panel) {
    this.#page = page;
    this.#element = find(panel, "#film-strip");
    this.#note = find(panel, "#path-note");
    page.state.subscribe("position", () => this.#markCurrent());
    page.state.subscribe("tab", () => this.#markCurrent());
    page.state.subscribe("plane", () => {
      for (const plane of this.#planes) plane.show();
    });
    page.images.loaded.then(
      () => this.#paint(),
      () => {}, // the decoded image says so
    );
    onTheme(() => styleLines(page.pathStyles, this.#element), page.state.signal);
  }

  /** @param {number[]} z */
  #positionOf(z) {
    return this.#page.state.plane.position(z);
  }

  /** Whether it shows a comparison of paths. */
  get comparing() {
    return this.#element.querySelector(".comparison") !== null;
  }

  /**
   * Shows an answer, unless a newer one was asked for meanwhile.
   *
   * @param {Promise<Answer>} answer
   * @param {HTMLElement} pressed what asked for it, to stay in view with the answer
   * @param {Report} report called now and when the wait is over
   */
  async load(answer, pressed, report) {
    this.#report(false);
    this.#report = report;
    report(true);
    const asked = this.#page.state.moves;
    this.#element.ariaBusy = "true";
    /** @type {Answer | null} */
    let shown = null;
    let failure = "";
    try {
      shown = await answer;
    } catch (error) {
      failure = /** @type {Error} */ (error).message;
    }
    if (this.#report !== report) return;
    report(false, failure);
    this.#element.ariaBusy = "false";
    if (!shown) return;
    this.#show(shown, asked);
    // The buttons that ask stand right above the images: both are in view, whatever is above.
    pressed.scrollIntoView({ block: "start" });
  }

  /** @param {Answer} answer @param {number} asked the moves when it was asked for */
  #show({ rows, ends, play, scattered, note, view }, asked) {
    const { state } = this.#page;
    this.#frames = [];
    this.#planes = [];
    this.#element.classList.add("filled");
    const compared = rows.filter(isCompared);
    find(this.#element, ".rows").replaceChildren(
      ...rows.map((row) => this.#makeRow(row, ends, scattered)),
      ...(compared.length ? [makeComparison(this.#page, compared)] : []),
    );
    styleLines(this.#page.pathStyles, this.#element);
    // An experiment has words of its own, and its first row stays in view.
    const advice = note ? "" : recommend(compared, this.#page.props.info);
    find(this.#element, ".advice").textContent = advice;
    find(this.#element, ".conclusion").textContent = note?.conclusion ?? "";
    this.#note.replaceChildren(...(note ? [make("strong", note.title), ` ${note.text}`] : []));
    state.showPaths(
      rows.map(({ curve, points, method = "geodesic", label = "", missed = false }) => ({
        curve: curve.map((z) => this.#positionOf(z)),
        points: points.map((z) => this.#positionOf(z)),
        method,
        label: rows.length > 1 ? label : "",
        scattered: Boolean(scattered),
        missed,
      })),
    );
    if (view) travelTo(state, { centre: this.#positionOf(view.centre), half: view.half });
    this.#paint();
    this.#markCurrent();
    const points = rows[0].points.map((z) => this.#positionOf(z));
    if (play) state.arrive(asked, points, PACE * points.length, "strip");
  }

  /** @param {Row} row @param {string} [ends] @param {boolean} [scattered] whether it is no path */
  #makeRow(row, ends, scattered = false) {
    const { state, server } = this.#page;
    const { points, curve, method, note = "" } = row;
    const title = [ends, row.title].filter(Boolean).join(", ");
    const name = make("b", title);
    if (method) name.prepend(makeSample(method));
    const play = makeButton("▶", () =>
      state.travel(
        points.map((z) => this.#positionOf(z)),
        PACE * points.length,
        "strip",
      ),
    );
    play.className = "play";
    play.append(make("span", " Play"));
    play.ariaLabel = "Play"; // a phone shows the sign alone
    const head = make("div", "", "head");
    head.append(name, make("span", note));
    if (!scattered) head.append(play);
    if (points.length > 1) head.append(makeSaveMenu(server, { points, curve, title }));
    const frames = make("div", "", "frames");
    frames.append(...points.map((point, i) => this.#makeFrame(point, i + 1, points.length)));
    const section = make("section", "", row.missed ? "row missed" : "row");
    section.append(head, frames);
    if (!scattered && !state.plane.isWhole) {
      const plane = new OwnPlane(this.#page, curve);
      this.#planes.push(plane);
      section.append(plane.element);
    }
    return section;
  }

  /** @param {number[]} point @param {number} number @param {number} count */
  #makeFrame(point, number, count) {
    const button = makeButton("", () => this.#page.state.set(this.#positionOf(point), "strip"));
    button.ariaLabel = `Go to image ${number} of ${count}`;
    const canvas = imageCanvas();
    button.append(canvas);
    this.#frames.push({ button, point, context: contextOf(canvas) });
    return button;
  }

  #paint() {
    const { images } = this.#page;
    for (const { context, point } of this.#frames) images.paint(context, this.#positionOf(point));
  }

  #markCurrent() {
    const { state } = this.#page;
    if (state.tab !== "paths") return;
    for (const { button, point } of this.#frames) {
      const current = `${state.isAt(this.#positionOf(point))}`;
      if (button.ariaCurrent !== current) button.ariaCurrent = current;
    }
  }
}
