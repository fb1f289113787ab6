/** What the buttons of the panel do: compare paths, run experiments. */

import { find, findButton, findInput, makeButton } from "../core/dom.js";
import { arePicked, resolveEnd } from "./endpoints.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("./endpoints.js").End} End */
/** @typedef {import("./strip.js").FilmStrip} FilmStrip */

/** @param {Page} page @param {HTMLElement} element the panel @param {FilmStrip} strip */
export function startComparison({ state, server }, element, strip) {
  const button = findButton(element, "#compare");
  const text = button.textContent;
  const message = find(element, ".compare .failed");
  const ends = () => /** @type {End[]} */ ([state.values.from, state.values.to]);
  let running = false;

  async function ask() {
    const [from, to] = ends().map((end) => resolveEnd(end, state.z, state.marks, state.plane));
    const { methods, images, even, anchor } = state.values;
    const answer = server.ask("compare", from, to, methods, images, even, anchor);
    await strip.load(answer, button, (waiting, failure = "") => {
      running = waiting;
      button.textContent = waiting ? `${text}: computing paths…` : text;
      button.classList.toggle("waiting", waiting);
      message.textContent = failure;
    });
  }

  async function compare() {
    // Whoever cancels the picking of A and B wants no paths.
    if (!arePicked(ends(), state.marks)) await state.pick();
    if (arePicked(ends(), state.marks)) await ask();
  }

  button.addEventListener("click", () => {
    if (!running) compare();
  });
  findButton(element, "#pick").addEventListener("click", async () => {
    if (!(await state.pick())) return;
    state.setValue("from", "A");
    state.setValue("to", "B");
    compare();
  });
  findInput(element, "#even").addEventListener("change", () => {
    if (strip.comparing || running) compare();
  });
}

/** @param {Page} page @param {HTMLElement} element the panel @param {FilmStrip} strip */
export function startExperiments({ props, server }, element, strip) {
  const group = find(element, ".experiments");
  const message = find(group, ".failed");
  for (const { key, label } of props.experiments) {
    const button = makeButton(label, () =>
      strip.load(server.ask("experiment", key), group, (_, failure = "") => {
        message.textContent = failure;
      }),
    );
    button.id = `experiment-${key}`;
    find(group, ".buttons").append(button);
  }
}
