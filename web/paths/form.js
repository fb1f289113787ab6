/** The controls of the panel: each shows a value of the page's state, which links keep. */

import { areWords, find, findInput, make } from "../core/dom.js";
import { readEnd } from "./endpoints.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/state.js").PageState} PageState */

/** Calls `show` now and after every change of a value. @param {PageState} state @param {() => void} show */
function follow(state, show) {
  state.subscribe("controls", show);
  show();
}

/**
 * A checkbox or radio button with its label.
 *
 * @param {"checkbox" | "radio"} type @param {string} name @param {string} value @param {string} text
 */
function makeOption(type, name, value, text) {
  const label = make("label");
  const input = make("input");
  input.type = type;
  input.name = name;
  input.value = value;
  label.append(input, make("span", text));
  return { label, input };
}

/** @param {PageState} state @param {HTMLInputElement} input @param {string} name */
function bindRange(state, input, name) {
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

/**
 * The choice of an end: a class, the cursor, or a point on the map.
 *
 * @param {Page} page @param {HTMLSelectElement} select @param {string} name @param {string} flag
 */
function bindEnd({ props, state }, select, name, flag) {
  const { names } = props;
  for (const [label, text] of names.entries()) select.add(new Option(text, `${label}`));
  select.add(new Option("the cursor", "here"));
  select.add(new Option(`${flag} on the map`, flag));
  select.addEventListener("change", () => state.setValue(name, readEnd(select.value)));
  follow(state, () => {
    select.value = String(state.values[name]);
  });
}

/** The classes to morph toward. @param {Page} page @param {HTMLElement} element */
function bindClasses({ props: { names, palette }, state }, element) {
  element.classList.toggle("wordy", areWords(names));
  const inputs = names.map((text, value) => {
    const { label, input } = makeOption("radio", "morph-digit", `${value}`, text);
    label.style.setProperty("--digit", palette[value]);
    input.addEventListener("change", () => state.setValue("digit", value));
    element.append(label);
    return input;
  });
  follow(state, () => {
    for (const [value, input] of inputs.entries()) input.checked = value === state.values.digit;
  });
}

/** The methods to compare. @param {Page} page @param {HTMLElement} element */
function bindMethods({ props, state }, element) {
  const inputs = props.methods.map(({ key, label: plain, term }) => {
    const { label, input } = makeOption("checkbox", "methods", key, `${plain} (${term})`);
    label.classList.add("check");
    element.append(label);
    return input;
  });
  const choose = () => {
    const chosen = inputs.filter(({ checked }) => checked).map(({ value }) => value);
    state.setValue("methods", chosen);
  };
  for (const input of inputs) input.addEventListener("change", choose);
  follow(state, () => {
    const chosen = /** @type {string[]} */ (state.values.methods);
    for (const input of inputs) input.checked = chosen.includes(input.value);
  });
}

/** @param {PageState} state @param {HTMLInputElement} input @param {string} name */
function bindFlag(state, input, name) {
  input.addEventListener("change", () => state.setValue(name, input.checked));
  follow(state, () => {
    input.checked = state.values[name] === true;
  });
}

/** @param {Page} page @param {HTMLElement} element the panel */
export function startForm(page, element) {
  const { state } = page;
  bindClasses(page, find(element, "#morph-digit .classes"));
  bindRange(state, findInput(element, "#morph-amount"), "amount");
  bindEnd(page, find(element, "#path-from", HTMLSelectElement), "from", "A");
  bindEnd(page, find(element, "#path-to", HTMLSelectElement), "to", "B");
  bindMethods(page, find(element, "#methods"));
  bindRange(state, findInput(element, "#steps"), "images");
  bindFlag(state, findInput(element, "#even"), "even");
}
