/** To come. */

/** @param {import("../page.js").Page} _page @param {HTMLElement} _element */
export function start(_page, _element) {}
