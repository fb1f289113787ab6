/** Controls that show a value of the page's state, which links keep. */

import { find, make } from "./dom.js";

/** @typedef {import("./state.js").PageState} PageState */

/** Calls `show` now and after every change of a value. @param {PageState} state @param {() => void} show */
export function follow(state, show) {
  state.subscribe("controls", show);
  show();
}

/**
 * A checkbox or radio button with its label.
 *
 * @param {"checkbox" | "radio"} type @param {string} name @param {string} value @param {string} text
 */
export function makeOption(type, name, value, text) {
  const label = make("label");
  const input = make("input");
  input.type = type;
  input.name = name;
  input.value = value;
  label.append(input, make("span", text));
  return { label, input };
}

/** @param {PageState} state @param {HTMLInputElement} input @param {string} name */
export function bindRange(state, input, name) {
  const record = state.controls.find((control) => control.name === name);
  if (record?.kind !== "number") throw new Error(`no number ${name}`);
  input.min = `${record.low}`;
  input.max = `${record.high}`;
  input.step = `${record.step}`;
  const output = find(/** @type {HTMLElement} */ (input.parentElement), "output");
  input.addEventListener("input", () => state.setValue(name, Number(input.value)));
  follow(state, () => {
    input.value = String(state.values[name]);
    output.textContent = input.value;
  });
}
