/** Elements, text and small images: what every part of the page needs. */

import { PIXELS, SIDE } from "./decoder.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * The element below `root` that a selector names.
 *
 * @template {HTMLElement} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [type]
 * @returns {T}
 * @throws {Error} if there is none of that type
 */
export function find(
  root,
  selector,
  type = /** @type {new () => T} */ (/** @type {unknown} */ (HTMLElement)),
) {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`no ${type.name} at ${selector}`);
  return element;
}

/** @param {ParentNode} root @param {string} selector */
export function findCanvas(root, selector) {
  return find(root, selector, HTMLCanvasElement);
}

/** @param {ParentNode} root @param {string} selector */
export function findButton(root, selector) {
  return find(root, selector, HTMLButtonElement);
}

/** @param {ParentNode} root @param {string} selector */
export function findInput(root, selector) {
  return find(root, selector, HTMLInputElement);
}

/**
 * A new element with text, never HTML.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {string} [text] @param {string} [className]
 */
export function make(name, text = "", className = "") {
  const element = document.createElement(name);
  element.textContent = text;
  element.className = className;
  return element;
}

/** @param {string} text @param {() => void} press */
export function makeButton(text, press) {
  const button = make("button", text);
  button.type = "button";
  button.addEventListener("click", press);
  return button;
}

/**
 * A new element of SVG.
 *
 * @param {string} name @param {Record<string, string | number>} attributes
 * @param {string | number} [text]
 */
export function makeSvg(name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
  element.textContent = `${text}`;
  return element;
}

/** @type {WeakMap<HTMLElement, string>} */
const listed = new WeakMap();

/**
 * Shows a list that is asked for again and again. The elements of the same items stay: otherwise an
 * answer between a press and its release would take a click away, or close an open menu.
 *
 * @template T of JSON
 * @param {HTMLElement} parent of nothing else
 * @param {T[]} items
 * @param {(item: T, i: number) => HTMLElement} show makes the element of an item
 * @returns {HTMLElement[] | null} the new elements; null if the former ones stay
 */
export function showList(parent, items, show) {
  const key = JSON.stringify(items);
  if (listed.get(parent) === key) return null;
  listed.set(parent, key);
  const elements = items.map(show);
  parent.replaceChildren(...elements);
  return elements;
}

/** Writes a text where it is another: a write costs a layout. @param {HTMLElement} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The context of a canvas. @param {HTMLCanvasElement | OffscreenCanvas} canvas */
export function contextOf(canvas) {
  const context = /** @type {CanvasRenderingContext2D | null} */ (canvas.getContext("2d"));
  if (!context) throw new Error("the browser draws no 2-D canvas");
  return context;
}

/** A canvas for one image. */
export function imageCanvas() {
  const canvas = document.createElement("canvas");
  canvas.width = SIDE;
  canvas.height = SIDE;
  return canvas;
}

/**
 * Draws the `index`-th of several images, 784 grey levels each, on a canvas of 28 x 28.
 *
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} levels @param {number} [index]
 */
export function paintImage(canvas, levels, index = 0) {
  const image = new ImageData(SIDE, SIDE);
  const opaque = 255 << 24;
  const rgba = new Int32Array(image.data.buffer);
  for (let i = 0; i < PIXELS; i++) rgba[i] = opaque | (levels[PIXELS * index + i] * 0x010101);
  contextOf(canvas).putImageData(image, 0, 0);
}

/** @param {string} base64 */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** A number as text, with a true minus. @param {number} value @param {number} [digits] */
export function signed(value, digits = 2) {
  return value.toFixed(digits).replace("-", "−");
}

/** A name with its article: an Ankle boot, a Bag, a 7. @param {string} name */
export function withArticle(name) {
  return `${/^[aeiou8]/i.test(name) ? "an" : "a"} ${name}`;
}

/** What a test image is called. @param {string} item @param {number} index @param {string} name of its class */
export function testTitle(item, index, name) {
  return `Test ${item} ${index}, labelled ${name}`;
}

/**
 * A share in [0, 1] as text: "42 %"; what would round to none or all is "under 1 %" or "over 99 %".
 *
 * @param {number} share
 */
export function percent(share) {
  if (share > 0 && share < 0.01) return "under 1 %";
  return share >= 0.995 && share < 1 ? "over 99 %" : `${Math.round(100 * share)} %`;
}

/** Whether class names need more room than numerals. @param {readonly string[]} names */
export function areWords(names) {
  return names.some((name) => name.length > 2);
}

/** Whether the page is dark. */
export function isDark() {
  return document.body.classList.contains("dark");
}

/**
 * Calls `listener` after the theme has changed.
 *
 * @param {() => void} listener @param {AbortSignal} signal ends it
 */
export function onTheme(listener, signal) {
  const observer = new MutationObserver(listener);
  observer.observe(document.body, { attributeFilter: ["class"] });
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
}

/**
 * Calls `listener` when an element has got a size, and after each change of it.
 *
 * @param {Element} element @param {() => void} listener @param {AbortSignal} signal ends it
 */
export function onResize(element, listener, signal) {
  const observer = new ResizeObserver(listener);
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
}
