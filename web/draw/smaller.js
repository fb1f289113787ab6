/** Image files, made no larger than the server needs them. */

import { contextOf, make } from "../core/dom.js";

const ENOUGH = 500_000; // bytes; a larger file is scaled down before it is sent
const LONGEST = 1600; // px; the server works with a third of it
const QUALITY = 0.92; // of JPEG

/**
 * A canvas with the image, upright as its EXIF data says, its longest side at most LONGEST.
 *
 * @param {Blob} file
 */
async function scaledDown(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = make("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = contextOf(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

/** Whether the browser hands out what a canvas shows: against fingerprinting, some hand out noise. */
function readsCanvases() {
  const colour = [200, 100, 50, 255];
  const context = contextOf(make("canvas"));
  context.fillStyle = `rgb(${colour})`;
  context.fillRect(0, 0, 2, 1);
  return context.getImageData(0, 0, 2, 1).data.every((level, i) => level === colour[i % 4]);
}

/** @param {HTMLCanvasElement} canvas */
function isOpaque(canvas) {
  const { data } = contextOf(canvas).getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return false;
  return true;
}

/**
 * The file itself, or a smaller one where it has more bytes than any drawing needs. What the browser
 * cannot scale down stays as it is: the server says so if it cannot read it.
 *
 * @param {Blob} file
 * @returns {Promise<Blob>}
 */
export async function smaller(file) {
  if (file.size <= ENOUGH || !readsCanvases()) return file;
  try {
    const canvas = await scaledDown(file);
    const type = isOpaque(canvas) ? "image/jpeg" : "image/png"; // JPEG has no transparency
    return await new Promise((resolve) => {
      canvas.toBlob((blob) => resolve(blob ?? file), type, QUALITY);
    });
  } catch {
    return file;
  }
}

/**
 * @param {Blob} file
 * @returns {Promise<string>}
 */
export function base64Of(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(`${reader.result}`.split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
