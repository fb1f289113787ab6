/** The geodesic that keeps to the data. */

/** @type {import("../styles.js").PathStyle} */
export const style = { dash: [12, 4, 2, 4], light: "#0f7a3d", dark: "#86efac" };
