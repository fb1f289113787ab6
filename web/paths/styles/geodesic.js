/** The geodesic of the decoder. */

/** @type {import("../styles.js").PathStyle} */
export const style = { dash: [], light: "#0b57d0", dark: "#8ab4f8" };
