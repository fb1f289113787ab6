/** The straight line. */

/** @type {import("../styles.js").PathStyle} */
export const style = { dash: [10, 5], light: "#3c4856", dark: "#cbd5e1" };
