/**
 * Training from the page: a form, and the run that goes on, which all users see. The run itself
 * is the server's; closing the page changes nothing.
 */

import { find, findButton, showList, write } from "../core/dom.js";
import { client } from "./client.js";
import { TrainingLessons } from "./course.js";
import { exploreRun } from "./explore.js";
import { SettingsForm } from "./form.js";
import { LiveMap } from "./live.js";
import { mayStop } from "./own_run.js";
import { figures, message } from "./texts.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./client.js").Run} Run */
/** @typedef {import("./client.js").Status} Status */

const TAB = "training";
const LIVE_MS = 700; // between two questions while a run is watched
const SIGN_MS = 10_000; // and while it only goes on
const FIRST_MS = 1500; // after the page has opened

/** @param {Run | null | undefined} run */
const isLive = (run) => run?.state === "running" || run?.state === "stopping";

export class Lab {
  #page;
  #root;
  #opener;
  #replay;
  #live;
  #form;
  #giveWay;
  #against;
  #course;
  /** @type {Status | null} */
  #status = null;
  /** @type {"form" | "run"} */
  #view = "run";
  #timer = 0;
  #polled = 0;

  /**
   * @param {Page} page @param {HTMLElement} element the Training tab
   * @param {import("../training/stage.js").EpochStage} stage
   * @param {(open: boolean) => void} giveWay called before the lab takes the panel
   */
  constructor(page, element, stage, giveWay) {
    this.#page = page;
    this.#root = find(element, "#lab");
    this.#opener = findButton(element, "#lab-open");
    this.#replay = find(element, ".replay");
    this.#giveWay = giveWay;
    this.#live = new LiveMap(page, this.#root, stage);
    this.#against = find(this.#root, ".against select", HTMLSelectElement);
    this.#form = new SettingsForm(
      this.#root,
      ({ run }) => this.#begun(run),
      (name) => this.#act("resume", { name }),
    );
    this.#course = new TrainingLessons(page, (key) => {
      page.state.openTab(TAB);
      this.open(key);
    });
    this.#listen();
    this.#pollIn(FIRST_MS);
  }

  /** Whether it has the panel. */
  get isOpen() {
    return !this.#root.hidden && this.#page.state.tab === TAB;
  }

  #listen() {
    const press = (/** @type {string} */ selector, /** @type {() => void} */ action) =>
      findButton(this.#root, selector).addEventListener("click", action);
    this.#opener.addEventListener("click", () => this.open());
    press(".back", () => this.close());
    press(".retry", () => this.open());
    press(".turn", () => this.#turn(this.#view === "run" ? "form" : "run"));
    press(".stop", () => this.#act("stop"));
    press(".resume", () => this.#act("resume", { name: this.#status?.run?.name }));
    press(".explore", () => this.#explore());
    this.#against.addEventListener("change", () => this.#compare());
    this.#page.state.subscribe("tab", () => {
      this.#live.open = this.#watching;
      if (this.isOpen) this.#poll();
    });
    const { signal } = this.#page.state;
    const look = () => {
      if (!this.#status?.message) this.#poll();
    };
    addEventListener("focus", look, { signal });
    const end = () => {
      clearTimeout(this.#timer);
      this.#polled++; // an answer on its way is for a page that is gone
      this.#live.open = false;
    };
    signal.addEventListener("abort", end, { once: true });
  }

  /** Whether the map shows a run. */
  get #watching() {
    return this.isOpen && this.#view === "run" && this.#root.dataset.state === "run";
  }

  // --- opening and closing ---

  /** Takes the panel, with the run that goes on or the form. @param {string} [lesson] to show in it */
  open(lesson = "") {
    this.#form.lesson = lesson;
    this.#giveWay(true);
    this.#replay.hidden = true;
    this.#root.hidden = false;
    this.#root.dataset.state = this.#status ? this.#root.dataset.state : "loading";
    findButton(this.#root, ".back").focus({ preventScroll: true });
    this.#root.scrollIntoView({ block: "start" });
    if (!isLive(this.#status?.run)) this.#view = "form";
    this.#poll();
  }

  close() {
    this.#live.open = false;
    this.#root.hidden = true;
    this.#replay.hidden = false;
    this.#giveWay(false);
    this.#opener.focus({ preventScroll: true });
  }

  /** "Back to trained model": returns whether the lab had the map. */
  goBack() {
    if (!this.isOpen) return false;
    this.close();
    return true;
  }

  /** @param {"form" | "run"} view */
  async #turn(view) {
    this.#view = view;
    if (view === "form") {
      try {
        const form = await client.form();
        if (!form.message) this.#form.show(form);
      } catch (error) {
        this.#fail(/** @type {Error} */ (error).message);
        return;
      }
    }
    this.#show();
    if (view === "run") this.#poll(); // its snapshots may not have been asked for
  }

  /** @param {string} sentence */
  #fail(sentence) {
    this.#root.dataset.state = "failed";
    write(find(this.#root, ".failed span"), sentence);
    this.#live.open = false;
  }

  // --- the run ---

  /** @param {number} ms */
  #pollIn(ms) {
    clearTimeout(this.#timer);
    if (this.#page.state.signal.aborted) return;
    this.#timer = window.setTimeout(() => this.#poll(), ms);
  }

  async #poll() {
    clearTimeout(this.#timer);
    const mine = ++this.#polled;
    try {
      const status = await client.status();
      if (mine !== this.#polled) return;
      await this.#receive(status);
    } catch (error) {
      if (mine !== this.#polled) return;
      if (this.isOpen) this.#fail(/** @type {Error} */ (error).message);
    }
    if (mine === this.#polled && isLive(this.#status?.run)) {
      this.#pollIn(this.isOpen ? LIVE_MS : SIGN_MS);
    }
  }

  /** @param {Status} status */
  async #receive(status) {
    const first = this.#root.dataset.state === "loading" || this.#root.dataset.state === "failed";
    this.#status = status;
    find(document, "#tab-training .sign").hidden = !isLive(status.run);
    this.#course.show(status);
    if (!this.isOpen) return;
    if (status.message) {
      this.#root.dataset.state = "off";
      write(find(this.#root, ".off"), status.message);
      return;
    }
    if (isLive(status.run) && first) this.#view = "run";
    if (this.#view === "form" && (first || !this.#form.filled)) await this.#turn("form");
    else this.#show();
    if (this.#view === "run" && status.run) await this.#live.show(status.run);
  }

  #show() {
    const { run, runs } = this.#status ?? { run: null, runs: [] };
    if (!run) this.#view = "form";
    this.#root.dataset.state = this.#view;
    this.#form.list(runs.filter(({ name }) => name !== run?.name || !isLive(run)));
    const turn = findButton(this.#root, ".turn");
    turn.hidden = !run || (this.#view === "run" && isLive(run));
    turn.textContent = this.#view === "run" ? "New run" : isLive(run) ? "Current run" : "Last run";
    findButton(this.#root, ".start").disabled = isLive(run);
    if (run) this.#describe(run);
    if (this.#view === "form") this.#form.reveal();
    this.#live.open = this.#watching;
  }

  /** @param {Run} run */
  #describe(run) {
    const say = (/** @type {string} */ selector, /** @type {string} */ text) =>
      write(find(this.#root, selector), text);
    this.#root.dataset.run = run.state;
    say(".run-title", run.title);
    say(".message", message(run));
    say(".figures", figures(run));
    say(".log code", run.command);
    say(".log pre", run.log.join("\n"));
    const bar = find(this.#root, "progress", HTMLProgressElement);
    bar.value = run.epochs ? run.at / run.epochs : 0;
    const stops = this.#status !== null && mayStop(this.#status);
    find(this.#root, ".stop").hidden = run.state !== "running" || !stops;
    find(this.#root, ".others").hidden = !isLive(run) || stops;
    find(this.#root, ".resume").hidden = !run.can_resume;
    find(this.#root, ".explore").hidden = run.state !== "finished";
    this.#offerComparisons(run);
    const { lesson } = run;
    find(this.#root, ".verdict").hidden = !lesson;
    if (!lesson) return;
    find(this.#root, ".verdict").dataset.done = `${lesson.done}`;
    say(".verdict b", `${lesson.done ? "✓ Solved" : "Not yet"}: ${lesson.title}`);
    say(".verdict p", lesson.message);
    say(".verdict .learnt", lesson.learnt);
  }

  /** @param {Run} run */
  #begun(run) {
    if (this.#status) this.#status = { ...this.#status, run };
    this.#view = "run";
    this.#show();
    this.#poll();
  }

  /** @param {"stop" | "resume"} action @param {object} [values] */
  async #act(action, values = {}) {
    this.#polled++; // an answer on its way is older
    try {
      const { run } = await client.act(action, values);
      this.#begun(run);
    } catch (error) {
      write(find(this.#root, ".message"), /** @type {Error} */ (error).message);
      this.#pollIn(LIVE_MS);
    }
  }

  async #explore() {
    try {
      await exploreRun(this.#page, this.#status?.run?.name ?? "");
    } catch (error) {
      write(find(this.#root, ".message"), /** @type {Error} */ (error).message);
    }
  }

  // --- the comparison ---

  /** The recorded replays and the finished runs of the same classes. @param {Run} run */
  #comparable(run) {
    const { names, replays } = this.#page.props;
    const same = (/** @type {string[]} */ others) =>
      others.join("\n") === run.class_names.join("\n");
    const known = same(names) ? replays.filter(({ key }) => key !== run.name) : [];
    const listed = new Set([run.name, ...known.map(({ key }) => key)]);
    const runs = (this.#status?.runs ?? []).filter(
      ({ name, state, class_names }) =>
        !listed.has(name) && state === "finished" && same(class_names),
    );
    return [...known, ...runs];
  }

  /** @param {Run} run */
  #offerComparisons(run) {
    const others = this.#comparable(run).map((other) =>
      "file" in other ? other.label : other.title,
    );
    const { options, value } = this.#against;
    find(this.#root, ".against").hidden = !others.length;
    const texts = [options[0].text, ...others];
    showList(this.#against, texts, (text, i) => (i ? new Option(text, `${i - 1}`) : options[0]));
    if (value && others[Number(value)]) this.#against.value = value;
  }

  async #compare() {
    const run = this.#status?.run;
    if (!run) return;
    const { value } = this.#against;
    try {
      await this.#live.compare(value ? this.#comparable(run)[Number(value)] : null);
    } catch (error) {
      write(find(this.#root, ".message"), /** @type {Error} */ (error).message);
    }
  }
}
