/** The menu of models in the header: a listbox of all that the server has. */

import { find, findButton, make, showList, write } from "../core/dom.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./models.js").Model & { shown: boolean }} Item */

const KEYS = { ArrowDown: 1, ArrowUp: -1, Home: -1e9, End: 1e9 };
const WAIT = "Looking for models…";

class ModelMenu {
  /** @type {HTMLElement[]} */
  #options = [];
  #models;
  #menu;
  #list;
  #wait;

  /** @param {Page} page @param {HTMLElement} element the header */
  constructor({ models, state }, element) {
    this.#models = models;
    this.#menu = find(element, "#models", HTMLDetailsElement);
    this.#list = find(this.#menu, "[role=listbox]");
    this.#wait = find(this.#menu, ".wait");
    this.#menu.addEventListener("toggle", () => {
      if (this.#menu.open) this.#open();
    });
    this.#list.addEventListener("keydown", (event) => this.#press(event));
    models.subscribe(() => this.#show(), state.signal);
    this.#show();
  }

  async #open() {
    write(this.#wait, this.#models.list ? "" : WAIT);
    this.#focus(this.#selected);
    try {
      await this.#models.refresh();
      write(this.#wait, "");
      if (!this.#list.contains(document.activeElement)) this.#focus(this.#selected);
    } catch (error) {
      write(this.#wait, `${/** @type {Error} */ (error).message} Close and open this menu.`);
    }
  }

  get #selected() {
    return this.#options.findIndex(({ ariaSelected }) => ariaSelected === "true");
  }

  /** @param {number} i */
  #focus(i) {
    if (!this.#menu.open) return;
    for (const [k, option] of this.#options.entries()) option.tabIndex = k === i ? 0 : -1;
    this.#options[i]?.focus();
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const at = this.#options.findIndex((option) => option.matches(":focus"));
    const step = KEYS[/** @type {keyof typeof KEYS} */ (event.key)];
    if (step !== undefined) {
      event.preventDefault();
      this.#focus(Math.min(this.#options.length - 1, Math.max(0, at + step)));
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#options[at]?.click();
    }
  }

  #show() {
    const { list, current, opening } = this.#models;
    const label = list?.find(({ key }) => key === opening)?.label ?? opening;
    write(find(this.#menu, ".current"), opening ? `Opening ${label}…` : current.label);
    find(this.#menu, "summary").ariaBusy = `${opening !== null}`;
    const shown = document.activeElement?.getAttribute("data-key");
    const items = (list ?? []).map((model) => ({ ...model, shown: model.key === current.key }));
    const options = showList(this.#list, items, (item) => this.#option(item));
    if (!options) return;
    this.#options = options;
    const i = this.#options.findIndex(({ dataset }) => dataset.key === shown);
    if (i >= 0) this.#focus(i);
  }

  /** @param {Item} item */
  #option({ key, label, description, usable, reason, shown }) {
    const option = make("li");
    option.role = "option";
    option.tabIndex = -1;
    option.dataset.key = key;
    option.ariaSelected = `${shown}`;
    option.ariaDisabled = `${!usable}`;
    const state = usable ? "" : "Cannot be opened";
    option.append(make("b", label), make("span", shown ? "Shown" : state, "state"));
    option.append(make("span", usable ? description : reason, "line"));
    option.addEventListener("click", () => {
      if (!usable) return;
      this.#menu.open = false;
      find(this.#menu, "summary").focus();
      this.#models.choose(key);
    });
    return option;
  }
}

/** @param {Page} page @param {HTMLElement} element the header */
export function start(page, element) {
  const { models, state } = page;
  new ModelMenu(page, element);
  const notice = find(element, "#model-notice");
  const show = () => {
    write(find(notice, "span"), models.notice);
    notice.hidden = !models.notice;
  };
  findButton(notice, "button").addEventListener("click", () => {
    models.dismiss();
    find(element, "#models summary").focus();
  });
  models.subscribe(show, state.signal);
  show();
}
