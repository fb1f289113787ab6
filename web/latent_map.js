// The map: a still layer (encoded digits, rings of the prior), drawn once, and a moving one above it
// (paths, numerals, cursor). `element`, `props`, `server`, `trigger` and `watch` come from gr.HTML.
const space = window.latentSpace;
const base = element.querySelector(".map-base");
const top_ = element.querySelector(".map-top");
const wait = element.querySelector(".map-wait");
const spoken = element.querySelector("#map-position");
const RANGE = props.range;
space.range = RANGE;

let points = null; // { xy: Int16Array, labels: Uint8Array, scale }
let side = 0; // CSS pixels
let dirty = false;

// The one transform between pixels of the map and z; y grows upward in z and downward in pixels.
const toPixels = (z) => ({
  px: ((z.x + RANGE) / (2 * RANGE)) * side,
  py: ((RANGE - z.y) / (2 * RANGE)) * side,
});
const toLatent = (px, py) => ({
  x: (px / side) * 2 * RANGE - RANGE,
  y: RANGE - (py / side) * 2 * RANGE,
});

function colours() {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    ink: read("--ink"),
    quiet: read("--quiet"),
    line: read("--line"),
    ground: read("--map-ground"),
    accent: read("--accent"),
    digits: props.palette,
  };
}

function fit(canvas) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(side * ratio);
  canvas.height = Math.round(side * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(canvas.width / side, 0, 0, canvas.height / side, 0, 0);
  context.clearRect(0, 0, side, side);
  return context;
}

function drawBase() {
  const c = colours();
  const context = fit(base);
  const centre = toPixels({ x: 0, y: 0 });
  const unit = side / (2 * RANGE);

  context.strokeStyle = c.line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, centre.py);
  context.lineTo(side, centre.py);
  context.moveTo(centre.px, 0);
  context.lineTo(centre.px, side);
  context.stroke();

  if (points) {
    const dot = Math.max(1.6, side / 300);
    context.globalAlpha = 0.6;
    for (let digit = 0; digit < 10; digit++) {
      context.fillStyle = c.digits[digit];
      for (let i = 0; i < points.labels.length; i++) {
        if (points.labels[i] !== digit) continue;
        const p = toPixels({ x: points.xy[2 * i] * points.scale, y: points.xy[2 * i + 1] * points.scale });
        context.fillRect(p.px - dot / 2, p.py - dot / 2, dot, dot);
      }
    }
    context.globalAlpha = 1;
  }

  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const sigma of [1, 2, 3]) {
    context.strokeStyle = c.quiet;
    context.lineWidth = 1;
    context.setLineDash([5, 5]);
    context.beginPath();
    context.arc(centre.px, centre.py, sigma * unit, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
    label(context, `${sigma}σ`, centre.px + sigma * unit * Math.SQRT1_2, centre.py + sigma * unit * Math.SQRT1_2, c);
  }
  context.textAlign = "center";
  for (let tick = Math.ceil(-RANGE) + 1; tick < RANGE; tick++) {
    const p = toPixels({ x: tick, y: tick });
    label(context, `${tick}`.replace("-", "−"), p.px, side - 12, c);
    label(context, `${tick}`.replace("-", "−"), 14, p.py, c);
  }
  label(context, "x (z₁)", side - 26, centre.py - 12, c);
  label(context, "y (z₂)", centre.px + 28, 14, c);
}

function label(context, text, px, py, c) {
  context.textAlign = "center";
  context.lineWidth = 4;
  context.strokeStyle = c.ground;
  context.strokeText(text, px, py);
  context.fillStyle = c.quiet;
  context.fillText(text, px, py);
}

function drawTop() {
  const c = colours();
  const context = fit(top_);
  context.lineJoin = "round";
  for (const path of space.paths) {
    const pixels = path.points.map(toPixels);
    const trace = () => {
      context.beginPath();
      pixels.forEach((p, i) => (i ? context.lineTo(p.px, p.py) : context.moveTo(p.px, p.py)));
      context.stroke();
    };
    if (!path.scattered) {
      context.setLineDash(path.chosen ? [] : [7, 5]);
      context.strokeStyle = c.ground;
      context.lineWidth = path.chosen ? 6 : 4;
      trace();
      context.strokeStyle = c.ink;
      context.lineWidth = path.chosen ? 2.5 : 1.5;
      trace();
      context.setLineDash([]);
    }
    if (!path.chosen) continue;
    for (const p of pixels) {
      context.beginPath();
      context.arc(p.px, p.py, 3.5, 0, 2 * Math.PI);
      context.fillStyle = c.ground;
      context.fill();
      context.lineWidth = 1.5;
      context.stroke();
    }
  }

  context.textAlign = "center";
  context.textBaseline = "middle";
  const badge = side < 480 ? 9 : 12;
  context.font = `700 ${badge + 2}px system-ui, sans-serif`;
  props.centroids.forEach(([x, y], digit) => {
    const p = toPixels({ x, y });
    context.beginPath();
    context.arc(p.px, p.py, badge, 0, 2 * Math.PI);
    context.fillStyle = c.ground;
    context.fill();
    context.lineWidth = 3;
    context.strokeStyle = c.digits[digit];
    context.stroke();
    context.fillStyle = c.ink;
    context.fillText(props.names[digit], p.px, p.py + 1);
  });

  const p = toPixels(space.z);
  for (const [width, colour] of [[7, c.ground], [3, c.accent]]) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.beginPath();
    context.arc(p.px, p.py, 11, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(p.px + 7 * dx, p.py + 7 * dy);
      context.lineTo(p.px + 18 * dx, p.py + 18 * dy);
    }
    context.stroke();
  }
}

function redraw(all) {
  dirty ||= all;
  if (redraw.waiting) return;
  redraw.waiting = true;
  requestAnimationFrame(() => {
    redraw.waiting = false;
    side = top_.clientWidth;
    if (!side) return;
    if (dirty) drawBase();
    dirty = false;
    drawTop();
  });
}

// The sliders are Gradio's own: an event that runs in the page alone brings them along, at most
// once a frame, and never for a move that came from them.
let sliders = false;
function bringSliders() {
  if (sliders) return;
  sliders = true;
  requestAnimationFrame(() => {
    sliders = false;
    props.value = { ...space.z };
    trigger("input");
  });
}

let speech = 0;
space.subscribe((z, source) => {
  redraw(false);
  if (source === "paths" || source === "start") return;
  if (source === "slider") props.value = { ...z };
  else bringSliders();
  clearTimeout(speech);
  speech = setTimeout(() => {
    spoken.textContent = `x ${z.x}, y ${z.y}`;
  }, 300);
});

watch("value", () => {
  const { x, y } = props.value;
  space.arrive({ x, y });
});

function follow(event) {
  const box = top_.getBoundingClientRect();
  side = box.width;
  space.set(toLatent(event.clientX - box.left, event.clientY - box.top), "map");
}
top_.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  top_.setPointerCapture(event.pointerId);
  follow(event);
});
top_.addEventListener("pointermove", (event) => {
  if (top_.hasPointerCapture(event.pointerId)) follow(event);
});
top_.addEventListener("keydown", (event) => {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (!way) return;
  event.preventDefault();
  const step = event.shiftKey ? 0.5 : 0.05;
  space.set({ x: space.z.x + way[0] * step, y: space.z.y + way[1] * step }, "map");
});

new ResizeObserver(() => redraw(true)).observe(top_);
new MutationObserver(() => redraw(true)).observe(document.body, { attributeFilter: ["class"] });

const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
server
  .points()
  .then((answer) => {
    points = {
      xy: new Int16Array(bytes(answer.xy).buffer),
      labels: bytes(answer.labels),
      scale: answer.scale,
    };
    wait.textContent = "";
    element.dataset.ready = "true";
    redraw(true);
  })
  .catch(() => {
    wait.textContent = "The encoded digits did not arrive. Reload the page to try again.";
  });
