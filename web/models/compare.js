/**
 * Two models side by side: a second map beside the first. A test image that is pointed at on one is
 * marked on both, with what each model makes of it.
 */

import { follow } from "../core/controls.js";
import { find, findButton, findCanvas, findInput, showList, write } from "../core/dom.js";
import { ComparedImage } from "./compared_image.js";
import { makePage } from "./make_page.js";
import { SecondMap } from "./second_map.js";

/** @typedef {import("../page.js").Page} Page */

const HIT = 24; // pixels around a point within which it is pointed at
const WAIT = "Opening the second model…";
const MISSING = "is not a model with the same test images on this server. Choose another one.";
const ALONE =
  "There is no other model with the same test images. Train one, or give one with --checkpoint.";

class Comparison {
  #key = ""; // of the second model
  /** @type {AbortController | null} of the second model */
  #end = null;
  /** @type {SecondMap | null} */
  #map = null;
  /** @type {ComparedImage | null} */
  #image = null;
  /** @type {import("../core/encodings.js").Encodings | null} of the first model */
  #encodings = null;
  #asked = 0;
  #page;
  #element;
  #instrument;
  #select;
  #top;

  /** @param {Page} page @param {HTMLElement} workspace */
  constructor(page, workspace) {
    this.#page = page;
    this.#element = find(workspace, "#side-by-side");
    this.#instrument = find(workspace, "#instrument");
    this.#select = find(this.#element, "select", HTMLSelectElement);
    this.#top = findCanvas(workspace, ".map-top");
    this.#listen(find(workspace, "#models", HTMLDetailsElement));
    follow(page.state, () => this.#obey());
  }

  /** @param {HTMLDetailsElement} menu */
  #listen(menu) {
    const { state } = this.#page;
    findButton(menu, ".compare").addEventListener("click", () => {
      menu.open = false;
      if (state.values.tour) state.setValue("tour", "");
      this.#open("");
      findButton(this.#element, ".close").focus({ preventScroll: true });
    });
    findButton(this.#element, ".close").addEventListener("click", () => {
      if (state.values.compare) state.setValue("compare", "");
      else this.#close();
      find(menu, "summary").focus();
    });
    this.#select.addEventListener("change", () => state.setValue("compare", this.#select.value));
    const same = findInput(this.#element, ".same");
    same.addEventListener("change", () => this.#fit());
    state.subscribe("view", () => this.#fit());
    state.subscribe("position", () => this.#follow());
    state.signal.addEventListener("abort", () => this.#end?.abort(), { once: true });
    this.#top.addEventListener("pointermove", (event) => this.#point(event));
  }

  /** Shows the comparison that the state names; a tour, which has its place, ends it. */
  #obey() {
    const { state } = this.#page;
    const { compare, tour } = state.values;
    if (compare && tour) state.setValue("compare", "");
    else if (compare === this.#key) return;
    else if (compare) this.#open(`${compare}`);
    else this.#close();
  }

  /** @param {string} key of the second model; "" for the first one that fits */
  async #open(key) {
    const mine = ++this.#asked;
    const { models, state } = this.#page;
    this.#key = key;
    this.#stop();
    this.#element.hidden = false;
    this.#element.dataset.state = "loading";
    this.#instrument.dataset.comparing = "true";
    state.viewChanged();
    write(find(this.#element, ".compare-note"), WAIT);
    try {
      await models.refresh();
    } catch (error) {
      if (mine === this.#asked) this.#fail(/** @type {Error} */ (error).message);
      return;
    }
    if (mine !== this.#asked) return;
    const fitting = this.#offer();
    if (key && !fitting.includes(key)) this.#fail(`“${key}” ${MISSING}`);
    else if (!fitting.length) this.#fail(ALONE);
    else {
      this.#key = key || fitting[0];
      this.#select.value = this.#key;
      if (!key) state.setValue("compare", this.#key);
      await this.#load();
    }
  }

  /** Lists the other models, and returns the keys of those that can be chosen. */
  #offer() {
    const { models } = this.#page;
    const others = (models.list ?? []).filter(({ key }) => key !== models.current.key);
    const items = others.map(({ key, label, usable, images }) => {
      const fits = usable && images === models.current.images;
      const why = usable ? "different test images" : "cannot be opened";
      return { key, text: fits ? label : `${label} (${why})`, fits };
    });
    showList(this.#select, items, ({ key, text, fits }) => {
      const option = new Option(text, key);
      option.disabled = !fits;
      return option;
    });
    this.#select.selectedIndex = -1;
    return items.filter(({ fits }) => fits).map(({ key }) => key);
  }

  /** @param {string} sentence */
  #fail(sentence) {
    this.#element.dataset.state = "failed";
    write(find(this.#element, ".compare-note"), sentence);
  }

  async #load() {
    const mine = ++this.#asked;
    const { models } = this.#page;
    try {
      const { opened } = await models.open(this.#key);
      const second = await makePage(opened, models);
      const [encodings, other] = await Promise.all([this.#page.encodings, second.encodings]);
      await second.images.loaded;
      if (mine !== this.#asked || this.#page.state.signal.aborted) {
        opened.end.abort();
        return;
      }
      this.#end = opened.end;
      this.#encodings = encodings;
      const canvas = findCanvas(this.#element, ".compare-map");
      this.#map = new SecondMap(second, other, canvas, (index) => this.#show(index));
      this.#image = new ComparedImage(this.#element, [
        { page: this.#page, encodings },
        { page: second, encodings: other },
      ]);
      this.#element.dataset.state = "shown";
      write(find(this.#element, ".compare-note"), "");
      this.#fit();
      this.#follow();
    } catch (error) {
      if (mine === this.#asked) this.#fail(/** @type {Error} */ (error).message);
    }
  }

  /** Ends what belongs to the second model. */
  #stop() {
    this.#end?.abort();
    this.#image?.stop();
    this.#end = null;
    this.#map = null;
    this.#image = null;
    this.#page.highlight.show(null);
  }

  #close() {
    this.#asked++;
    this.#key = "";
    this.#stop();
    this.#element.hidden = true;
    delete this.#instrument.dataset.comparing;
    this.#page.state.viewChanged();
  }

  /** Shows the part of the second map that is asked for. */
  #fit() {
    if (!this.#map) return;
    const { view } = this.#map;
    const { range } = this.#page.props;
    if (findInput(this.#element, ".same").checked) {
      const { centre, half } = this.#page.state.view;
      view.range = Math.max(view.range, range);
      view.show(centre, half);
    } else {
      view.show({ x: 0, y: 0 }, this.#map.range);
    }
    this.#map.draw();
  }

  /** The test image nearest to the cursor. */
  #follow() {
    if (!this.#map || !this.#encodings) return;
    this.#show(this.#encodings.nearestPoint(this.#page.state.z).index);
  }

  /** @param {PointerEvent} event over the first map */
  #point({ clientX, clientY, buttons }) {
    if (!this.#map || !this.#encodings || buttons) return;
    const { view } = this.#page.state;
    const box = this.#top.getBoundingClientRect();
    const at = view.toLatent({ px: clientX - box.left, py: clientY - box.top });
    const { index, distance } = this.#encodings.nearestPoint(at);
    if (distance * view.unit <= HIT) this.#show(index);
  }

  /** Marks a test image on both maps. @param {number} index */
  #show(index) {
    if (!this.#map || !this.#encodings || index === this.#map.marked) return;
    this.#map.mark(index);
    this.#page.highlight.show({ z: this.#encodings.positionOf(index) });
    this.#image?.show(index);
  }
}

/** @param {Page} page @param {HTMLElement} workspace */
export function start(page, workspace) {
  new Comparison(page, workspace);
}
