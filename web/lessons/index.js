/**
 * One lesson at a time. When the cursor rests and the lesson is in view, Python checks it there and
 * says how close the position is to solving it. A lesson that has ended is checked no more.
 */

import { find, findButton, make, makeButton, write } from "../core/dom.js";
import { Rest } from "../core/rest.js";
import { ServerError } from "../core/server.js";
import { LessonActions } from "./actions.js";
import { Bar } from "./bar.js";
import { Course } from "./course.js";
import { keepLessons, keptLessons } from "./kept.js";
import { LentLayers } from "./lent.js";
import { showOutcome } from "./outcome.js";
import { leadOn } from "./progress.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/view.js").Position} Position */

const REST = 200; // ms without a move before the check is asked for
const WALK = 1600; // ms of the way to the solution that is shown
const LOST = "The server is not responding. Move the cursor to retry.";
const SOLVED_HERE = "This position already solves it: move away, and find one yourself.";

class Lessons {
  #course;
  #page;
  #root;
  #steps;
  #bar;
  #rest;
  #actions;
  #lent;
  #checked = false; // whether the message is of a position
  /** @type {Position | null} the solution that the cursor is walking to */
  #shown = null;
  /** @type {Position | null} where the cursor was when the lesson began */
  #start = null;
  #asking = false; // whether a solution is being computed

  /** @param {Page} page @param {HTMLElement} root @param {HTMLElement} bar */
  constructor(page, root, bar) {
    this.#rest = new Rest(page.state, REST, () => this.#check());
    this.#page = page;
    this.#root = root;
    const kept = keptLessons(page.props.data, this.#names);
    this.#course = new Course(kept.outcomes, page.state.plane.isWhole);
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
    this.#lent = new LentLayers(page.state);
    this.#bar = new Bar(page.state, bar, () => this.#lent.giveBack());
    this.#actions = new LessonActions(page, root);
    this.#listen();
    this.show(kept.current);
  }

  #listen() {
    const root = this.#root;
    findButton(root, ".back").addEventListener("click", () => {
      if (this.#course.current > 0) this.show(this.#course.current - 1);
    });
    findButton(root, ".show-me").addEventListener("click", () => {
      if (this.#course.outcome) this.#tryAgain();
      else this.#showSolution();
    });
    findButton(root, ".next").addEventListener("click", () => {
      const { to } = leadOn(this.#ended, this.#course.current);
      if (to !== null) this.show(to);
    });
    findButton(root, ".start-again button").addEventListener("click", () => {
      this.#course.beginAll();
      this.show(0);
      this.#steps[0].focus(); // the button is gone
    });
    this.#page.state.subscribe("held", () => {
      if (this.#root.dataset.state === "moving") this.#sayMoved();
    });
  }

  get #names() {
    return this.#page.props.lessons.map(({ name }) => name);
  }

  /** Whether its message is on the page, here or in the bar. */
  get isShown() {
    return this.#page.state.tab === "lessons" || this.#bar.shown;
  }

  get #lesson() {
    return this.#page.props.lessons[this.#course.current];
  }

  get #ended() {
    return this.#course.outcomes.map(Boolean);
  }

  /** Shows a lesson. @param {number} index */
  show(index) {
    this.#lent.giveBack();
    this.#course.open(index);
    this.#shown = null;
    const { title, task, hint, measured, actions } = this.#lesson;
    const root = this.#root;
    find(root, ".count").textContent = `Lesson ${index + 1} of ${this.#steps.length}`;
    find(root, ".title").textContent = title;
    find(root, ".task").textContent = task;
    for (const [name, text] of Object.entries({ hint, measured })) {
      find(root, `.${name}`, HTMLDetailsElement).open = false;
      find(root, `.${name} p`).textContent = text;
    }
    this.#actions.show(actions);
    if (this.isShown) this.#bar.unhide();
    if (this.#page.state.tab === "lessons") root.scrollIntoView({ block: "start" });
    this.#restart();
  }

  #tryAgain() {
    this.#lent.giveBack();
    this.#course.begin();
    this.#shown = null;
    this.#restart();
  }

  /** Shows how the current lesson ended or, if it has not, checks it. */
  #restart() {
    this.#start = this.#page.state.z;
    this.#checked = false;
    this.#showProgress();
    const { outcome } = this.#course;
    if (outcome) {
      this.#describe("shown", outcome.message);
      return;
    }
    this.#describe("moving", "Checking…");
    this.#check();
  }

  /** When its tab is opened. */
  begin() {
    this.#start = this.#page.state.z;
    this.#bar.unhide();
    this.checkSoon();
  }

  /** Checks the lesson at the cursor once it rests. */
  checkSoon() {
    if (this.#course.outcome) return;
    this.#root.dataset.state = "moving";
    this.#sayMoved();
    this.#rest.await();
  }

  /** What is said of the position before the cursor moved does not hold here. */
  #sayMoved() {
    const { held, travelling } = this.#page.state;
    if (this.#shown && travelling) return; // on the way to a solution
    const next = held ? "Release to check here." : "Checking…";
    write(find(this.#root, ".now b"), this.#checked ? `At the previous position. ${next}` : next);
    this.#bar.say(next);
  }

  async #check() {
    const { server, state } = this.#page;
    if (!this.isShown || this.#course.outcome) return;
    const [from, lesson] = [state.z, this.#course.current];
    const isCurrent = () => state.z === from && this.#course.current === lesson;
    try {
      const asked = state.plane.asked(from);
      const answer = await server.ask("check", this.#lesson.name, ...asked);
      const { done, message, distance } = answer;
      if (!isCurrent()) return;
      this.#checked = true;
      if (done && from === this.#start) this.#describe("shown", SOLVED_HERE);
      else if (done) this.#end(from, answer);
      else this.#describe("shown", message, this.#course.compare(distance));
    } catch (error) {
      const said = error instanceof ServerError && error.refused;
      if (isCurrent()) this.#describe("failed", said ? error.message : LOST);
    }
  }

  /** @param {Position} at @param {{ message: string, images: import("./course.js").Outcome["images"] }} answer */
  #end(at, { message, images }) {
    const goal = this.#shown;
    const how = goal && this.#page.state.isAt(goal) ? "shown" : "solved";
    this.#course.end({ how, at, message, images });
    this.#showProgress();
    this.#describe("shown", message);
  }

  /** Lets the cursor walk to a position that solves the lesson, on a map that shows why. */
  async #showSolution() {
    const { server, state } = this.#page;
    if (this.#asking) return;
    this.#asking = true;
    const [from, asked, lesson] = [state.goal, state.moves, this.#course.current];
    this.#describe("moving", "Looking for a solution…");
    try {
      const { goal, layers } = await server.ask(
        "solve",
        this.#lesson.name,
        ...state.plane.asked(from),
      );
      if (lesson === this.#course.current && asked === state.moves) {
        this.#lent.show(layers);
        this.#shown = state.plane.position(goal);
        this.#describe("moving", "On the way to a solution…");
        state.travel([this.#shown], WALK, "lesson");
        this.checkSoon();
      }
    } catch (error) {
      if (lesson === this.#course.current) {
        this.#describe("failed", /** @type {Error} */ (error).message);
      }
    }
    this.#asking = false;
  }

  /**
   * @param {"moving" | "shown" | "failed"} state @param {string} text
   * @param {string} [closeness] whether the position is closer than the one before
   */
  #describe(state, text, closeness = "") {
    const { outcome, current } = this.#course;
    this.#root.dataset.state = state;
    find(this.#root, ".message").textContent = text;
    find(this.#root, ".closeness").textContent = closeness;
    find(this.#root, ".now b").textContent = outcome ? "At that position" : "At the cursor";
    const { title, task, learnt } = this.#lesson;
    if (outcome) {
      const how = outcome.how === "solved" ? "✓ Lesson" : "Lesson";
      this.#bar.show(true, `${how} ${current + 1} ${outcome.how}.`, learnt, "");
    } else this.#bar.show(false, `${current + 1}. ${title}.`, task, closeness || text);
  }

  #showProgress() {
    const { outcomes, outcome, current } = this.#course;
    keepLessons(this.#page.props.data, this.#names, current, outcomes);
    find(this.#root, ".start-again").hidden = !outcomes.some(Boolean);
    for (const [i, button] of this.#steps.entries()) {
      const { title } = this.#page.props.lessons[i];
      const how = outcomes[i]?.how;
      button.textContent = how === "solved" ? `✓ ${i + 1}` : `${i + 1}`;
      button.dataset.done = `${how === "solved"}`;
      button.ariaLabel = `Lesson ${i + 1}: ${title}${how ? `, ${how}` : ""}`;
      if (i === current) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    const { text, to } = leadOn(this.#ended, current);
    const next = findButton(this.#root, ".next");
    next.textContent = text;
    next.ariaDisabled = `${to === null}`;
    findButton(this.#root, ".back").ariaDisabled = `${current === 0}`;
    findButton(this.#root, ".show-me").textContent = outcome ? "Try again" : "Show me";
    showOutcome(this.#page, this.#root, this.#course);
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
}
