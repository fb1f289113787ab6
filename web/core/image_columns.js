/** Test images and what models make of them, a column each: the original on top. */

import { imageCanvas, make, makeButton, paintImage } from "./dom.js";

/**
 * A row of images, one byte a pixel; `nats` are their reconstruction errors.
 *
 * @typedef {{ title: string, levels: Uint8Array, nats?: number[] }} Row
 */

/** An image with a name. @param {Row} row @param {number} i @param {string} name */
function imageOf({ levels }, i, name) {
  const canvas = imageCanvas();
  paintImage(canvas, levels, i);
  canvas.role = "img";
  canvas.ariaLabel = name;
  return canvas;
}

/** @param {Row} row @param {number} i @param {string} name of the test image */
function cellOf(row, i, name) {
  const cell = make("div");
  const nats = row.nats?.[i].toFixed(0);
  cell.append(imageOf(row, i, `${row.title}: ${name}, ${nats} nats`), make("small", nats));
  return cell;
}

/**
 * The columns as a list; its first item has the titles of the rows.
 *
 * @param {readonly Row[]} rows the first are the originals
 * @param {readonly string[]} names of the test images
 * @param {(i: number) => void} open called with the number of the column whose original is pressed
 */
export function imageColumns(rows, names, open) {
  const list = make("ul", "", "image-columns");
  list.style.setProperty("--rows", `${rows.length}`);
  list.style.setProperty("--columns", `${names.length}`);
  const titles = make("li", "", "titles");
  titles.append(...rows.map(({ title }) => make("span", title)));
  list.append(titles);
  const [originals, ...others] = rows;
  for (const [i, name] of names.entries()) {
    const column = make("li");
    const button = makeButton("", () => open(i));
    button.ariaLabel = `Open ${name}`;
    button.title = button.ariaLabel;
    const image = imageOf(originals, i, "");
    image.ariaHidden = "true";
    button.append(image);
    column.append(button, ...others.map((row) => cellOf(row, i, name)));
    list.append(column);
  }
  return list;
}

/**
 * What the test images are called.
 *
 * @param {readonly number[]} indices @param {ArrayLike<number>} labels of all test images
 * @param {readonly string[]} classes their names @param {string} item
 */
export function imageNames(indices, labels, classes, item) {
  return indices.map((index) => `test ${item} ${index}, labelled ${classes[labels[index]]}`);
}
