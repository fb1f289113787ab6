/** The map of the compared model, in the panel: the same view as the main map's, at the same epoch. */

import { find, findCanvas, write } from "../core/dom.js";
import { fitCanvas } from "../core/drawing.js";
import { axisTexts, drawAxes, drawAxisTexts } from "../map/axes.js";
import { EpochDrawing } from "./epoch_drawing.js";
import { epochTexts, momentAt } from "./replay.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./replay.js").Replay} Replay */

export class ComparedMap {
  #page;
  #canvas;
  #name;
  #drawing;

  /** @param {Page} page @param {HTMLElement} element @param {string} label @param {Replay} replay */
  constructor(page, element, label, replay) {
    this.#page = page;
    this.#canvas = findCanvas(element, ".compared");
    this.#name = find(element, ".epoch-name b");
    this.#drawing = new EpochDrawing(page.props, replay);
    this.label = label;
    this.replay = replay;
  }

  /**
   * @param {number} epoch fractions included @param {import("../core/view.js").MapView} shown the
   * view of the main map @param {import("../core/drawing.js").Colours} colours
   */
  draw(epoch, shown, colours) {
    const { label, replay } = this;
    const { view } = this.#drawing;
    const side = this.#canvas.clientWidth;
    if (!side) return;
    view.side = side;
    view.range = shown.range;
    view.show(shown.centre, shown.half);
    this.#drawing.epoch = epoch;
    const { layers } = this.#page.state;
    const scene = { context: fitCanvas(this.#canvas, side), view, colours, layers };
    drawAxes(scene);
    this.#drawing.draw(scene);
    const { context } = scene;
    drawAxisTexts(
      scene,
      axisTexts(view, (text) => context.measureText(text).width),
    );
    this.#drawing.drawTop(scene);
    const moment = momentAt(replay, epoch);
    const { epoch: at, last } = epochTexts(replay, moment);
    write(this.#name, `${label}: epoch ${at} of ${last}`);
    const when = moment ? `after epoch ${at}` : "before training";
    this.#canvas.ariaLabel = `${label}: encoded ${this.#page.props.info.items} ${when}`;
  }
}
