/** The form: presets, fields, what they come to, and earlier runs. */

import { find, findButton, make, makeButton, showList, write } from "../core/dom.js";
import { client } from "./client.js";

/** @typedef {import("./client.js").Form} Form */
/** @typedef {import("./client.js").ListedRun} ListedRun */

const DELAY = 250; // ms after the last change
const FOLDER = "folder";

export class SettingsForm {
  /** The key of the lesson that is to be opened, or "". */
  lesson = "";
  #form;
  #started;
  #resume;
  /** @type {Form | null} */
  #offered = null;
  #asked = 0;
  #timer = 0;
  #busy = false;

  /**
   * @param {HTMLElement} root of the lab
   * @param {(answer: any) => void} started with the answer
   * @param {(name: string) => void} resume
   */
  constructor(root, started, resume) {
    this.#form = find(root, ".settings", HTMLFormElement);
    this.#started = started;
    this.#resume = resume;
    this.#form.addEventListener("input", () => this.#changed());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
  }

  /** Whether it knows what can be trained. */
  get filled() {
    return this.#offered !== null;
  }

  /** Opens a lesson once the form is shown. */
  reveal() {
    if (!this.lesson || !this.#offered) return;
    const box = find(this.#form, `[data-lesson="${this.lesson}"]`, HTMLDetailsElement);
    this.lesson = "";
    box.open = true;
    box.scrollIntoView({ block: "center" });
    find(box, "summary").focus({ preventScroll: true });
  }

  /** Shows what can be trained. @param {Form} offered */
  show(offered) {
    const first = !this.#offered;
    this.#offered = offered;
    const dataset = this.#control("dataset");
    const before = dataset.value;
    showList(dataset, offered.datasets, ({ key, label }) => new Option(label, key));
    if (offered.datasets.some(({ key }) => key === before)) dataset.value = before;
    for (const [name, range] of Object.entries(offered.fields)) {
      Object.assign(this.#control(name), {
        min: `${range.min}`,
        max: `${range.max}`,
        step: "any",
      });
    }
    const presets = find(this.#form, ".presets div");
    showList(presets, offered.presets, ({ key, label, help, values }) => {
      const button = makeButton(label, () => this.fill(values));
      button.dataset.preset = key;
      button.title = help;
      return button;
    });
    const tasks = find(this.#form, ".tasks div");
    showList(tasks, offered.lessons, (lesson) => this.#task(lesson));
    if (first) this.fill(offered.presets[0].values);
    else this.#changed();
  }

  /** @param {import("./client.js").Lesson} lesson */
  #task({ key, title, task, measured, values }) {
    const box = make("details");
    box.dataset.lesson = key;
    const button = makeButton("Start this run", () => {
      this.fill(values);
      this.#start();
    });
    button.ariaLabel = `Start: ${title}`;
    box.append(make("summary", title), make("p", task), make("p", measured, "quiet"), button);
    return box;
  }

  /** Sets the fields. @param {Record<string, number | string>} values */
  fill(values) {
    for (const [name, value] of Object.entries(values)) this.#control(name).value = `${value}`;
    this.#changed();
  }

  /** @param {string} name @returns {HTMLInputElement & HTMLSelectElement} */
  #control(name) {
    const control = this.#form.elements.namedItem(name);
    return /** @type {any} */ (control);
  }

  /** The settings as the server takes them. */
  get values() {
    const dataset = this.#control("dataset").value;
    const names = Object.keys(this.#offered?.fields ?? {});
    // What is no number is left to the server to name.
    const numbers = names.map((name) => {
      const { value, valueAsNumber } = this.#control(name);
      return [name, value.trim() === "" || Number.isNaN(valueAsNumber) ? value : valueAsNumber];
    });
    const folder = dataset === FOLDER ? { folder: this.#control("folder").value } : {};
    return { dataset, ...folder, ...Object.fromEntries(numbers) };
  }

  #changed() {
    if (!this.#offered) return;
    const values = /** @type {Record<string, any>} */ (this.values);
    find(this.#form, ".folder").hidden = values.dataset !== FOLDER;
    const chosen = this.#offered.presets.find(({ values: preset }) =>
      Object.entries(preset).every(([name, value]) => values[name] === value),
    );
    for (const button of this.#form.querySelectorAll(".presets button")) {
      const { dataset } = /** @type {HTMLButtonElement} */ (button);
      button.ariaPressed = `${dataset.preset === chosen?.key}`;
    }
    write(find(this.#form, ".preset-help"), chosen?.help ?? "Custom values.");
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#check(), DELAY);
  }

  async #check() {
    const mine = ++this.#asked;
    const folder = this.#control("folder");
    if (!find(this.#form, ".folder").hidden && !folder.value.trim()) {
      this.#say("Give the path of a folder with one subfolder of images per class.", "");
      return;
    }
    try {
      const { command, estimate } = await client.act("check", this.values);
      if (mine === this.#asked) this.#say(estimate, command);
    } catch (error) {
      if (mine === this.#asked) this.#say(/** @type {Error} */ (error).message, "", true);
    }
  }

  /** @param {string} text @param {string} command @param {boolean} [failed] */
  #say(text, command, failed = false) {
    const outcome = find(this.#form, ".outcome");
    outcome.classList.toggle("wrong", failed);
    write(outcome, text);
    find(this.#form, ".command").hidden = !command;
    write(find(this.#form, ".command code"), command);
  }

  async #start() {
    if (this.#busy) return;
    this.#setBusy(true);
    try {
      this.#started(await client.act("start", this.values));
    } catch (error) {
      this.#asked++;
      this.#say(/** @type {Error} */ (error).message, "", true);
    }
    this.#setBusy(false);
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.#busy = busy;
    const button = findButton(this.#form, ".start");
    button.textContent = busy ? "Starting…" : "Start training";
    button.ariaDisabled = `${busy}`;
  }

  /** Lists earlier runs. @param {ListedRun[]} runs */
  list(runs) {
    find(this.#form, ".runs").hidden = !runs.length;
    const list = find(this.#form, ".runs ul");
    showList(list, runs, ({ name, title, message, can_resume }) => {
      const item = make("li");
      const text = make("span");
      text.append(make("b", title), make("small", message));
      item.append(text);
      if (can_resume) {
        const button = makeButton("Resume", () => this.#resume(name));
        button.ariaLabel = `Resume ${title}`;
        item.append(button);
      }
      return item;
    });
  }
}
