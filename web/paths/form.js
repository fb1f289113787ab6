/** The controls of the panel: each shows a value of the page's state, which links keep. */

import { bindRange, follow, makeOption } from "../core/controls.js";
import { find, findInput } from "../core/dom.js";
import { readEnd } from "./endpoints.js";

/** @typedef {import("../page.js").Page} Page */
/** @typedef {import("../core/state.js").PageState} PageState */

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
  bindEnd(page, find(element, "#path-from", HTMLSelectElement), "from", "A");
  bindEnd(page, find(element, "#path-to", HTMLSelectElement), "to", "B");
  bindMethods(page, find(element, "#methods"));
  bindRange(state, findInput(element, "#steps"), "images");
  bindFlag(state, findInput(element, "#even"), "even");
}
