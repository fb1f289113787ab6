// node decode_files.js decoder.bin positions.f32 images.u8
import { readFileSync, writeFileSync } from "node:fs";
import { decodeAll } from "./decode_all.js";

/** @param {string} path @returns {ArrayBuffer} */
function read(path) {
  return new Uint8Array(readFileSync(path)).buffer;
}

const [decoder, positions, images] = process.argv.slice(2);
writeFileSync(images, decodeAll(read(decoder), new Float32Array(read(positions))));
