/** The colours of the classes, as CSS sees them: `--class-0`, `--class-1` ... in either theme. */

/** A CSS value that follows the theme. @param {number} label */
export const classColour = (label) => `var(--class-${label})`;

/** @type {CSSStyleSheet | null} one for the page, whichever model it shows */
let sheet = null;

/** @param {import("../page.js").Props["palette"]} palette of the model that is shown */
export function styleClasses({ light, dark }) {
  const declare = (/** @type {string[]} */ colours) =>
    colours.map((colour, label) => `--class-${label}: ${colour};`).join("");
  sheet ??= new CSSStyleSheet();
  sheet.replaceSync(`:root { ${declare(light)} } .dark { ${declare(dark)} }`);
  if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets.push(sheet);
}
