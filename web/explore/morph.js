/** Morph from the cursor toward a class, by an amount, at once or animated. */

import { classColour } from "../core/class_colours.js";
import { bindRange, follow, makeOption } from "../core/controls.js";
import { areWords, find, findButton, findInput } from "../core/dom.js";
import { between } from "../core/plane.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/view.js").Position} Position */

const ANIMATION = 2400; // ms

/** The classes to morph toward. @param {Page} page @param {HTMLElement} element */
function bindClasses({ props: { names }, state }, element) {
  element.classList.toggle("named", areWords(names));
  const inputs = names.map((text, value) => {
    const { label, input } = makeOption("radio", "morph-digit", `${value}`, text);
    label.style.setProperty("--digit", classColour(value));
    input.addEventListener("change", () => state.setValue("digit", value));
    element.append(label);
    return input;
  });
  follow(state, () => {
    for (const [value, input] of inputs.entries()) input.checked = value === state.values.digit;
  });
}

/** @param {Page} page @param {HTMLElement} element */
export function startMorph(page, element) {
  const { props, state } = page;
  bindClasses(page, find(element, "#morph-digit .classes"));
  bindRange(state, findInput(element, "#morph-amount"), "amount");
  function target() {
    const { anchor, digit, amount } = state.values;
    const to = state.plane.position(props.anchors[String(anchor)][Number(digit)]);
    return between(state.z, to, Number(amount));
  }
  findButton(element, "#morph").addEventListener("click", () => state.set(target(), "morph"));
  findButton(element, "#animate").addEventListener("click", () =>
    state.travel([target()], ANIMATION, "morph"),
  );
}
