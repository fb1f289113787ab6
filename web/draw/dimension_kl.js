/** Above two dimensions: how much each dimension tells the decoder about the image. */

import { find, make } from "../core/dom.js";
import { dimensionName } from "../core/plane.js";

const LEAST = 0.05; // nats, as UNUSED in latent_utils.py
const MOST = 12; // dimensions that have a row

/**
 * The dimensions that carry an image, the most telling first, and what the others have in all.
 *
 * @param {readonly number[]} kl of each dimension, in nats
 */
export function carriers(kl) {
  const ordered = kl.map((nats, i) => ({ nats, dimension: i + 1 }));
  ordered.sort((a, b) => b.nats - a.nats);
  const shown = ordered.filter(({ nats }) => nats >= LEAST).slice(0, MOST);
  const others = ordered.slice(shown.length);
  return { shown, others: others.length, rest: others.reduce((sum, { nats }) => sum + nats, 0) };
}

/** @param {HTMLElement} root of the reading @param {readonly number[] | undefined} kl none in two dimensions */
export function showDimensionKl(root, kl) {
  const section = find(root, ".carried");
  section.hidden = !kl;
  if (!kl) return;
  const { shown, others, rest } = carriers(kl);
  const rows = shown.map(({ nats, dimension }) => {
    const row = make("li");
    const bar = make("i");
    bar.style.setProperty("--share", `${nats / shown[0].nats}`);
    row.append(make("span", dimensionName(dimension)), bar, make("b", nats.toFixed(2)));
    return row;
  });
  find(section, "ol").replaceChildren(...rows);
  const are = others === 1 ? "The other dimension has" : `The other ${others} dimensions have`;
  const together = others > 1 ? " in all" : "";
  find(section, ".rest").textContent = others ? `${are} ${rest.toFixed(2)} nats${together}.` : "";
}
