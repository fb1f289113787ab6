/** Spherical interpolation. */

/** @type {import("../styles.js").PathStyle} */
export const style = { dash: [2, 4], light: "#9a3412", dark: "#fdba74" };
