// The map: still layers (class regions, decoded pictures, encoded digits, rings of the prior) drawn
// once a view, paths and numerals above them, and the cursor. latent_map.js follows in the same scope.
// `element`, `props`, `server`, `trigger` and `watch` come from gr.HTML.
const space = window.latentSpace;
const find = (name) => element.querySelector(name);
const base = find(".map-base");
const top_ = find(".map-top");
const cursor = find(".map-cursor");
const preview = find(".map-preview");
const spoken = find("#map-position");
const view = new window.MapView(props.range);
space.classes = props.names.length;
space.range = props.range;
space.view = view;

const layers = space.layers; // shared with the link in the address
let points = null; // { xy: Int16Array, labels: Uint8Array, scale }
let regions = null; // a canvas, one pixel a cell
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
    ways: Object.fromEntries(
      Object.entries(window.ways).map(([way, { colour }]) => [way, read(colour)]),
    ),
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

function drawCells(context, canvas) {
  const { px, py } = view.toPixels({ x: -view.range, y: view.range });
  const size = (view.side * view.range) / view.half;
  context.imageSmoothingEnabled = canvas !== regions;
  context.drawImage(canvas, px, py, size, size);
}

// The picture that the decoder gives at the middle of each tile; zooming in, the tiles stay as large
// on the screen and so become finer in z.
function drawPictures(context) {
  const tiles = Math.max(8, Math.round(view.side / 36));
  const wide = 28 * tiles;
  const image = new ImageData(wide, wide);
  const grey = new Float32Array(784);
  const ink = document.body.classList.contains("dark") ? 255 : 0;
  image.data.fill(ink);
  const tile = view.side / tiles;
  for (let row = 0; row < tiles; row++) {
    for (let column = 0; column < tiles; column++) {
      window.decoderTable.decode(view.toLatent((column + 0.5) * tile, (row + 0.5) * tile), grey);
      for (let i = 0; i < 784; i++) {
        const at = (row * 28 + Math.floor(i / 28)) * wide + column * 28 + (i % 28);
        image.data[4 * at + 3] = grey[i];
      }
    }
  }
  const sheet = new OffscreenCanvas(wide, wide);
  sheet.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(sheet, 0, 0, view.side, view.side);
}

function drawPoints(context) {
  const dot = Math.max(1.6, view.side / 300) * Math.min(3, view.zoom ** 0.35);
  context.globalAlpha = layers.pictures ? 0.4 : 0.6;
  for (let digit = 0; digit < props.names.length; digit++) {
    context.fillStyle = colour.digits[digit];
    for (let i = 0; i < points.labels.length; i++) {
      if (points.labels[i] !== digit) continue;
      const p = view.toPixels({
        x: points.xy[2 * i] * points.scale,
        y: points.xy[2 * i + 1] * points.scale,
      });
      context.fillRect(p.px - dot / 2, p.py - dot / 2, dot, dot);
    }
  }
  context.globalAlpha = 1;
}

function drawRings(context) {
  const centre = view.toPixels({ x: 0, y: 0 });
  const unit = view.side / (2 * view.half);
  for (const sigma of [1, 2, 3]) {
    context.strokeStyle = colour.quiet;
    context.lineWidth = 1;
    context.setLineDash([5, 5]);
    context.beginPath();
    context.arc(centre.px, centre.py, sigma * unit, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
    const reach = sigma * unit * Math.SQRT1_2;
    label(context, `${sigma}σ`, centre.px + reach, centre.py + reach);
  }
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

function drawBase() {
  const context = fit(base);
  context.font = "12px system-ui, sans-serif";
  if (layers.regions && regions) drawCells(context, regions);
  drawFields(context);
  drawAxes(context);
  if (layers.pictures && window.decoderTable.ready) drawPictures(context);
  if (layers.points && points) drawPoints(context);
  drawTrips(context);
  if (layers.rings) drawRings(context);
  drawTicks(context);
}

function drawPath(context, { curve, points, way, scattered }) {
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
    context.strokeStyle = colour.ways[way];
    context.setLineDash(window.ways[way].dash);
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
    context.strokeStyle = scattered ? colour.ink : colour.ways[way];
    context.stroke();
  }
}

// A word on a plate, so that it can be read on any ground.
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

// Each at another part of its way, and moved until no two cover each other. A way that is too short
// for its name goes without: its pictures below have the name.
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
  placed.forEach((p, i) => plate(context, named[i].label, p, colour.ways[named[i].way]));
}

function drawMarks(context) {
  for (const [flag, place] of Object.entries(space.marks)) {
    if (place) plate(context, flag, view.toPixels(place), colour.ink);
  }
}

// Names that are longer than a numeral stand on plates, each moved until no two cover each other.
function drawNames(context) {
  const placed = [];
  props.centroids.forEach(([x, y], digit) => {
    const home = view.toPixels({ x, y });
    const p = { ...home };
    const near = (q) => Math.abs(q.px - p.px) < 88 && Math.abs(q.py - p.py) < 22;
    // By turns below and above its home, further each time.
    for (let i = 1; placed.some(near); i++) p.py = home.py + 22 * Math.ceil(i / 2) * (i % 2 ? 1 : -1);
    placed.push(p);
    context.lineWidth = 2;
    context.strokeStyle = colour.digits[digit];
    context.beginPath();
    context.moveTo(home.px, home.py);
    context.lineTo(p.px, p.py);
    context.stroke();
  });
  placed.forEach((p, digit) => plate(context, props.names[digit], p, colour.digits[digit]));
}

function drawNumerals(context) {
  if (props.names.some((name) => name.length > 2)) return drawNames(context);
  const radius = view.side < 480 ? 9 : 12;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `700 ${radius + 2}px system-ui, sans-serif`;
  const homes = props.centroids.map(([x, y]) => view.toPixels({ x, y }));
  window.apart(homes, 2 * radius + 4).forEach((p, digit) => {
    context.lineWidth = 2;
    context.strokeStyle = colour.digits[digit];
    context.beginPath();
    context.moveTo(homes[digit].px, homes[digit].py);
    context.lineTo(p.px, p.py);
    context.stroke();
    context.beginPath();
    context.arc(p.px, p.py, radius, 0, 2 * Math.PI);
    context.fillStyle = colour.ground;
    context.fill();
    context.lineWidth = 3;
    context.strokeStyle = colour.digits[digit];
    context.stroke();
    context.fillStyle = colour.ink;
    context.fillText(props.names[digit], p.px, p.py + 1);
  });
}

// An element and not a drawing: moving it costs the browser next to nothing.
function placeCursor() {
  const p = view.toPixels(space.z);
  cursor.style.transform = `translate(${p.px}px, ${p.py}px)`;
}

function drawTop() {
  const context = fit(top_);
  context.lineJoin = "round";
  for (const path of space.paths) drawPath(context, path);
  if (layers.numerals) drawNumerals(context);
  drawReturn(context);
  drawReading(context);
  drawLabels(context);
  drawMarks(context);
}

