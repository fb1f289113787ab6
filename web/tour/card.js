/** The card of the tour: one step's text beside the map. */

import { find, findButton, findCanvas, paintImage } from "../core/dom.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./steps.js").Step} Step */

const AFTER = {
  untouched: "Leaving brings back the view from before the tour.",
  touched: "Leaving keeps what you see now.",
};

export class Card {
  #page;
  #element;
  #figure;
  /** @type {Step | null} */
  #step = null;

  /** @param {Page} page @param {HTMLElement} element */
  constructor(page, element) {
    this.#page = page;
    this.#element = element;
    this.#figure = find(element, "figure");
  }

  /** @param {Step} step */
  show(step) {
    const { tour } = this.#page.props;
    const element = this.#element;
    const index = tour.indexOf(step);
    this.#step = step;
    element.dataset.step = step.key;
    element.toggleAttribute("data-above", step.tab !== ""); // a panel
    find(element, ".count").textContent = `${index + 1} of ${tour.length}`;
    find(element, ".title").textContent = step.title;
    find(element, ".text").textContent = step.text;
    const details = find(element, "details", HTMLDetailsElement);
    details.open = false;
    details.hidden = !step.more;
    find(details, "p").textContent = step.more;
    findButton(element, ".back").ariaDisabled = `${index === 0}`;
    findButton(element, ".next").textContent = index === tour.length - 1 ? "Finish" : "Next";
    this.#showImage(step);
  }

  /** The test image that the step speaks of. @param {Step} step */
  async #showImage(step) {
    this.#figure.hidden = step.image === null;
    if (step.image === null) return;
    const { props, encodings } = this.#page;
    const caption = find(this.#figure, "figcaption");
    const canvas = findCanvas(this.#figure, "canvas");
    caption.textContent = `Test ${props.info.item} ${step.image}`;
    canvas.ariaLabel = caption.textContent;
    try {
      const [image] = await (await encodings).images([step.image]);
      if (this.#step === step) paintImage(canvas, image);
    } catch {
      if (this.#step === step) caption.textContent = "The image could not be loaded.";
    }
  }

  /** What leaving the tour does. @param {boolean} touched whether the user moved something */
  promise(touched) {
    find(this.#element, ".after").textContent = touched ? AFTER.touched : AFTER.untouched;
  }
}
