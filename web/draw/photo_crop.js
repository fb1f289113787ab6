// The uploaded image on the pad, and the frame around what is encoded of it, which can be moved,
// resized and drawn anew by pointer and by keyboard.
const HANDLE = 16; // px around a corner of the frame in which a press resizes it
const SMALLEST = 0.02; // of the image; a smaller frame was not meant
const STEP = 0.02; // of the image, for an arrow key
const MARGIN = 0.03; // of the image, around ink that was found

// Shows `file`; onCrop([left, top, right, bottom]) is called with fractions of the image.
function photoCrop(sheet, onCrop) {
  const layer = sheet.querySelector(".photo");
  const image = layer.querySelector("img");
  const frame = layer.querySelector(".frame");
  let crop = [0, 0, 1, 1];
  let drag = null; // { start: fractions, crop: as it was, grip: which sides follow the pointer }
  let keyTimer = 0;

  const clamp = (v) => Math.min(1, Math.max(0, v));

  // The image within its layer, which it fits as object-fit: contain does; in px of the layer.
  function imageBox() {
    const { clientWidth: width, clientHeight: height } = layer;
    const scale = Math.min(width / image.naturalWidth, height / image.naturalHeight) || 1;
    const [w, h] = [image.naturalWidth * scale, image.naturalHeight * scale];
    return { left: (width - w) / 2, top: (height - h) / 2, width: w, height: h };
  }

  function place() {
    const box = imageBox();
    const [left, top, right, bottom] = crop;
    Object.assign(frame.style, {
      left: `${box.left + left * box.width}px`,
      top: `${box.top + top * box.height}px`,
      width: `${(right - left) * box.width}px`,
      height: `${(bottom - top) * box.height}px`,
    });
  }

  function pointerAt(event) {
    const outer = layer.getBoundingClientRect();
    const box = imageBox();
    const x = (event.clientX - outer.left - box.left) / box.width;
    const y = (event.clientY - outer.top - box.top) / box.height;
    return { x: clamp(x), y: clamp(y), reach: [HANDLE / box.width, HANDLE / box.height] };
  }

  // The corner near the point, "move" inside the frame, else null: a new frame begins there.
  function gripAt({ x, y, reach }) {
    const [left, top, right, bottom] = crop;
    const horizontal = Math.abs(x - left) < reach[0] ? 0 : Math.abs(x - right) < reach[0] ? 2 : -1;
    const vertical = Math.abs(y - top) < reach[1] ? 1 : Math.abs(y - bottom) < reach[1] ? 3 : -1;
    if (horizontal >= 0 && vertical >= 0) return [horizontal, vertical];
    return x > left && x < right && y > top && y < bottom ? "move" : null;
  }

  function moved([left, top, right, bottom], dx, dy) {
    const x = Math.min(1 - right, Math.max(-left, dx));
    const y = Math.min(1 - bottom, Math.max(-top, dy));
    return [left + x, top + y, right + x, bottom + y];
  }

  function between(a, b) {
    return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)];
  }

  layer.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || drag) return;
    event.preventDefault();
    layer.focus();
    layer.setPointerCapture(event.pointerId);
    const start = pointerAt(event);
    drag = { id: event.pointerId, start, crop, grip: gripAt(start) };
  });
  layer.addEventListener("pointermove", (event) => {
    if (drag?.id !== event.pointerId) return;
    const { start, grip } = drag;
    const now = pointerAt(event);
    if (grip === "move") crop = moved(drag.crop, now.x - start.x, now.y - start.y);
    else if (grip) {
      const [h, v] = grip;
      const fixed = { x: drag.crop[2 - h], y: drag.crop[4 - v] };
      crop = between(fixed, now);
    } else crop = between(start, now);
    place();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    layer.addEventListener(end, (event) => {
      if (drag?.id !== event.pointerId) return;
      const before = drag.crop;
      drag = null;
      const [left, top, right, bottom] = crop;
      if (right - left < SMALLEST || bottom - top < SMALLEST) crop = before;
      else if (crop !== before) onCrop(crop);
      place();
    });
  }
  layer.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    const by = step[event.key];
    if (!by) return;
    event.preventDefault();
    const [left, top, right, bottom] = crop;
    crop = event.shiftKey
      ? [left, top, clamp(Math.max(left + STEP, right + by[0])), clamp(Math.max(top + STEP, bottom + by[1]))]
      : moved(crop, ...by);
    place();
    clearTimeout(keyTimer);
    keyTimer = setTimeout(() => onCrop(crop), 350);
  });
  new ResizeObserver(place).observe(layer);

  return {
    // Resolves once the image is shown; to false if the browser cannot show it.
    async show(file) {
      URL.revokeObjectURL(image.src);
      image.src = URL.createObjectURL(file);
      crop = [0, 0, 1, 1];
      const shown = await image.decode().then(() => true, () => false);
      layer.hidden = !shown;
      if (shown) place();
      return shown;
    },
    // The frame around ink that was found at [left, top, right, bottom].
    found([left, top, right, bottom]) {
      crop = [clamp(left - MARGIN), clamp(top - MARGIN), clamp(right + MARGIN), clamp(bottom + MARGIN)];
      place();
    },
    hide() {
      clearTimeout(keyTimer);
      layer.hidden = true;
      URL.revokeObjectURL(image.src);
      image.removeAttribute("src");
    },
    get shown() {
      return !layer.hidden;
    },
  };
}
