/** Above two dimensions: how much of the space the map's plane shows, and how far z is from it. */

import { follow } from "../core/controls.js";
import { find, findButton, findInput, make, write } from "../core/dom.js";
import { distanceOf } from "../core/plane.js";
import { FADE, fadeOf, faintestFrom } from "./fade.js";
import { turnTo } from "./turn.js";

/** @typedef {import("../page.js").Page} Page */

/** How points fade with their distance from the plane. @param {HTMLElement} element @param {string} near @param {string} far */
function showLegend(element, near, far) {
  const dots = FADE.map((opacity) => {
    const dot = make("i");
    dot.style.opacity = `${opacity}`;
    return dot;
  });
  element.title = `Points farther from the plane are fainter: ${near} in full, ${far} faintest`;
  element.replaceChildren(near, ...dots, far);
}

/** The switch for points near the plane alone, and the legend of all others. @param {Page} page @param {HTMLElement} element */
function startSwitch({ props, state, encodings }, element) {
  const input = findInput(element, "input");
  input.addEventListener("change", () => state.setValue("near", input.checked));
  follow(state, () => {
    input.checked = state.values.near === true;
  });
  const text = find(element, "span");
  text.textContent = "Near the plane only";
  const count = (/** @type {import("../core/encodings.js").Encodings} */ { onMap }) => {
    const fade = fadeOf(onMap.distances);
    const near = `within ${fade.near.toFixed(2)}σ`;
    text.textContent = `Only the ${fade.shown.toLocaleString("en")} ${props.info.items} nearest to the plane`;
    showLegend(find(element, ".legend"), near, `beyond ${faintestFrom(fade).toFixed(2)}σ`);
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
