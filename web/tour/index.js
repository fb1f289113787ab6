/**
 * The guided tour: a card beside the map, one idea a step. Each step sets the cursor, the view and the
 * layers of the map, and may open a tab below the card. The step is a value of the page's state, so
 * that a link and the browser's history hold it.
 */

import { find, findButton } from "../core/dom.js";
import { parseLink } from "../core/link.js";
import { Card } from "./card.js";
import { Glide } from "./glide.js";
import { actionOf, stepBeside } from "./steps.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./steps.js").Step} Step */
/** @typedef {Pick<import("../core/state.js").PageState, "link" | "tab" | "paths" | "reading">} Before the tour */

const MOVE = 1200; // ms from one position of a route to the next

class Tour {
  /** @type {Step | null} */
  #step = null;
  /** @type {Before | null} */
  #before = null;
  #last = ""; // the step that was left
  #touched = false;
  #page;
  #element;
  #card;
  #glide;
  #workspace;
  /** @type {HTMLButtonElement[]} */
  #starters;

  /** @param {Page} page @param {HTMLElement} element @param {HTMLElement} workspace */
  constructor(page, element, workspace) {
    this.#page = page;
    this.#element = element;
    this.#workspace = workspace;
    this.#card = new Card(page, element);
    this.#glide = new Glide(page.state);
    this.#starters = [...workspace.querySelectorAll("button.take-tour")].map(
      (button) => /** @type {HTMLButtonElement} */ (button),
    );
    this.#listen();
  }

  #listen() {
    const { state } = this.#page;
    for (const button of this.#starters) {
      button.hidden = !this.#page.props.tour.length;
      button.addEventListener("click", () => (this.#step ? this.#leave() : this.#begin()));
    }
    findButton(this.#element, ".back").addEventListener("click", () => this.#go(-1));
    findButton(this.#element, ".next").addEventListener("click", () => this.#go(1));
    findButton(this.#element, ".leave").addEventListener("click", () => this.#leave());
    // First of all: Escape in a menu closes no more than the menu.
    const press = (/** @type {KeyboardEvent} */ event) => this.#press(event);
    document.addEventListener("keydown", press, { capture: true, signal: state.signal });
    const map = find(this.#workspace, "#latent-map");
    for (const kind of /** @type {const} */ (["pointerdown", "wheel"])) {
      map.addEventListener(kind, () => this.#touch(), { passive: true });
    }
    state.subscribe("position", (source) => {
      if (source !== "tour" && source !== "link") this.#touch();
    });
    state.subscribe("controls", (source) => this.follow(source));
  }

  // From now on the map is the user's.
  #touch() {
    if (!this.#step || this.#touched) return;
    this.#glide.stop();
    this.#touched = true;
    this.#card.promise(true);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (!this.#step || event.ctrlKey || event.metaKey || event.altKey) return;
    const { state } = this.#page;
    if (state.picking || document.querySelector("dialog[open], details.menu[open]")) return;
    const action = actionOf(event.key, event.target instanceof Element ? event.target : null);
    if (action === null) return;
    event.preventDefault();
    if (action === "leave") this.#leave();
    else this.#go(action);
  }

  /** Starts, or goes on where it was left. */
  #begin() {
    const { state, props } = this.#page;
    const { link, tab, paths, reading } = state;
    this.#before = { link, tab, paths, reading };
    state.setValue("tour", this.#last || props.tour[0].key);
    this.#element.focus({ preventScroll: true });
  }

  /** @param {number} by steps; beyond the last one the tour ends */
  #go(by) {
    const { state, props } = this.#page;
    if (!this.#step) return;
    const key = stepBeside(props.tour, this.#step.key, by);
    if (key) state.setValue("tour", key);
    else if (by > 0) this.#leave();
  }

  #leave() {
    const { state } = this.#page;
    if (this.#touched || !this.#before) state.setValue("tour", "");
    else state.restore(this.#before.link);
  }

  /** Shows the step that the state holds. @param {string} [source] of a change of it */
  follow(source) {
    const { state, props } = this.#page;
    const step = props.tour.find(({ key }) => key === state.values.tour) ?? null;
    if (step === this.#step) return;
    const opens = !this.#step;
    this.#step = step;
    if (!step) {
      this.#close();
      return;
    }
    if (opens) this.#open();
    this.#last = props.tour.at(-1) === step ? "" : step.key;
    this.#touched = false;
    this.#card.show(step);
    this.#card.promise(false);
    this.#element.scrollIntoView({ block: "start" }); // on a phone, below the map
    const linked = source === "link";
    const placed = linked && parseLink(location.hash, [], []).z !== null;
    this.#run(step, { place: !placed, smooth: !linked });
  }

  #open() {
    // Who comes by a link has nothing to go back to but a new page.
    this.#before ??= { link: "", tab: this.#page.state.tab, paths: [], reading: null };
    this.#element.hidden = false;
    find(this.#workspace, "#instrument").toggleAttribute("data-tour", true);
    this.#nameStarters();
  }

  #close() {
    const { state } = this.#page;
    const before = this.#before;
    const focused = this.#element.contains(document.activeElement);
    this.#before = null;
    this.#glide.stop();
    this.#element.hidden = true;
    find(this.#workspace, "#instrument").toggleAttribute("data-tour", false);
    this.#nameStarters();
    if (focused) this.#starters[0].focus();
    if (!before) return;
    state.openTab((this.#touched && state.tab) || before.tab);
    if (this.#touched) return;
    state.showPaths(before.paths);
    state.showReading(before.reading);
  }

  #nameStarters() {
    const text = this.#step ? "Leave the tour" : this.#last ? "Resume the tour" : "Take the tour";
    for (const button of this.#starters) button.textContent = text;
  }

  /**
   * Does what a step asks for.
   *
   * @param {Step} step
   * @param {{ place: boolean, smooth: boolean }} how place: false where a link holds the position,
   *   the view and the layers; smooth: whether the map moves to them
   */
  async #run(step, { place, smooth }) {
    const { state, openImage } = this.#page;
    state.openTab(step.tab);
    state.showPaths([]);
    state.showReading(null);
    for (const [name, value] of Object.entries(step.values)) state.setValue(name, value);
    if (place) {
      for (const { key } of state.layerRecords) {
        if (state.layers[key] !== step.layers.includes(key)) state.toggleLayer(key);
      }
      state.travel(step.route, smooth ? MOVE * step.route.length : 0, "tour");
      const whole = { centre: { x: 0, y: 0 }, half: state.view.range };
      await this.#glide.to(step.view ?? whole, smooth);
    }
    if (this.#step !== step) return;
    if (step.opens && step.image !== null) openImage(step.image);
    if (step.press) await this.#use(step);
  }

  /** Presses what a step presses, and scrolls to what it shows. @param {Step} step */
  async #use(step) {
    (await this.#await(step, step.press))?.click();
    const shown = step.show && (await this.#await(step, step.show));
    if (!shown) return;
    // Only the panel: on a phone, where it has no scroll of its own, the text comes first.
    this.#element.scrollIntoView({ block: "start" });
    const panels = find(this.#workspace, "#panels");
    const [outer, inner] = [panels, shown].map((some) => some.getBoundingClientRect().top);
    // Below what stays at the top of the panel.
    panels.scrollTop += inner - outer - Number.parseFloat(getComputedStyle(shown).scrollMarginTop);
  }

  /** An element once it is on the page; null if the step is left before. @param {Step} step @param {string} selector */
  async #await(step, selector) {
    for (;;) {
      const found = this.#workspace.querySelector(selector);
      if (found instanceof HTMLElement && found.getClientRects().length) return found;
      await new Promise(requestAnimationFrame);
      if (this.#step !== step) return null;
    }
  }
}

/** @param {Page} page @param {HTMLElement} element the card @param {HTMLElement} workspace the page */
export function start(page, element, workspace) {
  new Tour(page, element, workspace).follow("link");
}
