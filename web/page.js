/**
 * The page: its state, its data and its parts. `start` is called by the one gr.HTML that holds the
 * page; see app/workspace.py.
 */

import { start as startAbout } from "./about/index.js";
import { styleClasses } from "./core/class_colours.js";
import { find } from "./core/dom.js";
import { describeFault, parseLink, parsePlane } from "./core/link.js";
import { startMenus } from "./core/menus.js";
import { ServerError } from "./core/server.js";
import { start as startDigit } from "./digit/index.js";
import { start as startDimensions } from "./dimensions/index.js";
import { start as startDirections } from "./directions/index.js";
import { start as startDraw } from "./draw/index.js";
import { start as startExplore } from "./explore/index.js";
import { start as startHeading } from "./heading/index.js";
import { start as startLessons } from "./lessons/index.js";
import { start as startMap } from "./map/index.js";
import { start as startComparison } from "./models/compare.js";
import { start as startModels } from "./models/index.js";
import { makePage } from "./models/make_page.js";
import { Models } from "./models/models.js";
import { start as startPaths } from "./paths/index.js";
import { start as startPlane } from "./plane/index.js";
import { turnTo } from "./plane/turn.js";
import { startTabs } from "./tabs.js";
import { start as startTour } from "./tour/index.js";
import { start as startTraining } from "./training/index.js";

/**
 * What Python hands to the page; see app/workspace.py.
 *
 * @typedef {{
 *   range: number, names: string[], plurals: string[], palette: { light: string[], dark: string[] },
 *   info: { item: string, items: string },
 *   anchors: Record<string, number[][]>, anchor_notes: Record<string, string[]>,
 *   start: number, latent_dim: number, plane: import("./core/plane.js").PlaneRecord,
 *   dims: { dimension: number, kl: number, mean: number, sd: number, used: boolean }[],
 *   norms: import("./dimensions/norms.js").Norms | null,
 *   used: number[], unused_message: string, radius: number, limit: number,
 *   layers: import("./map/layers.js").LayerRecord[],
 *   methods: { key: string, label: string, term: string, short_label: string }[],
 *   controls: import("./core/link.js").Control[],
 *   attributes: { name: string, term: string, less: string, more: string }[],
 *   lessons: {
 *     name: string, title: string, task: string, hint: string, measured: string, learnt: string,
 *     actions: import("./lessons/actions.js").LessonAction[],
 *   }[],
 *   training_lessons: { key: string, title: string }[],
 *   experiments: { key: string, label: string }[],
 *   tour: import("./tour/steps.js").Step[],
 *   replays: { key: string, label: string, file: string, comparison: string | null }[],
 *   pad: import("./draw/pad.js").PadProps & { max_bytes: number },
 *   data: string, model: { key: string, label: string, description: string, images: string, ask: string },
 * }} Props
 */

/**
 * What every part of the page is started with. `encodings` resolves when they are loaded.
 *
 * @typedef {{
 *   props: Props, state: import("./core/state.js").PageState, server: import("./core/server.js").Server, images: import("./core/image_source.js").ImageSource, highlight: import("./core/highlight.js").Highlight,
 *   encodings: Promise<import("./core/encodings.js").Encodings>, pathStyles: import("./paths/styles.js").PathStyles,
 *   openImage: (index: number, move?: boolean) => Promise<void>, models: Models,
 * }} Page
 */

const LINK_DELAY = 400; // ms; browsers refuse more than some 100 changes of the address in 30 s

/** Shows the plane that the address asks for, and says what is wrong with the address. @param {Page} page */
async function restorePlane(page) {
  const { models, state } = page;
  const { plane } = state;
  const fault = describeFault(location.hash, plane);
  if (fault) models.say(fault);
  if (plane.isWhole) return;
  try {
    await turnTo(page, parsePlane(location.hash, plane.latentDim));
  } catch (error) {
    if (error instanceof ServerError) models.say(`The plane in the link: ${error.message}`);
    else reportError(error);
  }
}

/** The address with another part after #: relative to the page's base, it would lose its query. @param {string} link */
const after = (link) => `${location.href.split("#")[0]}#${link}`;

/** Keeps the address and the state in agreement. @param {Page} page */
function followAddress(page) {
  const { state, models, props } = page;
  let writing = 0;
  const writeSoon = () => {
    clearTimeout(writing);
    writing = window.setTimeout(() => {
      // Back may have left the address of this model, before the other one is shown.
      if (models.addressed === props.model.key) history.replaceState(null, "", after(state.link));
    }, LINK_DELAY);
  };
  const topics = /** @type {const} */ ([
    "position",
    "view",
    "layers",
    "marks",
    "controls",
    "plane",
  ]);
  for (const topic of topics) state.subscribe(topic, writeSoon);
  // Each step of the tour and each comparison is an entry of the browser's history; the address of a
  // step is completed at rest.
  state.subscribe("controls", () => {
    const { tour, compare } = state.values;
    const linked = parseLink(location.hash, [], state.controls).values;
    if (linked.tour === tour && linked.compare === compare) return;
    const isStep = tour && linked.tour !== tour;
    history.pushState(
      null,
      "",
      after(isStep ? `${new URLSearchParams({ tour: `${tour}` })}` : state.link),
    );
  });
  // A link that is opened in this page, and the browser's Back button.
  const restore = () => {
    clearTimeout(writing);
    if (models.addressed !== props.model.key) return; // of another model, which is being opened
    state.restore(location.hash);
    restorePlane(page);
  };
  addEventListener("hashchange", restore, { signal: state.signal });
  state.signal.addEventListener("abort", () => clearTimeout(writing), { once: true });
}

/** Starts the parts of a page. @param {Page} page @param {HTMLElement} element @param {string} tab */
function startParts(page, element, tab) {
  startHeading(page, find(element, "#heading"));
  startModels(page, find(element, "#heading"));
  startComparison(page, element);
  startMap(page, find(element, "#latent-map"));
  startDigit(page, find(element, "#digit"), find(element, "#readout"));
  startPlane(page, find(element, "#plane"));
  startDimensions(page, find(element, "#dimensions"), find(element, "#tab-dimensions"));
  startExplore(page, find(element, "#explore"));
  startPaths(page, find(element, "#paths"));
  startDirections(page, find(element, "#directions"));
  startDraw(page, find(element, "#own-digit"));
  startTraining(page, find(element, "#replay"), find(element, "#instrument"));
  startLessons(page, find(element, "#lessons"), find(element, "#lesson-bar"));
  startAbout(page, find(element, "#about"));
  startTabs(page.state, find(element, "#tabs"), tab);
  startTour(page, find(element, "#tour"), element);
}

/**
 * Starts the page.
 *
 * @param {HTMLElement} element that holds it
 * @param {Props} props of the default model
 * @param {import("./models/models.js").Functions} functions of Python
 */
export async function start(element, props, functions) {
  startMenus();
  /** @type {AbortController | null} */
  let end = null; // of the page that is shown
  let tab = "";
  /** @type {(opened: import("./models/models.js").Opened, html: string) => Promise<void>} */
  async function show(opened, html) {
    const page = await makePage(opened, models);
    end?.abort();
    end = opened.end;
    const focused = element.contains(document.activeElement);
    // The HTML is that of the page's own template, filled in by the server.
    const { body } = new DOMParser().parseFromString(html, "text/html");
    if (html) element.replaceChildren(...body.childNodes);
    // The page's one global, for its tests and for whoever explores the page in a console.
    Object.assign(window, { latentSpace: page });
    styleClasses(page.props.palette);
    page.state.restore(location.hash);
    followAddress(page);
    startParts(page, element, tab);
    page.state.subscribe("tab", () => {
      tab = page.state.tab;
    });
    restorePlane(page);
    if (html && focused) find(element, "#models summary").focus({ preventScroll: true });
  }
  const models = new Models(props, functions, show);
  await models.start(props);
}
