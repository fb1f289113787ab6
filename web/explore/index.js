/** Sliders, the random sample and the classes: what moves the cursor beside the map. */

import { classColour } from "../core/class_colours.js";
import { areWords, find, findButton, findInput, makeButton } from "../core/dom.js";
import { WHOLE } from "../core/plane.js";
import { drawNoise } from "../core/posterior.js";
import { startAnchors } from "./anchors.js";
import { startMorph } from "./morph.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/plane.js").Plane} Plane */
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
    const once = { once: true, signal: state.signal };
    addEventListener("pointerup", () => state.hold(false), once);
    addEventListener("pointercancel", () => state.hold(false), once);
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

/** Names the sliders after the axes of the map. @param {Page} page @param {HTMLElement} element */
function nameSliders({ state }, element) {
  const sliders = ["#x-slider", "#y-slider"].map((id) => find(element, id));
  const show = () => {
    for (const [i, slider] of sliders.entries()) {
      const label = find(slider, "label");
      label.textContent = state.plane.names[i];
      label.classList.toggle("long", !state.plane.isWhole);
      findInput(slider, "[type=range]").ariaLabel = state.plane.names[i];
    }
  };
  state.subscribe("plane", show);
  show();
}

/** Of the samples of the prior. @param {number} latentDim */
export function whereMostLie(latentDim) {
  if (latentDim === 2) return "most samples lie within 2σ of the centre.";
  // The mean of the chi distribution is close to sqrt(D - 1/2), its standard deviation to 0.7.
  const middle = Math.sqrt(latentDim - 0.5);
  const [low, high] = [middle - 1.4, middle + 1.4].map((radius) => Math.max(0, radius).toFixed(1));
  return `in ${latentDim} dimensions most samples lie between ${low}σ and ${high}σ from the centre.`;
}

/** A draw from the prior, drawn again if it falls off the map. @param {number} limit @param {Plane} plane */
export function samplePrior(limit, plane = WHOLE) {
  for (;;) {
    const z = Array.from({ length: plane.latentDim }, () => drawNoise().x);
    if (Math.max(...z.map(Math.abs)) <= limit) return plane.position(z);
  }
}

/** @param {Page} page @param {HTMLElement} element */
export function start(page, element) {
  const { props, state } = page;
  const { names } = props;
  nameSliders(page, element);
  const note = find(element, ".note");
  startSlider(page, find(element, "#x-slider"), "x");
  startSlider(page, find(element, "#y-slider"), "y");
  const go = startAnchors(page, find(element, "#anchor"), note);
  startMorph(page, element);
  findButton(element, "#random-sample").addEventListener("click", () => {
    state.set(samplePrior(props.limit, state.plane), "sample");
    note.textContent = `A random sample from the prior N(0, I): ${whereMostLie(props.latent_dim)}`;
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
