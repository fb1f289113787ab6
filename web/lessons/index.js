/**
 * One lesson at a time. Progress is kept in the page only. When the cursor rests and the tab is open,
 * Python checks the current lesson there and says how close the position is to solving it.
 */

import { find, findButton, make, makeButton, signed } from "../core/dom.js";
import { Rest } from "../core/rest.js";
import { ServerError } from "../core/server.js";
import { Bar } from "./bar.js";
import { leadOn } from "./progress.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/view.js").Position} Position */

const REST = 200; // ms without a move before the check is asked for
const LOST = "The server is not responding. Move the cursor to retry.";

class Lessons {
  #current = 0;
  /** @type {(Position | null)[]} of each lesson, the position that first solved it */
  #solved;
  #page;
  #root;
  #message;
  #steps;
  #bar;
  #rest;

  /** @param {Page} page @param {HTMLElement} root @param {HTMLElement} bar */
  constructor(page, root, bar) {
    this.#rest = new Rest(page.state, REST, () => this.#check());
    this.#page = page;
    this.#root = root;
    this.#message = find(root, ".message");
    this.#solved = page.props.lessons.map(() => null);
    this.#steps = page.props.lessons.map(({ title }, i) => {
      const button = makeButton("", () => this.show(i));
      button.title = title;
      return button;
    });
    const items = this.#steps.map((button) => {
      const item = make("li");
      item.append(button);
      return item;
    });
    find(root, ".steps").append(...items);
    this.#bar = new Bar(page.state, bar);
    findButton(root, ".back").addEventListener("click", () => {
      if (this.#current > 0) this.show(this.#current - 1);
    });
    findButton(root, ".next").addEventListener("click", () => {
      const { to } = leadOn(this.#done, this.#current);
      if (to !== null) this.show(to);
    });
  }

  /** Whether its message is on the page, here or in the bar. */
  get isShown() {
    return this.#page.state.tab === "lessons" || this.#bar.shown;
  }

  get #lesson() {
    return this.#page.props.lessons[this.#current];
  }

  get #done() {
    return this.#solved.map(Boolean);
  }

  /** Shows a lesson. @param {number} index */
  show(index) {
    this.#current = index;
    const { title, task, hint } = this.#lesson;
    const root = this.#root;
    find(root, ".count").textContent = `Lesson ${index + 1} of ${this.#solved.length}`;
    find(root, ".title").textContent = title;
    find(root, ".task").textContent = task;
    find(root, ".hint", HTMLDetailsElement).open = false;
    find(root, ".hint p").textContent = hint;
    if (this.isShown) this.#bar.unhide();
    this.#describe("moving", "Checking…");
    this.#showProgress();
    if (this.#page.state.tab === "lessons") root.scrollIntoView({ block: "start" });
    this.#check();
  }

  /** When its tab is opened. */
  begin() {
    this.#bar.unhide();
    this.checkSoon();
  }

  /** Checks the lesson at the cursor once it rests. */
  checkSoon() {
    this.#root.dataset.state = "moving";
    this.#rest.await();
  }

  async #check() {
    const { server, state } = this.#page;
    if (!this.isShown) return;
    const [from, lesson] = [state.z, this.#current];
    const isCurrent = () => state.z === from && this.#current === lesson;
    try {
      const { done, message } = await server.ask("check", this.#lesson.name, from.x, from.y);
      if (!isCurrent()) return;
      if (done && !this.#solved[lesson]) {
        this.#solved[lesson] = from;
        this.#showProgress();
      }
      this.#describe("shown", message);
    } catch (error) {
      const said = error instanceof ServerError && error.refused;
      if (isCurrent()) this.#describe("failed", said ? error.message : LOST);
    }
  }

  /** @param {"moving" | "shown" | "failed"} state @param {string} text */
  #describe(state, text) {
    this.#root.dataset.state = state;
    this.#message.textContent = text;
    const done = this.#done[this.#current];
    const head = done ? `✓ Lesson ${this.#current + 1} solved.` : `${this.#lesson.title}.`;
    this.#bar.show(done, head, text);
  }

  #showProgress() {
    const done = this.#done;
    for (const [i, button] of this.#steps.entries()) {
      const { title } = this.#page.props.lessons[i];
      button.textContent = done[i] ? `✓ ${i + 1}` : `${i + 1}`;
      button.dataset.done = `${done[i]}`;
      button.ariaLabel = `Lesson ${i + 1}: ${title}${done[i] ? ", done" : ""}`;
      if (i === this.#current) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    const { text, to } = leadOn(done, this.#current);
    const next = findButton(this.#root, ".next");
    next.textContent = text;
    next.ariaDisabled = `${to === null}`;
    findButton(this.#root, ".back").ariaDisabled = `${this.#current === 0}`;
    this.#showSolution();
  }

  #showSolution() {
    const position = this.#solved[this.#current];
    const box = find(this.#root, ".solved");
    const shown = position ? `${this.#current}` : "";
    if (box.dataset.lesson === shown) return; // a live region repeats what is written again
    box.dataset.lesson = shown;
    box.replaceChildren();
    if (!position) return;
    const all = this.#done.every(Boolean) ? ` All ${this.#solved.length} lessons are done.` : "";
    const head = `✓ Solved at (${signed(position.x)}, ${signed(position.y)}).${all}`;
    box.append(make("b", head), this.#lesson.why);
  }
}

/** @param {Page} page @param {HTMLElement} element @param {HTMLElement} bar above the other tabs */
export function start(page, element, bar) {
  const { state } = page;
  const lessons = new Lessons(page, find(element, ".lessons"), bar);
  state.subscribe("position", () => {
    if (lessons.isShown) lessons.checkSoon();
  });
  state.subscribe("tab", () => {
    if (state.tab === "lessons") lessons.begin();
  });
  lessons.show(0);
}
