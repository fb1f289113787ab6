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

function drawRegions(context) {
  const { px, py } = view.toPixels({ x: -view.range, y: view.range });
  const size = (view.side * view.range) / view.half;
  context.imageSmoothingEnabled = false;
  context.drawImage(regions, px, py, size, size);
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
  for (let digit = 0; digit < 10; digit++) {
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
  if (layers.regions && regions) drawRegions(context);
  drawAxes(context);
  if (layers.pictures && window.decoderTable.ready) drawPictures(context);
  if (layers.points && points) drawPoints(context);
  if (layers.rings) drawRings(context);
  drawTicks(context);
}

function drawPath(context, path) {
  const pixels = path.points.map((z) => view.toPixels(z));
  if (!path.scattered) {
    context.setLineDash(path.chosen ? [] : [7, 5]);
    for (const [width, stroke] of path.chosen
      ? [[6, colour.ground], [2.5, colour.ink]]
      : [[4, colour.ground], [1.5, colour.ink]]) {
      context.lineWidth = width;
      context.strokeStyle = stroke;
      context.beginPath();
      pixels.forEach((p, i) => (i ? context.lineTo(p.px, p.py) : context.moveTo(p.px, p.py)));
      context.stroke();
    }
    context.setLineDash([]);
  }
  if (!path.chosen) return;
  for (const p of pixels) {
    context.beginPath();
    context.arc(p.px, p.py, 3.5, 0, 2 * Math.PI);
    context.fillStyle = colour.ground;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = colour.ink;
    context.stroke();
  }
}

// Places of discs that would cover each other, moved until they do not; a line leads to each home.
function apart(homes, distance) {
  const placed = homes.map((p) => ({ ...p }));
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < placed.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [placed[i], placed[j]];
        const [dx, dy] = [a.px - b.px || 0.1, a.py - b.py];
        const gap = Math.hypot(dx, dy);
        if (gap >= distance) continue;
        const push = (distance - gap) / 2 / gap;
        a.px += dx * push;
        a.py += dy * push;
        b.px -= dx * push;
        b.py -= dy * push;
      }
    }
  }
  return placed;
}

function drawNumerals(context) {
  const radius = view.side < 480 ? 9 : 12;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `700 ${radius + 2}px system-ui, sans-serif`;
  const homes = props.centroids.map(([x, y]) => view.toPixels({ x, y }));
  apart(homes, 2 * radius + 4).forEach((p, digit) => {
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
}

