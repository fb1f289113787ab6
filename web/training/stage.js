/** What the first screen shows while the map plays the training: an epoch instead of the model. */

import {
  find,
  imageCanvas,
  make,
  makeButton,
  paintImage,
  percent,
  signed,
  write,
} from "../core/dom.js";
import { boxAround } from "../map/placement.js";
import { LAYERS } from "./epoch_drawing.js";
import { epochTexts, hasImages, momentAt, nearestImage, shareBeyond } from "./replay.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./epoch_drawing.js").EpochDrawing} EpochDrawing */

/** Shows as much as `extent` asks for, unless the user has zoomed in. @param {import("../core/view.js").MapView} view @param {number} extent */
function fit(view, extent) {
  const whole = view.zoom < 1.001;
  view.range = extent;
  if (whole) view.reset();
  else view.show(view.centre, view.half);
}

export class EpochStage {
  #page;
  #instrument;
  #map;
  #name = make("p", "", "epoch-name");
  #image = imageCanvas();
  #note = make("p", "", "epoch-note");
  /** @type {EpochDrawing | null} */
  #drawing = null;
  #moment = 0;
  #side = 0; // of the map, for which the inset was measured

  /** @param {Page} page @param {HTMLElement} instrument @param {() => void} goBack to the trained model */
  constructor(page, instrument, goBack) {
    this.#page = page;
    this.#instrument = instrument;
    this.#map = find(instrument, "#latent-map");
    this.#name.append(make("b"), make("span"), makeButton("Back to trained model", goBack));
    this.#name.hidden = true;
    find(this.#map, ".map-cursor").before(this.#name);
    this.#image.className = "epoch-image";
    this.#image.role = "img";
    find(instrument, "#digit .view").append(this.#image);
    this.#note.append(make("b"), make("span"));
    find(instrument, "#readout").append(this.#note);
    page.state.subscribe("position", () => this.#showImage());
  }

  /**
   * Shows an epoch.
   *
   * @param {EpochDrawing} drawing @param {number} epoch fractions included @param {number} extent
   * @param {string} model its name, where another stands beside it
   */
  show(drawing, epoch, extent, model) {
    const { state } = this.#page;
    this.#drawing = drawing;
    this.#moment = momentAt(drawing.replay, epoch);
    drawing.epoch = epoch;
    fit(drawing.view, extent);
    if (!state.epoch) this.#mark(true);
    if (this.#side !== drawing.view.side) {
      this.#side = drawing.view.side;
      drawing.taken = [this.#inset()];
    }
    const name = model ? `${model}: epoch` : "Epoch";
    const { epoch: shown, last } = epochTexts(drawing.replay, this.#moment);
    // As wide for each epoch, with spaces of a digit's width: what stands beside it does not move.
    const text = `${name} ${shown} of ${last}`;
    const length = `${name} ${last} of ${last}`.length;
    write(find(this.#name, "b"), text.padEnd(length, "\u2007"));
    write(find(this.#name, "span"), model ? "Fitted to both models" : "Fitted to the points");
    this.#showImage();
    state.showEpoch(drawing);
  }

  /** Shows the trained model. */
  clear() {
    if (!this.#drawing) return;
    this.#drawing.view.reset();
    this.#drawing = null;
    this.#mark(false);
    this.#page.state.showEpoch(null);
  }

  /** Where the decoded image stands on the map, on a narrow screen. @returns {import("../map/placement.js").Box} */
  #inset() {
    const map = find(this.#map, ".map-frame").getBoundingClientRect();
    const image = this.#image.getBoundingClientRect();
    const px = image.left + image.width / 2 - map.left;
    const py = image.top + image.height / 2 - map.top;
    return boxAround({ px, py }, image.width, image.height);
  }

  /** @param {boolean} shown */
  #mark(shown) {
    this.#instrument.toggleAttribute("data-epoch", shown);
    this.#name.hidden = !shown;
    for (const button of this.#map.querySelectorAll("button[data-layer]")) {
      const { dataset } = /** @type {HTMLButtonElement} */ (button);
      const has =
        LAYERS.includes(dataset.layer ?? "") &&
        (dataset.layer !== "images" || (this.#drawing !== null && hasImages(this.#drawing.replay)));
      /** @type {HTMLButtonElement} */ (button).disabled = shown && !has;
    }
  }

  // No decoder of a past epoch is kept, but what it decoded on a grid.
  #showImage() {
    if (!this.#drawing) return;
    const { props, state } = this.#page;
    const { replay } = this.#drawing;
    const { item, items } = props.info;
    const epoch = `Epoch ${epochTexts(replay, this.#moment).epoch}`;
    if (!hasImages(replay)) {
      this.#image.hidden = true;
      write(find(this.#note, "b"), epoch);
      write(
        find(this.#note, "span"),
        `The points of this epoch on the principal plane of the trained model. No images of it are recorded there: decoders of past epochs are not kept.`,
      );
      return;
    }
    const { levels, x, y } = nearestImage(replay, this.#moment, state.z);
    paintImage(this.#image, levels);
    const { grid_side: side, grid_reaches } = replay;
    const reach = grid_reaches[this.#moment].toFixed(1);
    const beyond = shareBeyond(replay, this.#moment);
    const outside = beyond ? ` Beyond them lie ${percent(beyond)} of the ${items}.` : "";
    const where = `(${signed(x)}, ${signed(y)})`;
    this.#image.ariaLabel = `The ${item} that this epoch decodes at ${where}`;
    write(find(this.#note, "b"), epoch);
    write(
      find(this.#note, "span"),
      `The ${item} is what this epoch decodes at ${where}, the nearest of ${side ** 2} positions recorded from −${reach} to ${reach}.${outside} Classes and nearest ${items} return with the trained model.`,
    );
  }
}
