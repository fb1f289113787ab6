// node decode_files.js decoder.bin positions.f32 images.u8 simd|loops
import { readFileSync, writeFileSync } from "node:fs";
import { decodeAll } from "./decode_all.js";

/** @param {string} path @returns {ArrayBuffer} */
function read(path) {
  return new Uint8Array(readFileSync(path)).buffer;
}

const [decoder, positions, images, kind] = process.argv.slice(2);
const z = new Float32Array(read(positions));
writeFileSync(images, decodeAll(read(decoder), z, kind === "simd"));
