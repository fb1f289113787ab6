/**
 * Which model the page shows, and the others that the server has. It lives as long as the page;
 * all else is made anew when another model is chosen.
 */

import { Server, ServerError } from "../core/server.js";
import { addressOf, modelIn } from "./address.js";

/** @typedef {import("../page.js").Props} Props */
/** @typedef {Record<string, (...values: any[]) => Promise<any>>} Functions of Python */

/**
 * A model in the list; one that is not usable says why in `reason`.
 *
 * @typedef {{
 *   key: string, label: string, description: string, usable: boolean, reason: string,
 *   images: string, latent_dim: number,
 * }} Model
 */

/** A model with all that its page needs. @typedef {{ props: Props, server: Server, end: AbortController }} Opened */

const FIRST = ["decoder.bin", "encodings.bin"]; // without these, a model cannot be shown

export class Models {
  /** @type {Props["model"]} the one that is shown */
  current;
  /** @type {Model[] | null} null until they are asked for */
  list = null;
  /** @type {string | null} the key of the one that is being opened */
  opening = null;
  /** Why the last one could not be opened, or "". */
  notice = "";
  #default;
  #functions;
  #show;
  #asked = 0;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * @param {Props} props of the default model @param {Functions} functions
   * @param {(opened: Opened, html: string) => Promise<void>} show makes the page of a model
   */
  constructor(props, functions, show) {
    this.current = props.model;
    this.#default = props.model.key;
    this.#functions = functions;
    this.#show = show;
    addEventListener("popstate", () => this.choose(this.addressed, "address"));
  }

  /** The key that the address names. */
  get addressed() {
    return modelIn(location.href) ?? this.#default;
  }

  /**
   * Calls `listener` after every change, until `signal`.
   *
   * @param {() => void} listener @param {AbortSignal} signal
   */
  subscribe(listener, signal) {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
  }

  #changed() {
    for (const listener of [...this.#listeners]) listener();
  }

  /** What can be asked of a model. @param {Props} props @returns {Opened} */
  connect(props) {
    const end = new AbortController();
    const root = new URL(props.data, document.baseURI).href;
    return { props, end, server: new Server(this.#functions, root, props.model.ask, end.signal) };
  }

  /**
   * Asks for the list, which may have grown by a run that has finished.
   *
   * @returns {Promise<Props["replays"]>} the trainings that can be compared with that of this model
   * @throws {ServerError} with a sentence to show
   */
  async refresh() {
    const asked = this.current.key;
    const { models, replays } = await this.#ask("models", this.current.ask);
    this.list = models;
    const own = this.list?.find(({ key }) => key === asked);
    if (own && asked === this.current.key) this.current = { ...this.current, label: own.label };
    this.#changed();
    return replays;
  }

  /** The props, the HTML and the first files of a model. @param {string} key */
  async open(key) {
    const { html, page } = await this.#ask("model", key);
    const opened = this.connect(page);
    await Promise.all(FIRST.map((name) => opened.server.file(name)));
    return { opened, html };
  }

  /**
   * Shows a model in place of the one that is shown; where that fails, the page stays as it is and
   * `notice` says why.
   *
   * @param {string} key
   * @param {"choice" | "address"} [source] the user's choice is an entry of the history
   * @returns {Promise<boolean>} whether the page shows it
   */
  async choose(key, source = "choice") {
    const mine = ++this.#asked;
    this.notice = "";
    this.opening = key === this.current.key ? null : key;
    this.#changed();
    if (!this.opening) return true;
    try {
      const { opened, html } = await this.open(key);
      if (mine !== this.#asked) return false; // another one was chosen meanwhile
      if (source === "choice") history.pushState(null, "", this.#addressOf(key));
      this.opening = null;
      this.current = opened.props.model;
      await this.#show(opened, html);
      return true;
    } catch (error) {
      if (!(error instanceof ServerError)) reportError(error);
      if (mine === this.#asked) this.#stay(key, /** @type {Error} */ (error).message);
      return false;
    }
  }

  /** Says why a model is not shown. @param {string} key @param {string} reason */
  #stay(key, reason) {
    this.opening = null;
    this.notice = `“${key}” could not be opened: ${reason}${/[.!?]$/.test(reason) ? "" : "."} This page shows ${this.current.label}.`;
    if (this.addressed !== this.current.key) {
      history.replaceState(null, "", this.#addressOf(this.current.key));
    }
    this.#changed();
  }

  /** Shows a notice of something else, until it is dismissed. @param {string} notice */
  say(notice) {
    this.notice = notice;
    this.#changed();
  }

  dismiss() {
    this.say("");
  }

  /**
   * Shows the model that the address names when the page is opened, else the default one.
   *
   * @param {Props} props of the default model
   */
  async start(props) {
    const key = this.addressed;
    if (key !== this.#default) {
      const { hash } = location;
      if (await this.choose(key, "address")) return;
      history.replaceState(null, "", `${location.href.split("#")[0]}${hash}`);
    }
    await this.#show(this.connect(props), "");
  }

  /** @param {string} key */
  #addressOf(key) {
    return addressOf(location.href, key === this.#default ? null : key);
  }

  /** @param {string} name @param {string} value */
  #ask(name, value) {
    return new Server(this.#functions, "").ask(name, value);
  }
}
