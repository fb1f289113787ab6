/** Sliders, the random sample and the classes: what moves the cursor beside the map. */

import { classColour } from "../core/class_colours.js";
import { areWords, find, findButton, findInput, makeButton } from "../core/dom.js";
import { drawNoise } from "../core/posterior.js";
import { startAnchors } from "./anchors.js";
import { startMorph } from "./morph.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {"x" | "y"} Axis */

/** A slider and its number, both at one coordinate of z. @param {Page} page @param {HTMLElement} element @param {Axis} axis */
function startSlider({ state }, element, axis) {
  const slider = findInput(element, "[type=range]");
  const number = findInput(element, "[type=number]");
  const { range } = state.view;
  for (const input of [slider, number]) {
    input.min = `${-range}`;
    input.max = `${range}`;
    input.addEventListener("input", () => {
      if (input.value !== "") state.set({ ...state.z, [axis]: Number(input.value) }, "slider");
    });
  }
  slider.addEventListener("pointerdown", () => {
    state.hold(true);
    addEventListener("pointerup", () => state.hold(false), { once: true });
    addEventListener("pointercancel", () => state.hold(false), { once: true });
  });
  number.addEventListener("change", show); // what is left of an entry that is no number
  function show() {
    const value = `${state.z[axis]}`;
    if (Number(slider.value) !== state.z[axis]) slider.value = value;
    if (number.value === "" || Number(number.value) !== state.z[axis]) {
      number.value = value;
    }
  }
  state.subscribe("position", show);
  show();
}

/** A draw from the prior, drawn again if it falls off the map. @param {number} range */
export function samplePrior(range) {
  for (;;) {
    const z = drawNoise();
    if (Math.max(Math.abs(z.x), Math.abs(z.y)) <= range) return z;
  }
}

/** @param {Page} page @param {HTMLElement} element */
export function start(page, element) {
  const { props, state } = page;
  const { names } = props;
  const note = find(element, ".note");
  startSlider(page, find(element, "#x-slider"), "x");
  startSlider(page, find(element, "#y-slider"), "y");
  const go = startAnchors(page, find(element, "#anchor"), note);
  startMorph(page, element);
  findButton(element, "#random-sample").addEventListener("click", () => {
    state.set(samplePrior(props.range), "sample");
    note.textContent = "A random sample from the prior N(0, I): most lie within 2σ of the centre.";
  });
  const digits = find(element, "#digits");
  digits.classList.toggle("named", areWords(names));
  for (const [label, name] of names.entries()) {
    const button = makeButton(name, () => go(label));
    button.id = `jump-${label}`;
    button.style.setProperty("--digit", classColour(label));
    digits.append(button);
  }
}
