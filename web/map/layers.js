/**
 * The layers of the map: their drawings, their data and their buttons.
 *
 * Each has a record in explorer/map_layers.py, and its drawing in layers/<key>.js: `createLayer`,
 * which returns a LayerDrawing. CONTRIBUTING.md says how to add one.
 */

import { bytesOf, find, findButton, make, makeButton } from "../core/dom.js";
import { unpack } from "../core/packed.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./painter.js").Scene} Scene */

/**
 * A record of explorer/map_layers.py.
 *
 * @typedef {import("../core/link.js").LayerRecord & {
 *   label: string, term: string, help: string, busy: string, computed: boolean, more: boolean,
 * }} LayerRecord
 */

/**
 * How a layer is drawn; each function is optional.
 *
 *   order    from the bottom to the top; below 0: under the axes. Regions have −30, fields up to −10,
 *            images 10, points 20, arrows 30, rings 40
 *   prepare  what the drawing needs, made once from the layer's file
 *   draw     on the canvas that stays while the cursor moves
 *   drawTop  on the canvas above it, beneath the cursor
 *   labels   which are placed together with all others of the map
 *   legend   of the layer's file, or null where it has none: pairs of a CSS background, or "", and a text
 *
 * @typedef {{
 *   order?: number, prepare?: (data: any) => unknown, draw?: (scene: Scene, prepared: any) => void,
 *   drawTop?: (scene: Scene, prepared: any) => void, legend?: (data: any) => [string, string][],
 *   labels?: (scene: Scene, prepared: any) => import("./map_labels.js").Label[],
 * }} LayerDrawing
 */

const TURNED = "Computing the layer on this plane…";
const FAILED = "The layer could not be loaded. Turn it on again to retry.";

/**
 * The data of a layer: a file for the principal plane, else computed on request.
 *
 * @param {import("../core/server.js").Server} server @param {string} key
 * @param {import("../core/plane.js").Spec} spec
 * @returns {Promise<ArrayBuffer>}
 */
async function fileOf(server, key, spec) {
  if (spec.kind === "principal") return server.file(`layers/${key}.bin`);
  const { file } = await server.ask("layer", key, spec);
  return bytesOf(file).buffer;
}

class Layer {
  /** @type {unknown} */
  #prepared = null;
  #drawing;
  #file;
  /** @type {any} what `prepare` was given */
  #data = null;
  #waiting = false;
  #plane;

  /** @param {Page} page @param {LayerRecord} record @param {LayerDrawing} drawing */
  constructor({ server, state }, record, drawing) {
    this.record = record;
    this.order = drawing.order ?? 0;
    this.#drawing = drawing;
    this.#plane = state.plane;
    this.#file = record.computed ? () => fileOf(server, record.key, state.plane.spec) : null;
    this.loaded = !this.#file;
  }

  /** What the legend says of it. @returns {[string, string][]} */
  get legend() {
    if (this.loaded) return this.#drawing.legend?.(this.#data) ?? [];
    const turned = this.#plane.spec.kind === "principal" ? "" : TURNED;
    const busy = this.record.busy || turned;
    return this.#waiting && busy ? [["", busy]] : [];
  }

  /** Fetches its data. */
  async load() {
    if (this.loaded || !this.#file) return;
    this.#waiting = true;
    const { version } = this.#plane;
    try {
      const data = unpack(await this.#file());
      if (version !== this.#plane.version) return;
      this.#prepared = this.#drawing.prepare?.(data) ?? data;
      this.#data = data;
      this.loaded = true;
    } finally {
      if (version === this.#plane.version) this.#waiting = false;
    }
  }

  /** Its data is of another plane: it must be loaded again. */
  forget() {
    this.loaded = !this.#file;
  }

  /** @param {Scene} scene */
  draw(scene) {
    if (this.loaded) this.#drawing.draw?.(scene, this.#prepared);
  }

  /** @param {Scene} scene */
  drawTop(scene) {
    if (this.loaded) this.#drawing.drawTop?.(scene, this.#prepared);
  }

  /** @param {Scene} scene */
  labels(scene) {
    return (this.loaded && this.#drawing.labels?.(scene, this.#prepared)) || [];
  }
}

export class MapLayers {
  /** @type {Layer[]} those whose drawings are there, from the bottom to the top */
  #layers = [];
  /** @type {Set<string>} keys of the layers that the legend explains */
  #explained = new Set();
  #state;
  #element;
  #legendElement;
  #redraw;

  /** @param {Page} page @param {HTMLElement} element the map @param {() => void} redraw */
  constructor(page, element, redraw) {
    this.#state = page.state;
    this.#element = element;
    this.#redraw = redraw;
    this.#legendElement = find(element, ".map-legend");
    this.#addButtons(page.props.layers);
    this.#startFolding(findButton(this.#legendElement, ".fold"));
    page.state.subscribe("layers", () => this.#show());
    // Above two dimensions, points have a legend of their own.
    if (!page.state.plane.isWhole) {
      page.state.subscribe("plane", () => {
        for (const layer of this.#layers) layer.forget();
        this.#show();
      });
    }
    /** Resolves once the drawings are there. */
    this.drawn = this.#load(page);
    // The drawing of the points takes their legend from the encodings: it must have heard of them.
    Promise.all([page.encodings, this.drawn]).then(
      () => this.#showLegends(),
      () => {}, // the map says that they could not be loaded
    );
  }

  /** @param {Page} page */
  async #load(page) {
    const redraw = () => this.#redraw();
    await Promise.all(
      page.props.layers.map(async (record) => {
        try {
          const { createLayer } = await import(`./layers/${record.key}.js`);
          this.#layers.push(new Layer(page, record, createLayer(page, redraw)));
        } catch (error) {
          console.error(error); // the other layers are drawn all the same
        }
      }),
    );
    this.#layers.sort((a, b) => a.order - b.order);
    await this.#show();
  }

  /** The layers to draw, from the bottom to the top. */
  shown() {
    return this.#layers.filter(({ record }) => this.#state.layers[record.key]);
  }

  async #show() {
    this.#redraw();
    const loading = this.shown()
      .filter((layer) => !layer.loaded)
      .map(async (layer) => {
        try {
          await layer.load();
          this.#redraw();
        } catch {
          if (this.#state.layers[layer.record.key]) this.#state.toggleLayer(layer.record.key);
          this.#showLegend([make("div", FAILED)], false);
          return;
        }
        this.#showLegends();
      });
    this.#showLegends();
    await Promise.all(loading);
  }

  // On a narrow screen they would cover much of the map.
  /** @param {HTMLButtonElement} button */
  #startFolding(button) {
    button.addEventListener("click", () => {
      button.ariaExpanded = `${button.ariaExpanded !== "true"}`;
      this.#redraw();
    });
  }

  // What takes seconds is said at once.
  #showLegends() {
    const shown = this.shown();
    const explained = shown.filter(({ legend }) => legend.length);
    this.#showLegend(
      explained.map((layer) => this.#legendOf(layer)),
      shown.every(({ loaded }) => loaded),
    );
  }

  /** @param {HTMLElement[]} parts @param {boolean} folds on a narrow screen */
  #showLegend(parts, folds) {
    this.#legendElement.hidden = !parts.length;
    this.#legendElement.toggleAttribute("data-folds", folds);
    find(this.#legendElement, "div").replaceChildren(...parts);
  }

  /** What a layer's colours mean, and a button that says what the layer shows. @param {Layer} layer */
  #legendOf({ legend, record: { key, label, help } }) {
    const part = make("div");
    part.dataset.legend = key;
    for (const [background, text] of legend) {
      const line = make("div", text);
      if (background) {
        const ramp = make("span");
        ramp.style.background = background;
        line.prepend(ramp, " ");
      }
      part.append(line);
    }
    const text = make("div", help, "explanation");
    const show = () => {
      const open = this.#explained.has(key);
      button.ariaExpanded = `${open}`;
      if (open) part.append(text);
      else text.remove();
    };
    const button = makeButton("", () => {
      if (!this.#explained.delete(key)) this.#explained.add(key);
      show();
    });
    button.className = "explain";
    button.ariaLabel = `What does ${label} show?`;
    button.title = button.ariaLabel;
    part.append(button);
    show();
    return part;
  }

  /** @param {LayerRecord[]} records */
  #addButtons(records) {
    const more = find(this.#element, ".more");
    const summary = find(more, "summary");
    for (const { key, label, help, more: folded } of records) {
      const button = makeButton(label, () => this.#state.toggleLayer(key));
      button.dataset.layer = key;
      button.title = help;
      if (folded) find(more, "div").append(button);
      else find(this.#element, ".layers").append(button);
      const show = () => {
        button.ariaPressed = `${this.#state.layers[key]}`;
      };
      this.#state.subscribe("layers", show);
      show();
    }
    // The folded menu still shows that some of its layers are on.
    const countMore = () => {
      const on = records.filter(({ key, more: folded }) => folded && this.#state.layers[key]);
      summary.toggleAttribute("data-on", on.length > 0);
      summary.textContent = on.length ? `✓ More (${on.length})` : "More";
    };
    this.#state.subscribe("layers", countMore);
    countMore();
  }
}
