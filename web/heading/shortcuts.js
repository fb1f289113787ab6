/** The list of the keyboard shortcuts. */

import { find, findButton } from "../core/dom.js";

/** Whether a key that is pressed in an element writes there. @param {EventTarget | null} target */
function takesText(target) {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches("input:not([type=range], [type=radio], [type=checkbox]), select, textarea");
}

/** Opens the list by its button and by ?; a browser closes it on Escape and puts the focus back. @param {HTMLElement} element @param {AbortSignal} signal */
export function startShortcuts(element, signal) {
  const dialog = find(element, "#shortcuts", HTMLDialogElement);
  const open = () => {
    if (!dialog.open) dialog.showModal();
  };
  findButton(element, "#help").addEventListener("click", open);
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || takesText(event.target)) return;
    event.preventDefault();
    open();
  };
  document.addEventListener("keydown", press, { signal });
  // A press beside it, on the backdrop, counts as one on the dialog itself.
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) dialog.close();
  });
}
