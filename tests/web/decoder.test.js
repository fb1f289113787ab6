import assert from "node:assert/strict";
import test from "node:test";
import { Decoder, fromIntegers, PIXELS } from "../../web/core/decoder.js";
import { bytesPerCall, NOTHING } from "./memory.js";

test("integers have a sign, two bytes and the scale of their row", () => {
  const numbers = [0, 1, 2, 3, 0xfffe, 0xffff]; // 0, -1, 1, -2, 32767, -32768
  const planes = Uint8Array.from([...numbers.map((n) => n >> 8), ...numbers.map((n) => n & 255)]);
  const values = fromIntegers(planes, Float32Array.of(0.5, 2));
  assert.deepEqual(Array.from(values), [0, -0.5, 0.5, -4, 65534, -65536]);
});

/**
 * A file of checkpoint/decoder_file.py whose numbers come from `value`.
 *
 * @param {(name: string, index: number) => number} value
 */
function makeFile(value) {
  const config = { latent_dim: 3, hidden: 8, decoder_channels: 5, decoder_channels_2: 2 };
  /** @type {[string, number, number][]} */
  const layers = [
    ["hidden", 8, 3],
    ["hidden_2", 8, 8],
    ["hidden_3", 8, 8],
    ["grid", 49 * 5, 8],
    ["conv", 4 * 2, 5],
    ["out", 16, 2],
  ];
  /** @type {Record<string, { shape: number[], offset: number }>} */
  const tensors = {};
  /** @type {number[]} */
  const numbers = [];
  for (const [name, rows, columns] of layers) {
    const biases = name === "out" ? 1 : rows;
    for (const [tensor, shape] of /** @type {[string, number[]][]} */ ([
      [`${name}.weight`, [rows, columns]],
      [`${name}.bias`, [biases]],
    ])) {
      tensors[tensor] = { shape, offset: 4 * numbers.length };
      const size = shape.reduce((a, b) => a * b, 1);
      for (let i = 0; i < size; i++) numbers.push(value(tensor, i));
    }
  }
  let text = JSON.stringify({ config, tensors });
  text = text.padEnd(Math.ceil(text.length / 4) * 4);
  const file = new Uint8Array(4 + text.length + 4 * numbers.length);
  new DataView(file.buffer).setUint32(0, text.length, true);
  file.set(new TextEncoder().encode(text), 4);
  file.set(new Uint8Array(new Float32Array(numbers).buffer), 4 + text.length);
  return file.buffer;
}

test("without weights every pixel is the sigmoid of the image's bias", () => {
  const decoder = new Decoder(makeFile((name) => (name === "out.bias" ? Math.log(3) : 0)));
  const image = new Uint8Array(PIXELS);
  decoder.pixels([1, 2, 3], image);
  assert.deepEqual(image, new Uint8Array(PIXELS).fill(Math.round(0.75 * 255)));
});

test("an image does not depend on those before it", () => {
  const file = makeFile((_, i) => Math.sin(i));
  const decoder = new Decoder(file);
  decoder.decode([3, -1, 2]);
  const again = decoder.decode([0.5, 0.5, -1]).slice();
  assert.deepEqual(again, new Decoder(file).decode([0.5, 0.5, -1]));
  assert.notEqual(Math.min(...again), Math.max(...again));
});

test("another number of coordinates is refused", () => {
  const decoder = new Decoder(makeFile(() => 0));
  for (const z of [[1, 2], [1, 2, 3, 4], []]) {
    assert.throws(() => decoder.decode(z), { message: `z has ${z.length} coordinates; give 3` });
  }
});

for (const simd of [true, false]) {
  test(`a call allocates nothing, ${simd ? "with" : "without"} SIMD`, () => {
    const decoder = new Decoder(
      makeFile((_, i) => Math.sin(i)),
      simd,
    );
    const [z, image] = [new Float32Array(3), new Uint8Array(PIXELS)];
    const bytes = bytesPerCall(() => decoder.pixels(z, image));
    assert.ok(bytes < NOTHING, `${bytes} bytes a call`);
  });
}
