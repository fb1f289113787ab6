// What moves the map and what it shows; map_drawing.js and map_layers.js, which draw it, come first in the
// same scope.

let waiting = false;
let stale = false; // whether the layers that stay must be drawn again
function redraw(all) {
  stale ||= all;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    view.side = top_.clientWidth;
    if (!view.side) return;
    if (!colour) readColours();
    if (stale) drawBase();
    stale = false;
    drawTop();
    placeCursor();
  });
}

// A slider is heard here before Gradio's own event, which comes a frame later.
document.addEventListener(
  "input",
  ({ target }) => {
    const slider = target.closest("#x-slider, #y-slider");
    if (!slider || target.value === "") return;
    const axis = slider.id === "x-slider" ? "x" : "y";
    space.set({ ...space.z, [axis]: +target.value }, "slider");
  },
  true,
);

// The sliders are Gradio's own: an event that runs in the page alone updates them, at most every second
// frame, since they cost more than the image, and never for a move that came from them.
let bringing = false;
function bringSliders() {
  if (bringing) return;
  bringing = true;
  setTimeout(() => {
    bringing = false;
    props.value = { ...space.z };
    trigger("input");
  }, 30);
}

let speech = 0;
space.subscribe((z, source) => {
  if (source === "start") return;
  placeCursor();
  if (source !== "map" && source !== "link") {
    const before = view.centre;
    view.follow(z);
    if (view.centre !== before) redraw(true);
  }
  if (source === "slider") props.value = { ...z };
  else bringSliders();
  clearTimeout(speech);
  speech = setTimeout(() => {
    spoken.textContent = `x ${z.x}, y ${z.y}`;
  }, 300);
});

space.subscribe(() => redraw(true), "layers");
for (const topic of ["paths", "known", "reading"]) space.subscribe(() => redraw(false), topic);
space.subscribe(() => {
  showPicking();
  redraw(false);
}, "marks");

watch("value", () => {
  const { x, y } = props.value;
  if (space.isAt({ x, y }) || space.arrive({ x, y })) return;
  props.value = { ...space.z }; // otherwise the same answer would not be a change the next time
});

// --- pointers: one moves the cursor, two zoom and pan the view; hovering previews ---

const down = new Map(); // pointerId -> { px, py }
const local = (event) => {
  const box = top_.getBoundingClientRect();
  view.side = box.width;
  return { px: event.clientX - box.left, py: event.clientY - box.top };
};

function pinch(before, after) {
  const spread = ([a, b]) => Math.hypot(a.px - b.px, a.py - b.py) || 1;
  const middle = ([a, b]) => ({ px: (a.px + b.px) / 2, py: (a.py + b.py) / 2 });
  const [from, to] = [middle(before), middle(after)];
  const [a, b] = [view.toLatent(from.px, from.py), view.toLatent(to.px, to.py)];
  view.moveBy(a.x - b.x, a.y - b.y);
  view.zoomAt(to.px, to.py, spread(after) / spread(before));
  changedView();
}

function changedView() {
  space.viewChanged();
  find(".reset-view").hidden = view.zoom < 1.001;
  redraw(true);
}

top_.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  if (space.picking && down.size === 0) {
    const { px, py } = local(event);
    space.mark(view.toLatent(px, py));
    return;
  }
  top_.setPointerCapture(event.pointerId);
  down.set(event.pointerId, local(event));
  pressed = down.size === 1 ? { ...local(event), at: event.timeStamp } : null;
  hidePreview();
  if (down.size === 1 && !event.shiftKey) {
    const { px, py } = local(event);
    space.set(view.toLatent(px, py), "map");
  }
});

top_.addEventListener("pointermove", (event) => {
  const here = local(event);
  if (!down.has(event.pointerId)) {
    if (event.pointerType === "mouse") showPreview(here);
    return;
  }
  const before = [...down.values()];
  const last = down.get(event.pointerId);
  down.set(event.pointerId, here);
  if (down.size === 2) {
    pinch(before, [...down.values()]);
  } else if (event.shiftKey) {
    const [a, b] = [view.toLatent(last.px, last.py), view.toLatent(here.px, here.py)];
    view.moveBy(a.x - b.x, a.y - b.y);
    changedView();
  } else {
    space.set(view.toLatent(here.px, here.py), "map");
  }
});
// A click on a point opens the test image that was encoded there.
let pressed = null; // where the pointer went down, and when
function hit({ px, py }) {
  const points = data.points?.made;
  if (!layers.points || !points) return null;
  let [best, least] = [null, 5 ** 2];
  for (let i = 0; i < points.labels.length; i++) {
    const p = view.toPixels({
      x: points.xy[2 * i] * points.scale,
      y: points.xy[2 * i + 1] * points.scale,
    });
    const gap = (p.px - px) ** 2 + (p.py - py) ** 2;
    if (gap < least) [best, least] = [i, gap];
  }
  return best;
}
top_.addEventListener("pointerup", (event) => {
  const here = local(event);
  const still = pressed && Math.hypot(here.px - pressed.px, here.py - pressed.py) < 4;
  if (still && event.timeStamp - pressed.at < 400) {
    const index = hit(here);
    if (index !== null) space.open(index);
  }
  pressed = null;
});
for (const end of ["pointerup", "pointercancel"]) {
  top_.addEventListener(end, (event) => down.delete(event.pointerId));
}
top_.addEventListener("pointerleave", hidePreview);

top_.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const { px, py } = local(event);
    const lines = event.deltaMode === 1 ? 16 : 1;
    view.zoomAt(px, py, Math.exp(-event.deltaY * lines * 0.002));
    hidePreview();
    changedView();
  },
  { passive: false },
);

function resetView() {
  view.reset();
  changedView();
}
top_.addEventListener("dblclick", resetView);
find(".reset-view").addEventListener("click", resetView);

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
top_.addEventListener("keydown", (event) => {
  const direction = ARROWS[event.key];
  if (direction) {
    const step = (event.shiftKey ? 0.5 : 0.05) / Math.max(1, Math.round(view.zoom / 2));
    space.set({ x: space.z.x + direction[0] * step, y: space.z.y + direction[1] * step }, "keys");
  } else if (event.key === "+" || event.key === "-") {
    const { px, py } = view.toPixels(space.z);
    view.zoomAt(px, py, event.key === "+" ? 1.5 : 1 / 1.5);
    changedView();
  } else if (event.key === "0") {
    resetView();
  } else if (event.key === "Enter" && space.picking) {
    space.mark(space.z);
  } else {
    return;
  }
  event.preventDefault();
});

// --- the small image beside a hovering mouse ---

const hint = preview.getContext("2d");
function showPreview({ px, py }) {
  if (!window.liveDecoder.ready) return;
  window.liveDecoder.paint(hint, view.toLatent(px, py));
  const flip = (v) => (v > view.side - 96 ? v - 84 : v + 20);
  preview.style.transform = `translate(${flip(px)}px, ${flip(py)}px)`;
  preview.hidden = false;
}
function hidePreview() {
  preview.hidden = true;
}

// --- points A and B ---

function showPicking() {
  const flag = space.picking;
  find(".map-ask").hidden = !flag;
  if (!flag) return;
  const which = flag === "A" ? "where the path starts (A)" : "where it ends (B)";
  find(".map-ask span").textContent = `Click ${which}, or move there and press Enter.`;
  element.scrollIntoView({ block: "nearest", behavior: "smooth" });
}
find(".map-ask button").addEventListener("click", () => space.cancelPick());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && space.picking) space.cancelPick();
});

// --- layers and link ---

for (const layer of props.map_layers) {
  const { key, label, help, more } = layer;
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.layer = key;
  button.textContent = label;
  button.title = help;
  if (more) find(".more div").append(button);
  else find(".more").before(button);
  const show = () => {
    button.setAttribute("aria-pressed", layers[key]);
    showLayer(layer);
  };
  button.addEventListener("click", () => {
    layers[key] = !layers[key];
    show();
    space.layersChanged();
  });
  space.subscribe(() => button.setAttribute("aria-pressed", layers[key]), "layers");
  show();
}
// The folded menu still shows that some of its layers are on.
function countMore() {
  const shown = [...element.querySelectorAll(".more [data-layer]")].filter(
    (button) => layers[button.dataset.layer],
  );
  find(".more summary").toggleAttribute("data-on", shown.length > 0);
  find(".more summary").textContent = shown.length ? `✓ More (${shown.length})` : "More";
}
space.subscribe(countMore, "layers");
countMore();
document.addEventListener("pointerdown", ({ target }) => {
  if (!find(".more").contains(target)) find(".more").open = false;
});

find(".copy-link").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  let result = "Copied";
  try {
    await navigator.clipboard.writeText(space.link());
  } catch {
    result = "In the address bar"; // no clipboard outside https and localhost
  }
  const before = button.textContent;
  button.textContent = result;
  setTimeout(() => (button.textContent = before), 1500);
});

new ResizeObserver(() => redraw(true)).observe(top_);
new MutationObserver(() => {
  colour = null;
  redraw(true);
}).observe(document.body, { attributeFilter: ["class"] });

// --- what the page waits for: the layers that are preloaded, the decoder ---

const preloaded = props.map_layers.filter(({ preload }) => preload);
Promise.all([
  ...preloaded.map(({ key }) =>
    fetchLayer(key).then(() => {
      if (key === "points") find(".map-wait").textContent = "";
    }),
  ),
  window.liveDecoder.load(props.decoder),
])
  .then(() => {
    element.dataset.ready = "true";
    redraw(true);
  })
  .catch((error) => {
    console.error(error);
    find(".map-wait").textContent = "Part of the map could not be loaded. Reload the page to try again.";
  });
space.restore();
changedView();
