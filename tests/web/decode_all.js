import { Decoder, PIXELS } from "../../web/core/decoder.js";

/**
 * The images of many positions: (N * 784,).
 *
 * @param {ArrayBuffer} file what checkpoint/decoder_file.py wrote
 * @param {Float32Array} positions (N * latent_dim,)
 * @param {boolean} simd whether in WebAssembly
 */
export function decodeAll(file, positions, simd) {
  const decoder = new Decoder(file, simd);
  if (decoder.simd !== simd) throw new Error("There is no WebAssembly with SIMD here");
  const size = decoder.latentDim;
  const images = new Uint8Array((positions.length / size) * PIXELS);
  for (let i = 0; i * size < positions.length; i++) {
    const image = images.subarray(i * PIXELS, (i + 1) * PIXELS);
    decoder.pixels(positions.subarray(i * size, (i + 1) * size), image);
  }
  return images;
}
