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
import { turnTo } from "../plane/turn.js";
import { LAYERS } from "./epoch_drawing.js";
import {
  epochTexts,
  hasImages,
  momentAt,
  nearestImage,
  nearestReconstruction,
  shareBeyond,
} from "./replay.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./epoch_drawing.js").EpochDrawing} EpochDrawing */
/** @typedef {import("./replay.js").Replay} Replay */

/** Shows as much as `extent` asks for, unless the user has zoomed in. @param {import("../core/view.js").MapView} view @param {number} extent */
function fit(view, extent) {
  const whole = view.zoom < 1.001;
  view.range = extent;
  if (whole) view.reset();
  else view.show(view.centre, view.half);
}

/** What the points are projected on, above two dimensions. @param {Replay} replay */
function planeText({ total }) {
  return `the principal plane of ${total === undefined ? "the trained model" : "this epoch's encodings"}`;
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
    if (!state.epoch) {
      this.#mark(true);
      turnTo(this.#page, { kind: "principal" }); // on which the points are recorded
    }
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

  // No decoder of a past epoch is kept, but what it decoded on a grid, or some reconstructions.
  #showImage() {
    if (!this.#drawing) return;
    const { replay } = this.#drawing;
    write(find(this.#note, "b"), `Epoch ${epochTexts(replay, this.#moment).epoch}`);
    const text = replay.reconstructed.length
      ? this.#showReconstruction(replay)
      : this.#showGrid(replay);
    const { items } = this.#page.props.info;
    const later = ` Classes and nearest ${items} return with the trained model.`;
    write(find(this.#note, "span"), text + (hasImages(replay) ? later : ""));
  }

  /** @param {Replay} replay */
  #showGrid(replay) {
    const { item, items } = this.#page.props.info;
    this.#image.hidden = !hasImages(replay);
    if (this.#image.hidden) {
      return `The points of this epoch on ${planeText(replay)}. No images of it are recorded.`;
    }
    const { levels, x, y } = nearestImage(replay, this.#moment, this.#page.state.z);
    paintImage(this.#image, levels);
    const { grid_side: side, grid_reaches } = replay;
    const reach = grid_reaches[this.#moment].toFixed(1);
    const beyond = shareBeyond(replay, this.#moment);
    const outside = beyond ? ` Beyond them lie ${percent(beyond)} of the ${items}.` : "";
    const where = `(${signed(x)}, ${signed(y)})`;
    this.#image.ariaLabel = `The ${item} that this epoch decodes at ${where}`;
    return `The ${item} is what this epoch decodes at ${where}, the nearest of ${side ** 2} positions recorded from −${reach} to ${reach}.${outside}`;
  }

  /** @param {Replay} replay */
  #showReconstruction(replay) {
    const { item, items } = this.#page.props.info;
    const { levels, x, y } = nearestReconstruction(replay, this.#moment, this.#page.state.z);
    this.#image.hidden = false;
    paintImage(this.#image, levels);
    const where = `(${signed(x)}, ${signed(y)})`;
    this.#image.ariaLabel = `This epoch's reconstruction of the test ${item} that it encodes at ${where}`;
    return `The ${item} is this epoch's reconstruction of the test ${item} encoded at ${where}, the nearest of ${replay.reconstructed.length} recorded ${items}. The map shows ${planeText(replay)}.`;
  }
}
