import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import assembler from "wabt";
import { CODE, FloatMemory, padded } from "../../web/core/affine.js";

test("the code is that of affine.wat", async () => {
  const name = "affine.wat";
  const text = readFileSync(new URL(`../../web/core/${name}`, import.meta.url), "utf8");
  const { buffer } = (await assembler()).parseWat(name, text, { simd: true }).toBinary({});
  assert.equal(CODE, Buffer.from(buffer).toString("base64"));
});

for (const simd of [true, false]) {
  for (const [rows, columns, from] of [
    [1, 1, 0],
    [16, 3, 1],
    [17, 16, 5],
    [40, 7, 0],
  ]) {
    test(`y = W x + b: ${rows} x ${columns} from ${from}, ${simd ? "SIMD" : "loops"}`, () => {
      const weight = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
      const bias = Float32Array.from({ length: rows }, (_, i) => i / 10);
      const memory = new FloatMemory(padded(rows) * (columns + 2) + 2 * padded(1) + 64, simd);
      assert.equal(memory.simd, simd);
      const layer = memory.layer(rows, columns, weight, bias);
      const [x, y] = [memory.array(from + columns), memory.array(padded(rows))];
      const guard = memory.array(1); // behind y
      x.set(Array.from(x, (_, i) => Math.cos(3 * i)));
      memory.affine(layer, x, from, y);
      for (let row = 0; row < rows; row++) {
        let expected = bias[row];
        for (let i = 0; i < columns; i++) expected += weight[row * columns + i] * x[from + i];
        assert.ok(Math.abs(y[row] - expected) < 1e-5, `row ${row}`);
      }
      assert.deepEqual(y.subarray(rows), new Float32Array(padded(rows) - rows));
      assert.equal(guard[0], 0);
    });
  }
}

test("without WebAssembly the loops take over", (context) => {
  context.mock.property(globalThis, "WebAssembly", undefined);
  assert.equal(new FloatMemory(16).simd, false);
});
