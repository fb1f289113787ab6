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
 */
export function startDrops(sheet, isOpen, onDrop) {
  document.addEventListener("dragover", (event) => {
    const dragged = imageOf(event);
    if (!dragged) return;
    event.preventDefault();
    dragged.dropEffect = isOpen() ? "copy" : "none";
    sheet.classList.add("over");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) sheet.classList.remove("over"); // the pointer has left the page
  });
  document.addEventListener("drop", (event) => {
    sheet.classList.remove("over");
    const dropped = imageOf(event);
    if (!dropped) return;
    event.preventDefault();
    if (isOpen()) onDrop(dropped);
  });
}
