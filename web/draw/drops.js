/** Images that are dropped anywhere on the page. */

/** @param {DragEvent} event */
function imageOf({ dataTransfer }) {
  const types = dataTransfer?.types ?? [];
  return types.includes("Files") || types.includes("text/uri-list") ? dataTransfer : null;
}

/**
 * A drop beside the pad counts as well, and one while another tab is open changes nothing: without
 * this, the browser would leave the page.
 *
 * @param {HTMLElement} sheet is marked while an image is dragged over the page
 * @param {() => boolean} isOpen
 * @param {(dropped: DataTransfer) => void} onDrop
 * @param {AbortSignal} signal
 */
export function startDrops(sheet, isOpen, onDrop, signal) {
  const over = (/** @type {DragEvent} */ event) => {
    const dragged = imageOf(event);
    if (!dragged) return;
    event.preventDefault();
    dragged.dropEffect = isOpen() ? "copy" : "none";
    sheet.classList.add("over");
  };
  const leave = (/** @type {DragEvent} */ { relatedTarget }) => {
    if (!relatedTarget) sheet.classList.remove("over"); // the pointer has left the page
  };
  const drop = (/** @type {DragEvent} */ event) => {
    sheet.classList.remove("over");
    const dropped = imageOf(event);
    if (!dropped) return;
    event.preventDefault();
    if (isOpen()) onDrop(dropped);
  };
  document.addEventListener("dragover", over, { signal });
  document.addEventListener("dragleave", leave, { signal });
  document.addEventListener("drop", drop, { signal });
}
