/** Buttons that copy a text. */

const COPIED = 1500; // ms for which the button says so

/**
 * Copies a text when the button is pressed, and says on the button what came of it.
 *
 * @param {HTMLButtonElement} button @param {() => string} text
 * @param {string} refused what the button says where the browser has no clipboard for the page
 * @param {(text: string) => void} [instead] called then
 */
export function copyOnPress(button, text, refused, instead) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const copied = text();
    try {
      await navigator.clipboard.writeText(copied);
      button.textContent = "Copied";
    } catch {
      instead?.(copied); // no clipboard outside https and localhost
      button.textContent = refused;
    }
    setTimeout(() => {
      button.textContent = label;
    }, COPIED);
  });
}
