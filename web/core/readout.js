/** Sentences on what is known at a position. */

import { percent, signed } from "./dom.js";
import { priorBeyond, priorRadius } from "./neighbours.js";
import { distanceOf, WHOLE } from "./plane.js";

/** @typedef {import("./neighbours.js").Neighbours} Neighbours */
/** @typedef {{ item: string, items: string }} Info what the images are called */

export const WELL_SUPPORTED = 5; // test images within the radius; as in explorer/readout.py
const NEARLY_ALL = 0.9; // of the neighbours

/**
 * How well the data supports an image: "known", "sparse", or "unknown" where the decoder makes it up.
 *
 * @param {Neighbours} around
 */
export function supportOf({ within }) {
  if (within === 0) return "unknown";
  return within >= WELL_SUPPORTED ? "known" : "sparse";
}

/** @param {Neighbours} around @param {Info} info */
export function describeSupport(around, { item, items }) {
  const { within, distance, radius } = around;
  const support = supportOf(around);
  if (support === "unknown") {
    return (
      `No data here: the nearest test ${item} was encoded ${distance.toFixed(2)} away, so the ` +
      "decoder extrapolates."
    );
  }
  const known = support === "known" ? "Well supported" : "Sparse data";
  const subject = within === 1 ? `${item} was` : `${items} were`;
  return `${known}: ${within} test ${subject} encoded within ${Number(radius.toFixed(3))}.`;
}

/** @param {Neighbours} around @param {readonly string[]} plurals of the classes */
export function describeClasses({ shares }, plurals) {
  let [first, second] = [0, -1];
  for (let i = 1; i < shares.length; i++) {
    if (shares[i] > shares[first]) [first, second] = [i, first];
    else if (second < 0 || shares[i] > shares[second]) second = i;
  }
  if (shares[first] >= NEARLY_ALL) return `Nearly all neighbours are ${plurals[first]}.`;
  return `Mostly ${plurals[first]}, then ${plurals[second]}.`;
}

/** @param {import("./view.js").Position} z @param {import("./plane.js").Plane} plane */
export function describePrior(z, plane = WHOLE) {
  const radius = priorRadius(plane.coordinates(z));
  const further = percent(priorBeyond(radius, plane.latentDim));
  return `${radius.toFixed(2)}σ from the centre; ${further} of the prior N(0, I) lies further out.`;
}

/** As in "x 0.50, y −1.00, 2.31σ from the plane". @param {import("./view.js").Position} z */
export function describePosition(z) {
  const distance = distanceOf(z);
  const off = distance > 0 ? `, ${distance.toFixed(2)}σ from the plane` : "";
  return `x ${signed(z.x)}, y ${signed(z.y)}${off}`;
}
