// Drawing on the map: what all layers share, then axes, paths, labels and the cursor. map_layers.js and
// latent_map.js follow in the same scope. `element`, `props`, `server`, `trigger` and `watch` come from
// gr.HTML.
const space = window.latentSpace;
const find = (name) => element.querySelector(name);
const base = find(".map-base");
const top_ = find(".map-top");
const cursor = find(".map-cursor");
const preview = find(".map-preview");
const spoken = find("#map-position");
const view = new window.MapView(props.range);
space.declare({
  range: props.range,
  classes: props.names.length,
  view,
  layers: props.map_layers,
});

const layers = space.layers; // key -> whether it is shown; shared with the link in the address
const data = {}; // of the layers, by key: what `prepare` made of the server's answer
let colour = null; // of the theme

const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

function readColours() {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim();
  colour = {
    ink: read("--ink"),
    quiet: read("--quiet"),
    line: read("--line"),
    ground: read("--map-ground"),
    accent: read("--accent"),
    digits: props.palette,
    path: (method) => read(window.pathStyle(method).colour),
  };
}

function fit(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const size = Math.round(view.side * ratio);
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.setTransform(size / view.side, 0, 0, size / view.side, 0, 0);
  context.clearRect(0, 0, view.side, view.side);
  return context;
}

function label(context, text, px, py) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 4;
  context.strokeStyle = colour.ground;
  context.strokeText(text, px, py);
  context.fillStyle = colour.quiet;
  context.fillText(text, px, py);
}

// A canvas of one pixel a cell, over the whole map.
function drawCells(context, canvas, smooth = true) {
  const { px, py } = view.toPixels({ x: -view.range, y: view.range });
  const size = (view.side * view.range) / view.half;
  context.imageSmoothingEnabled = smooth;
  context.drawImage(canvas, px, py, size, size);
}

function drawAxes(context) {
  const centre = view.toPixels({ x: 0, y: 0 });
  context.strokeStyle = colour.line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, centre.py);
  context.lineTo(view.side, centre.py);
  context.moveTo(centre.px, 0);
  context.lineTo(centre.px, view.side);
  context.stroke();
}

function drawTicks(context) {
  const step = view.step;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const name = (v) => v.toFixed(decimals).replace(/^-(?=0\.?0*$)/, "").replace("-", "−");
  const first = (c) => Math.ceil((c - 0.92 * view.half) / step) * step;
  for (let x = first(view.centre.x); x < view.centre.x + 0.95 * view.half; x += step) {
    label(context, name(x), view.toPixels({ x, y: 0 }).px, view.side - 12);
  }
  for (let y = first(view.centre.y); y < view.centre.y + 0.9 * view.half; y += step) {
    label(context, name(y), 8 + 6 * Math.max(1, name(y).length / 2), view.toPixels({ x: 0, y }).py);
  }
  label(context, "x (z₁)", view.side - 26, view.side - 30);
  label(context, "y (z₂)", 28, 14);
}

// The layers that stay while the cursor moves, in the order of their drawings: those below 0, which fill
// the map, lie under the axes.
function drawBase() {
  const context = fit(base);
  context.font = "12px system-ui, sans-serif";
  const shown = props.map_layers.filter(({ key }) => layers[key] && drawings[key]?.draw);
  shown.sort((a, b) => drawings[a.key].order - drawings[b.key].order);
  for (const { key } of shown) if (drawings[key].order < 0) drawLayer(context, key);
  drawAxes(context);
  for (const { key } of shown) if (drawings[key].order >= 0) drawLayer(context, key);
  drawTicks(context);
}

function drawLayer(context, key) {
  const { draw, prepare } = drawings[key];
  if (!prepare || data[key]?.made) draw(context, data[key]?.made);
}

function drawPath(context, { curve, points, method, scattered }) {
  const trace = () => {
    context.beginPath();
    for (const z of curve) {
      const p = view.toPixels(z);
      context.lineTo(p.px, p.py);
    }
    context.stroke();
  };
  if (!scattered) {
    context.lineWidth = 6.5;
    context.strokeStyle = colour.ground;
    trace();
    context.lineWidth = 3;
    context.strokeStyle = colour.path(method);
    context.setLineDash(window.pathStyle(method).dash);
    trace();
    context.setLineDash([]);
  }
  for (const z of points) {
    const p = view.toPixels(z);
    context.beginPath();
    context.arc(p.px, p.py, 3.5, 0, 2 * Math.PI);
    context.fillStyle = colour.ground;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = scattered ? colour.ink : colour.path(method);
    context.stroke();
  }
}

// A word on a plate, to be readable on any background.
function plate(context, text, p, border) {
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const wide = context.measureText(text).width + 12;
  const left = Math.min(view.side - wide - 2, Math.max(2, p.px - wide / 2));
  context.beginPath();
  context.roundRect(left, p.py - 10, wide, 20, 6);
  context.fillStyle = colour.ground;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = border;
  context.stroke();
  context.fillStyle = colour.ink;
  context.fillText(text, left + wide / 2, p.py + 1);
}

// Each at another part of its path, and moved until no two cover each other. A path that is too short for
// its name has none on the map: its images below have it.
function drawLabels(context) {
  const extent = ({ curve }) => {
    const [a, b] = [curve[0], curve[curve.length - 1]].map((z) => view.toPixels(z));
    return Math.hypot(a.px - b.px, a.py - b.py);
  };
  const named = space.paths.filter((path) => path.label && extent(path) > 120);
  const homes = named.map(({ curve }, i) =>
    view.toPixels(curve[Math.round(((i + 1) / (named.length + 1)) * (curve.length - 1))]),
  );
  const placed = [];
  for (const home of homes) {
    const p = { ...home };
    while (placed.some((q) => Math.abs(q.px - p.px) < 100 && Math.abs(q.py - p.py) < 22)) p.py += 22;
    placed.push(p);
  }
  placed.forEach((p, i) => plate(context, named[i].label, p, colour.path(named[i].method)));
}

function drawMarks(context) {
  for (const [flag, point] of Object.entries(space.marks)) {
    if (point) plate(context, flag, view.toPixels(point), colour.ink);
  }
}

// The posterior of the newest image: its mean and the ellipses of 1 and 2 sigma, to scale.
function drawReading(context) {
  const reading = space.reading;
  if (!reading || reading.error) return;
  const { px, py } = view.toPixels({ x: reading.mu[0], y: reading.mu[1] });
  const unit = view.side / (2 * view.half);
  for (const sigma of [1, 2]) {
    context.beginPath();
    const [rx, ry] = reading.sigma.map((s) => sigma * s * unit);
    context.ellipse(px, py, rx, ry, 0, 0, 2 * Math.PI);
    for (const [width, stroke] of [[5, colour.ground], [2, colour.ink]]) {
      context.lineWidth = width;
      context.strokeStyle = stroke;
      context.setLineDash(sigma === 2 && width === 2 ? [5, 4] : []);
      context.stroke();
    }
  }
  context.setLineDash([]);
  context.beginPath();
  context.arc(px, py, 3, 0, 2 * Math.PI);
  context.fillStyle = colour.ink;
  context.fill();
  const name = reading.title.split(",")[0];
  plate(context, name, { px, py: py - 18 - 2 * reading.sigma[1] * unit }, colour.ink);
}

// An element and not a drawing: moving it costs the browser almost nothing.
function placeCursor() {
  const p = view.toPixels(space.z);
  cursor.style.transform = `translate(${p.px}px, ${p.py}px)`;
}

// What is above the still layers: paths, labels, the posterior and the points A and B.
function drawTop() {
  const context = fit(top_);
  context.lineJoin = "round";
  for (const path of space.paths) drawPath(context, path);
  for (const { key } of props.map_layers) if (layers[key]) drawings[key]?.drawTop?.(context);
  drawReading(context);
  drawLabels(context);
  drawMarks(context);
}
