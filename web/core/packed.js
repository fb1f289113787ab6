/**
 * Files of numbers and arrays, as explorer/packed.py writes them: the length of a header (uint32,
 * little-endian), the header in JSON, and the arrays one after the other, each from a multiple of 8.
 */

/** @typedef {Uint8Array | Int16Array | Uint32Array | Float32Array} NumberArray */

const TYPES = { uint8: Uint8Array, int16: Int16Array, uint32: Uint32Array, float32: Float32Array };

/**
 * The header's values and, by their names, the arrays.
 *
 * @param {ArrayBuffer} file
 * @returns {Record<string, any>}
 */
export function unpack(file) {
  const length = new DataView(file).getUint32(0, true);
  const { values, arrays } = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 4, length)));
  const start = Math.ceil((4 + length) / 8) * 8;
  for (const { name, type, offset, length: count } of arrays) {
    const Type = TYPES[/** @type {keyof typeof TYPES} */ (type)];
    values[name] = new Type(file, start + offset, count);
  }
  return values;
}
