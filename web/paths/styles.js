/**
 * How the path of each interpolation method is drawn, on the map and beside its images: a colour, and
 * a dash for those who cannot see it. Each method has its module in styles/.
 */

import { isDark } from "../core/dom.js";

/** @typedef {{ dash: number[], light: string, dark: string }} PathStyle colours on light and on dark */

/** A method without a style of its own is drawn like a plain line. @type {PathStyle} */
const PLAIN = { dash: [], light: "#16202c", dark: "#eef2f6" };

export class PathStyles {
  #styles;

  /** @param {Map<string, PathStyle>} styles by method */
  constructor(styles) {
    this.#styles = styles;
  }

  /** @param {string} method */
  dash(method) {
    return (this.#styles.get(method) ?? PLAIN).dash;
  }

  /** The colour for the theme as it is now. @param {string} method */
  colour(method) {
    return (this.#styles.get(method) ?? PLAIN)[isDark() ? "dark" : "light"];
  }
}

/** @param {readonly string[]} methods */
export async function loadPathStyles(methods) {
  /** @type {Map<string, PathStyle>} */
  const styles = new Map();
  await Promise.all(
    methods.map(async (method) => {
      try {
        styles.set(method, (await import(`./styles/${method}.js`)).style);
      } catch (error) {
        console.error(error);
      }
    }),
  );
  return new PathStyles(styles);
}
