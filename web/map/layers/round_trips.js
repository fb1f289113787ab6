/**
 * Where the encoder puts the image decoded at each position of a grid and, once the cursor rests, at
 * the cursor.
 */

import { Rest } from "../../core/rest.js";

/** @typedef {import("../painter.js").Scene} Scene */
/** @typedef {import("../../core/view.js").Position} Position */

const REST = 150; // ms without a move before the server is asked about the cursor's position
const SHORT = 3; // pixels; the encoder returns to where it was: a dot
const HEAD = 7; // pixels
const RING = 3; // sigma; beyond it, the arrows would run across the whole map

/**
 * The trips that start within the 3-sigma ring and end on the map.
 *
 * @param {ArrayLike<number>} from x, y, x, y ... @param {ArrayLike<number>} to @param {number} range of the map
 */
export function tripsToShow(from, to, range) {
  /** @type {{ start: Position, end: Position }[]} */
  const trips = [];
  for (let i = 0; i < from.length; i += 2) {
    const [start, end] = [from, to].map((some) => ({ x: some[i], y: some[i + 1] }));
    if (Math.hypot(start.x, start.y) > RING) continue;
    if (Math.max(Math.abs(end.x), Math.abs(end.y)) <= range) trips.push({ start, end });
  }
  return trips;
}

/** @param {Scene} scene @param {Position} start @param {Position} end */
function drawArrow({ context, view }, start, end) {
  const [a, b] = [view.toPixels(start), view.toPixels(end)];
  const [dx, dy] = [b.px - a.px, b.py - a.py];
  const length = Math.hypot(dx, dy);
  context.beginPath();
  if (length < SHORT) {
    context.arc(a.px, a.py, 1.5, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  const [ux, uy] = [dx / length, dy / length];
  const head = Math.min(HEAD, length / 2);
  context.moveTo(a.px, a.py);
  context.lineTo(b.px, b.py);
  context.lineTo(b.px - head * (ux + 0.5 * uy), b.py - head * (uy - 0.5 * ux));
  context.moveTo(b.px, b.py);
  context.lineTo(b.px - head * (ux - 0.5 * uy), b.py - head * (uy + 0.5 * ux));
  context.stroke();
}

/** @param {import("../../page.js").Page} page @param {() => void} redraw @returns {import("../layers.js").LayerDrawing} */
export function createLayer({ state, server }, redraw) {
  /** @type {{ z: Position, end: Position } | null} */
  let own = null;

  async function follow() {
    if (!state.layers.round_trips) return;
    const { z } = state;
    try {
      const { round_trip } = await server.ask("decode", ...state.plane.asked(z));
      own = { z, end: state.plane.position(round_trip) };
      redraw();
    } catch {} // the cursor has no arrow
  }
  const rest = new Rest(state, REST, follow);
  const followSoon = () => {
    if (state.layers.round_trips) rest.await();
  };
  state.subscribe("position", followSoon);
  state.subscribe("layers", followSoon);
  followSoon();

  return {
    order: 30,
    prepare: ({ from, to }) => tripsToShow(from, to, state.view.range),
    draw(scene, trips) {
      const { context, colours } = scene;
      context.strokeStyle = colours.ink;
      context.fillStyle = colours.ink;
      context.globalAlpha = 0.55;
      context.lineWidth = 1.2;
      for (const { start, end } of trips) drawArrow(scene, start, end);
      context.globalAlpha = 1;
    },
    drawTop(scene) {
      if (!own || !state.isAt(own.z)) return;
      scene.context.strokeStyle = scene.colours.accent;
      scene.context.fillStyle = scene.colours.accent;
      scene.context.lineWidth = 3;
      drawArrow(scene, own.z, own.end);
    },
    legend: () => [["", "→ round trip: where the encoder puts the image decoded here (within 3σ)"]],
  };
}
