import { Decoder, PIXELS } from "../../web/core/decoder.js";

/**
 * The images of many positions: (N * 784,).
 *
 * @param {ArrayBuffer} file what checkpoint/decoder_file.py wrote
 * @param {Float32Array} positions (N * latent_dim,)
 */
export function decodeAll(file, positions) {
  const decoder = new Decoder(file);
  const size = decoder.config.latent_dim;
  const images = new Uint8Array((positions.length / size) * PIXELS);
  for (let i = 0; i * size < positions.length; i++) {
    const image = images.subarray(i * PIXELS, (i + 1) * PIXELS);
    decoder.pixels(positions.subarray(i * size, (i + 1) * size), image);
  }
  return images;
}
