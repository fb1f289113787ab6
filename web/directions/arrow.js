/** Arrows that point in any direction. */

import { makeSvg } from "../core/dom.js";

/** A new arrow, and the function that points it: in degrees, counterclockwise from x. */
export function makeArrow() {
  const box = { viewBox: "-10 -10 20 20", width: 20, height: 20 };
  const arrow = makeSvg("svg", { class: "arrow", "aria-hidden": "true", ...box });
  const line = makeSvg("path", { d: "M-8 0H7M2-5L7 0L2 5" });
  arrow.append(line);
  const point = (/** @type {number} */ degrees) => {
    line.setAttribute("transform", `rotate(${-degrees})`);
  };
  return { arrow, point };
}
