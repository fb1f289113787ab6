/** One model of the replay: its encoded images, its decoded images and what happens to them. */

import { contextOf, find, findCanvas, isDark } from "../core/dom.js";
import { drawPoints } from "./points.js";
import { describe, gridAt, lastEpoch, momentAt } from "./replay.js";

/** @typedef {import("../core/drawing.js").Colours} Colours */
/** @typedef {import("../page.js").Props} Props */
/** @typedef {import("./replay.js").Replay} Replay */

export class ReplayPanel {
  #props;
  #label;
  #canvases;
  #grid;
  #epoch;
  #description;

  /**
   * @param {Props} props @param {HTMLTemplateElement} template
   * @param {string} label @param {Replay} replay @param {boolean} second of two
   */
  constructor(props, template, label, replay, second) {
    const root = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    this.#props = props;
    this.#label = label;
    this.replay = replay;
    this.root = root;
    this.#canvases = { points: findCanvas(root, ".points"), overlay: findCanvas(root, ".overlay") };
    this.#grid = findCanvas(root, ".grid");
    this.#grid.width = 28 * replay.grid_side;
    this.#grid.height = 28 * replay.grid_side;
    this.#epoch = find(root, ".heading span");
    this.#description = find(root, ".description span");
    root.querySelector(".curve")?.classList.toggle("second", second);
    find(root, ".heading b").textContent = label;
    find(root, ".description small").textContent = replay.summary;
    const count = replay.labels.length.toLocaleString("en");
    const reach = replay.grid_reach;
    find(root, ".encoded small").textContent = `${count} test ${props.info.items}`;
    find(root, ".decoded small").textContent = `on a grid, x and y from −${reach} to ${reach}`;
  }

  /**
   * Draws the encoded images.
   *
   * @param {number} epoch fractions included @param {number} range @param {Colours} colours
   */
  drawPoints(epoch, range, colours) {
    drawPoints(this.#canvases, this.replay, epoch, range, this.#props, colours);
  }

  /** Draws the decoded images. @param {number} epoch */
  drawGrid(epoch) {
    const { width } = this.#grid;
    const pixels = gridAt(this.replay, momentAt(this.replay, epoch), isDark() ? 255 : 0);
    contextOf(this.#grid).putImageData(new ImageData(pixels, width, width), 0, 0);
  }

  /** @param {number} epoch */
  describe(epoch) {
    const { replay } = this;
    const { info } = this.#props;
    const moment = momentAt(replay, epoch);
    const at = replay.epochs[moment];
    const finished = epoch > lastEpoch(replay);
    this.#epoch.textContent = finished ? `finished at epoch ${at}` : `epoch ${at}`;
    const description = describe(replay, moment, info);
    // A screen reader announces every write to a live region: write only what is new.
    if (this.#description.textContent !== description) this.#description.textContent = description;
    const when = at ? `after epoch ${at}` : "before training";
    this.#canvases.points.ariaLabel = `${this.#label}: encoded ${info.items} ${when}`;
    this.#grid.ariaLabel = `${this.#label}: grid of decoded images ${when}`;
  }
}
