/** The browser's frames, which animations ask for. */

/**
 * `reduced`: whether the user wants no animation.
 *
 * @typedef {{
 *   now: () => number, request: (callback: (now: number) => void) => number,
 *   cancel: (frame: number) => void, reduced: () => boolean,
 * }} Frames
 */

/** @type {Frames} */
export const NO_FRAMES = { now: () => 0, request: () => 0, cancel: () => {}, reduced: () => true };
