/**
 * The address after #: #x=1.2&y=-0.3&view=0.5,0.5,2&layers=points,rings&A=0.1,2&digit=8...
 *
 * It holds the position, the view where it is zoomed, the layers where others than usual are shown,
 * the points A and B, and the values of the controls. One of these is the step of the tour: a link of
 * it alone, #tour=cloud, shows what the step shows, and beside a position it opens the step there.
 * Another is the model that the page's own is compared with: compare=vae_low_beta.
 * Above two dimensions positions have all their coordinates: #z=0.1,-1.2,...&A=...
 */

import { WHOLE } from "./plane.js";

/** @typedef {import("./view.js").Position} Position */
/** @typedef {import("./plane.js").Plane} Plane */
/** @typedef {string | number | boolean | string[]} Value of a control */

/**
 * A control whose value links keep; the records come from app/controls.py.
 *
 * @typedef {{ name: string, aliases: string[], default: Value } & (
 *   | { kind: "choice", options: string[] }
 *   | { kind: "choices", options: string[] }
 *   | { kind: "key" }
 *   | { kind: "number", low: number, high: number, step: number }
 *   | { kind: "flag" }
 *   | { kind: "endpoint", flag: string, last: number })} Control
 */

/** @typedef {{ key: string, aliases: string[], default: boolean }} LayerRecord */

/**
 * What a link holds; a part that is missing or impossible is null.
 *
 * @typedef {{
 *   z: Position | null,
 *   view: { centre: Position, half: number } | null,
 *   layers: Record<string, boolean>,
 *   marks: Record<string, Position | null>,
 *   values: Record<string, Value>,
 * }} Linked
 */

const KEY = /^[\w.-]{1,100}$/; // of a model, see app/model_list.py
const DECIMALS = 4; // of coordinates above two dimensions

/** The points that can be picked on the map. */
export const FLAGS = ["A", "B"];

/**
 * A number of low ... high in steps, or null.
 *
 * @param {string} text
 * @param {{ low: number, high: number, step: number }} allowed
 */
function readNumber(text, { low, high, step }) {
  if (text.trim() === "") return null;
  const value = Math.round(Number(text) / step) * step;
  return value >= low && value <= high ? Number(value.toFixed(2)) : null;
}

/**
 * The value of a control that a text of a link stands for, or null if it is not possible.
 *
 * @param {Control} control @param {string} text
 * @returns {Value | null}
 */
export function readValue(control, text) {
  if (control.kind === "choice") return control.options.includes(text) ? text : null;
  if (control.kind === "choices") {
    const listed = text.split(",");
    const chosen = control.options.filter((option) => listed.includes(option));
    return chosen.length ? chosen : null;
  }
  if (control.kind === "key") return KEY.test(text) ? text : null;
  if (control.kind === "flag") return text === "true" || (text === "false" ? false : null);
  if (control.kind === "number") return readNumber(text, control);
  if (text === "here" || text === control.flag) return text;
  return readNumber(text, { low: 0, high: control.last, step: 1 });
}

/** @param {string | null} text */
function readNumbers(text) {
  return (text ?? "").split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
}

/** @param {number[]} numbers */
function asPosition([x, y]) {
  return Number.isFinite(x) && Number.isFinite(y) ? { x, y } : null;
}

/**
 * A position of D coordinates, or null.
 *
 * @param {string | null} text @param {Plane} plane
 */
function readCoordinates(text, plane) {
  const z = readNumbers(text);
  if (plane.isWhole) return asPosition(z);
  if (z.length !== plane.latentDim || !z.every(Number.isFinite)) return null;
  const { limit } = plane;
  return plane.position(z.map((v) => Math.min(limit, Math.max(-limit, v))));
}

/** @param {Position} position @param {Plane} plane */
function writeCoordinates(position, plane) {
  const z = plane.listed(position);
  return (plane.isWhole ? z : z.map((v) => Number(v.toFixed(DECIMALS)))).join();
}

/**
 * The plane that a link asks for: plane=3,7:z for two dimensions through z, plane=z:z:z for three
 * points, of D numbers each; else the principal one.
 *
 * @param {string} hash @param {number} latentDim
 * @returns {import("./plane.js").Spec}
 */
export function parsePlane(hash, latentDim) {
  const text = new URLSearchParams(hash.replace(/^#/, "")).get("plane") ?? "";
  const parts = text.split(":").map(readNumbers);
  const areFinite = parts.every((part) => part.every(Number.isFinite));
  const arePoints = (/** @type {number[][]} */ some) =>
    some.every(({ length }) => length === latentDim);
  if (areFinite && parts.length === 3 && arePoints(parts)) return { kind: "points", points: parts };
  const [dimensions, through] = parts;
  if (areFinite && parts.length === 2 && dimensions.length === 2 && arePoints([through])) {
    return { kind: "dimensions", dimensions, through };
  }
  return { kind: "principal" };
}

/** What `parsePlane` reads. @param {import("./plane.js").Spec} spec */
function writePlane(spec) {
  if (spec.kind === "principal") return "";
  const rounded = (/** @type {number[]} */ z) => z.map((v) => Number(v.toFixed(DECIMALS))).join();
  if (spec.kind === "points") return spec.points.map(rounded).join(":");
  return `${spec.dimensions.join()}:${rounded(spec.through)}`;
}

/**
 * Reads a link.
 *
 * @param {string} hash the address after, or from, #
 * @param {readonly LayerRecord[]} layers
 * @param {readonly Control[]} controls
 * @param {Plane} plane in which x and y lie
 * @returns {Linked}
 */
export function parseLink(hash, layers, controls, plane = WHOLE) {
  const asked = new URLSearchParams(hash.replace(/^#/, ""));
  const shown = asked.get("layers")?.split(",");
  /** @param {string[]} names */
  const first = (...names) => names.map((name) => asked.get(name)).find((text) => text !== null);
  const [cx, cy, half] = readNumbers(asked.get("view"));
  const centre = asPosition([cx, cy]);
  return {
    z:
      (plane.isWhole ? null : readCoordinates(asked.get("z"), plane)) ??
      asPosition([readNumbers(asked.get("x"))[0], readNumbers(asked.get("y"))[0]]),
    view: centre && half > 0 ? { centre, half } : null,
    layers: Object.fromEntries(
      layers.map(({ key, aliases, default: usual }) => [
        key,
        shown ? [key, ...aliases].some((name) => shown.includes(name)) : usual,
      ]),
    ),
    marks: Object.fromEntries(FLAGS.map((flag) => [flag, readCoordinates(asked.get(flag), plane)])),
    values: Object.fromEntries(
      controls.map((control) => {
        const text = first(control.name, ...control.aliases);
        const value = text == null ? null : readValue(control, text);
        return [control.name, value ?? control.default];
      }),
    ),
  };
}

/** @param {string} name @param {string} text @param {string} form */
const fault = (name, text, form) =>
  `${name} in the link is “${text.length > 40 ? `${text.slice(0, 40)}…` : text}”; give ${form}.`;

/**
 * What is wrong with the positions of a link, in a sentence that says what to give instead; empty
 * where nothing is. The page opens without what is wrong.
 *
 * @param {string} hash @param {Plane} plane
 */
export function describeFault(hash, plane = WHOLE) {
  const asked = new URLSearchParams(hash.replace(/^#/, ""));
  const { latentDim, isWhole } = plane;
  const listed = isWhole ? FLAGS : ["z", ...FLAGS];
  for (const name of listed) {
    const text = asked.get(name);
    if (text === null || readCoordinates(text, plane)) continue;
    return fault(name, text, `${latentDim} numbers with commas between them`);
  }
  for (const name of ["x", "y"]) {
    const text = asked.get(name);
    if (text !== null && !Number.isFinite(readNumbers(text)[0]))
      return fault(name, text, "a number");
  }
  const turned = asked.get("plane");
  if (isWhole) {
    return asked.has("z") || turned !== null
      ? "The link is for a model with more than two dimensions; open it with that model."
      : "";
  }
  return turned !== null && parsePlane(hash, latentDim).kind === "principal"
    ? fault(
        "plane",
        turned,
        `two dimensions and a position, or three positions, with colons between them`,
      )
    : "";
}

/**
 * Writes what `parseLink` reads, without #.
 *
 * @param {Linked & { z: Position }} linked view: null where the whole map is shown
 * @param {readonly LayerRecord[]} layers
 * @param {readonly Control[]} controls
 * @param {Plane} plane
 */
export function formatLink(linked, layers, controls, plane = WHOLE) {
  const { x, y } = linked.z;
  const parts = new URLSearchParams(
    plane.isWhole ? { x: `${x}`, y: `${y}` } : { z: writeCoordinates(linked.z, plane) },
  );
  const turned = writePlane(plane.spec);
  if (turned) parts.set("plane", turned);
  if (linked.view) {
    const { centre, half } = linked.view;
    parts.set("view", [centre.x, centre.y, half].map((v) => Number(v.toFixed(4))).join());
  }
  const shown = layers.filter(({ key }) => linked.layers[key]).map(({ key }) => key);
  const usual = layers.filter((layer) => layer.default).map(({ key }) => key);
  if (shown.join() !== usual.join()) parts.set("layers", shown.join());
  for (const [flag, point] of Object.entries(linked.marks)) {
    if (point) parts.set(flag, writeCoordinates(point, plane));
  }
  for (const { name } of controls) {
    if (linked.values[name] !== "") parts.set(name, String(linked.values[name]));
  }
  return parts.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
}
