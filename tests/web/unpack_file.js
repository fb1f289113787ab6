/** Prints as JSON what web/core/packed.js reads of a file, with the type of each array. */

import { readFileSync } from "node:fs";
import { unpack } from "../../web/core/packed.js";

const { buffer, byteOffset, byteLength } = readFileSync(process.argv[2]);
const file = /** @type {ArrayBuffer} */ (buffer.slice(byteOffset, byteOffset + byteLength));
const found = Object.entries(unpack(file)).map(([name, value]) =>
  ArrayBuffer.isView(value)
    ? [name, [value.constructor.name, Array.from(/** @type {Uint8Array} */ (value))]]
    : [name, value],
);
console.log(JSON.stringify(Object.fromEntries(found)));
