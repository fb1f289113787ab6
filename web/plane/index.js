/** Above two dimensions: how much of the space the map's plane shows, and how far z is from it. */

import { follow } from "../core/controls.js";
import { find, findButton, findInput, write } from "../core/dom.js";
import { distanceOf } from "../core/plane.js";
import { fadeOf } from "./fade.js";
import { turnTo } from "./turn.js";

/** @typedef {import("../page.js").Page} Page */

/** The switch for points near the plane alone. @param {Page} page @param {HTMLElement} element */
function startSwitch({ props, state, encodings }, element) {
  const input = findInput(element, "input");
  input.addEventListener("change", () => state.setValue("near", input.checked));
  follow(state, () => {
    input.checked = state.values.near === true;
  });
  const text = find(element, "span");
  text.textContent = "Near the plane only";
  const count = (/** @type {import("../core/encodings.js").Encodings} */ { onMap }) => {
    const { near, shown } = fadeOf(onMap.distances);
    text.textContent = `Only the ${shown.toLocaleString("en")} ${props.info.items} within ${near.toFixed(2)}σ of the plane`;
  };
  encodings.then(
    (known) => {
      count(known);
      state.subscribe("plane", () => count(known));
    },
    () => {}, // the map says that they could not be loaded
  );
}

/** Where z is, seen from the plane, in words. @param {number} distance */
export function describeDistance(distance) {
  const text = distance.toFixed(2);
  return text === "0.00" ? "z lies in this plane" : `z lies ${text}σ from this plane`;
}

/** @param {Page} page @param {HTMLElement} element */
export function start(page, element) {
  const { state } = page;
  if (state.plane.isWhole) return;
  element.hidden = false;
  const holds = find(element, ".holds");
  const off = find(element, ".off");
  const back = findButton(element, ".back");
  const describe = () => {
    holds.textContent = state.plane.message;
    back.hidden = state.plane.spec.kind === "principal";
  };
  back.addEventListener("click", () => turnTo(page, { kind: "principal" }));
  const measure = () => write(off, describeDistance(distanceOf(state.z)));
  state.subscribe("plane", describe);
  state.subscribe("position", measure);
  describe();
  measure();
  startSwitch(page, element);
}
