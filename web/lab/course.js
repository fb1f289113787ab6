/** The lessons that train a model, at the end of the course in the Lessons tab. */

import { find, makeButton, write } from "../core/dom.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./client.js").Status} Status */

const ON = "Each trains a small model in the Training tab, in about a minute.";

export class TrainingLessons {
  #note;
  /** @type {Map<string, HTMLButtonElement>} by the keys of the lessons */
  #buttons = new Map();

  /** @param {Page} page @param {(key: string) => void} open shows a lesson in the lab */
  constructor({ props }, open) {
    const root = find(document, "#lessons .train-too");
    this.#note = find(root, "p");
    for (const { key, title } of props.training_lessons) {
      const number = props.lessons.length + this.#buttons.size + 1;
      const button = makeButton(`${number}. ${title}`, () => open(key));
      button.dataset.lesson = key;
      this.#buttons.set(key, button);
    }
    find(root, "div").replaceChildren(...this.#buttons.values());
  }

  /** Says whether they can be taken, and which of them the newest run has solved. @param {Status} status */
  show({ message, run }) {
    write(this.#note, message || ON);
    const button = run?.lesson?.done && this.#buttons.get(run.lesson.key);
    if (!button || button.dataset.done) return;
    button.dataset.done = "true";
    button.prepend("✓ ");
  }
}
