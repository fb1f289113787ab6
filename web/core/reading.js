/** What the server answers about an image: types alone. */

/**
 * What the encoder makes of an image (explorer/inference.py), or why there is no answer; `fromUser`:
 * drawn or uploaded by the user.
 *
 * @typedef {{
 *   title: string, message: string, pixels: string, mu: number[], sigma: number[],
 *   recon: number, kl: number, samples: number[][], nearest: number[],
 *   kl_of_dimensions?: number[], crop?: number[], fromUser?: boolean, error?: undefined,
 * }} Reading
 * @typedef {{ error: string, fromUser?: boolean }} FailedReading
 */

export {};
