/**
 * The names of the classes, at the positions that their buttons go to: the prototypes or the mean
 * positions. A hollow mark shows where the other one is.
 */

import { areWords } from "../../core/dom.js";
import { trace } from "../../core/drawing.js";
import { PRIORITY } from "../map_labels.js";

/** @typedef {import("../painter.js").Scene} Scene */
/** @typedef {import("../../core/view.js").Pixel} Pixel */

const REACH = 90; // pixels
const GHOST = { radius: 4, least: 14 }; // pixels; closer to the position it has no mark

/** @param {Scene} scene @param {Pixel} home @param {Pixel} other @param {string} colour */
function drawGhost({ context, colours }, home, other, colour) {
  const distance = Math.hypot(other.px - home.px, other.py - home.py);
  if (distance < GHOST.least) return;
  const rim = GHOST.radius / distance;
  const end = {
    px: other.px + rim * (home.px - other.px),
    py: other.py + rim * (home.py - other.py),
  };
  for (const [width, style] of /** @type {const} */ ([
    [4, colours.ground],
    [1.5, colour],
  ])) {
    context.lineWidth = width;
    context.strokeStyle = style;
    trace(context, [home, end]);
    context.beginPath();
    context.arc(other.px, other.py, GHOST.radius, 0, 2 * Math.PI);
    context.fillStyle = colours.ground;
    context.fill();
    context.stroke();
  }
}

/** @param {import("../../page.js").Page} page @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ props, state }) {
  const { names, anchors } = props;
  const kind = areWords(names) ? "plate" : "disc";

  /** @param {Scene} scene @param {string} anchor @returns {Pixel[]} */
  const pixelsOf = ({ view }, anchor) =>
    anchors[anchor].map((z) => view.toPixels(state.plane.position(z)));

  return {
    drawTop(scene) {
      const chosen = String(state.values.anchor);
      const homes = pixelsOf(scene, chosen);
      for (const anchor of Object.keys(anchors)) {
        if (anchor === chosen) continue;
        for (const [label, other] of pixelsOf(scene, anchor).entries()) {
          drawGhost(scene, homes[label], other, scene.colours.classes[label]);
        }
      }
    },
    labels: (scene) =>
      pixelsOf(scene, String(state.values.anchor)).map((home, label) => ({
        key: `class ${label}`,
        text: names[label],
        kind,
        colour: scene.colours.classes[label],
        priority: PRIORITY.class,
        homes: [home],
        reach: REACH,
      })),
  };
}
