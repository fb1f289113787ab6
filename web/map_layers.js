// The layers of the map: how each is drawn, and how its data is fetched. latent_map.js follows in the same
// scope. To add a layer, add its drawing to `drawings` under the key of its record in
// explorer/map_layers.py.

// A canvas of side x side cells; rgba(i) is the colour of the i-th from the top left.
function cells(side, rgba) {
  const canvas = new OffscreenCanvas(side, side);
  const image = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) image.data.set(rgba(i), 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function regionCells({ winners, strength, side }) {
  const [winner, alpha] = [bytes(winners), bytes(strength)];
  const colours = props.palette.map((code) => parseInt(code.slice(1), 16));
  return cells(side, (i) => {
    const hex = colours[winner[i]];
    return [hex >> 16, (hex >> 8) & 255, hex & 255, alpha[i]];
  });
}

// The images decoded at the middle of each tile; zooming in, the tiles stay as large on the screen and so
// become finer in z. They are drawn in a thread of their own; until they come, the last sheet is shown
// where it belongs.
let sheet = null; // { key, centre, half, canvas }
let asked = ""; // the key of the sheet that was asked for
function drawImages(context) {
  const tiles = Math.max(8, Math.round(view.side / 36));
  const ink = document.body.classList.contains("dark") ? 255 : 0;
  const { centre, half } = view;
  const key = [tiles, ink, centre.x, centre.y, half].join(" ");
  if (key !== sheet?.key && key !== asked) {
    asked = key;
    const step = (i) => ((i + 0.5) / tiles) * 2 * half;
    const xs = Float64Array.from({ length: tiles }, (_, i) => centre.x - half + step(i));
    const ys = Float64Array.from({ length: tiles }, (_, i) => centre.y + half - step(i));
    window.liveDecoder.sheet({ xs, ys, ink }).then(
      (pixels) => {
        if (!pixels || key !== asked) return;
        const canvas = new OffscreenCanvas(28 * tiles, 28 * tiles);
        canvas.getContext("2d").putImageData(new ImageData(pixels, 28 * tiles), 0, 0);
        sheet = { key, centre: { ...centre }, half, canvas };
        redraw(true);
      },
      () => (asked = ""), // the next drawing asks again
    );
  }
  if (!sheet) return;
  const from = view.toPixels({ x: sheet.centre.x - sheet.half, y: sheet.centre.y + sheet.half });
  const to = view.toPixels({ x: sheet.centre.x + sheet.half, y: sheet.centre.y - sheet.half });
  context.imageSmoothingEnabled = true;
  context.drawImage(sheet.canvas, from.px, from.py, to.px - from.px, to.py - from.py);
}

function drawPoints(context, points) {
  const dot = Math.max(1.6, view.side / 300) * Math.min(3, view.zoom ** 0.35);
  context.globalAlpha = layers.images ? 0.4 : 0.6;
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

// Names longer than a numeral are on plates, each moved until no two cover each other.
function drawNames(context) {
  const placed = [];
  props.centroids.forEach(([x, y], digit) => {
    const home = view.toPixels({ x, y });
    const p = { ...home };
    const near = (q) => Math.abs(q.px - p.px) < 88 && Math.abs(q.py - p.py) < 22;
    // Alternately below and above its position, further each time.
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

function drawArrow(context, [x0, y0], [x1, y1]) {
  const [a, b] = [view.toPixels({ x: x0, y: y0 }), view.toPixels({ x: x1, y: y1 })];
  const [dx, dy] = [b.px - a.px, b.py - a.py];
  const length = Math.hypot(dx, dy);
  context.beginPath();
  if (length < 3) {
    // The encoder returns to where it was: a dot.
    context.arc(a.px, a.py, 1.5, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  const [ux, uy] = [dx / length, dy / length];
  const head = Math.min(7, length / 2);
  context.moveTo(a.px, a.py);
  context.lineTo(b.px, b.py);
  context.lineTo(b.px - head * (ux + 0.5 * uy), b.py - head * (uy - 0.5 * ux));
  context.moveTo(b.px, b.py);
  context.lineTo(b.px - head * (ux - 0.5 * uy), b.py - head * (uy + 0.5 * ux));
  context.stroke();
}

function drawRoundTrips(context, { from, to }) {
  context.strokeStyle = context.fillStyle = colour.ink;
  context.globalAlpha = 0.55;
  context.lineWidth = 1.2;
  from.forEach((start, i) => drawArrow(context, start, to[i]));
  context.globalAlpha = 1;
}

// The round trip of the cursor's own position, once PyTorch's answer for it is there.
function drawOwnRoundTrip(context) {
  if (!space.known || !space.isAt(space.known)) return;
  context.strokeStyle = context.fillStyle = colour.accent;
  context.lineWidth = 3;
  drawArrow(context, [space.z.x, space.z.y], space.known.round_trip);
}

// Hues that differ from each other and from the classes, on a light and a dark background alike.
const [PINK, ORANGE, TEAL] = [[214, 51, 132], [232, 117, 0], [0, 150, 150]];
const ramp = (rgb) => `<span style="background: linear-gradient(90deg, rgb(${rgb} / 0), rgb(${rgb}))"></span>`;

// By the key of the layer's record:
//   order       from the bottom to the top; below 0: under the axes
//   prepare     what the drawing needs, made once from the server's answer
//   draw        on the canvas that stays while the cursor moves: (context, prepared)
//   drawTop     on the canvas above it, beneath the cursor: (context)
//   legend      HTML: (answer)
const drawings = {
  points: {
    order: 20,
    prepare: ({ xy, labels, scale }) => ({
      xy: new Int16Array(bytes(xy).buffer),
      labels: bytes(labels),
      scale,
    }),
    draw: drawPoints,
  },
  images: { order: 10, draw: (context) => window.liveDecoder.ready && drawImages(context) },
  regions: {
    order: -30,
    prepare: regionCells,
    draw: (context, canvas) => drawCells(context, canvas, false),
  },
  rings: { order: 40, draw: drawRings },
  labels: {
    drawTop: (context) =>
      props.names.some((name) => name.length > 2) ? drawNames(context) : drawNumerals(context),
  },
  sensitivity: {
    order: -20,
    prepare({ strength, side }) {
      const alpha = bytes(strength);
      return cells(side, (i) => [...PINK, alpha[i] * 0.85]);
    },
    draw: drawCells,
    legend: ({ most }) =>
      `${ramp(PINK.join(" "))} sensitivity ‖J‖: 0 to ${most.toFixed(0)} and more`,
  },
  prior_vs_data: {
    order: -10,
    prepare({ strength, side }) {
      const level = bytes(strength);
      const paint = (v) => (v > 128 ? [...ORANGE, 1.5 * (v - 128)] : [...TEAL, 1.5 * (128 - v)]);
      return cells(side, (i) => (level[i] ? paint(level[i]) : [0, 0, 0, 0]));
    },
    draw: drawCells,
    legend: ({ factor }) => `${ramp(ORANGE.join(" "))} the prior expects up to ${factor} × more than is there
      ${ramp(TEAL.join(" "))} less`,
  },
  round_trips: {
    order: 30,
    prepare: (answer) => answer,
    draw: drawRoundTrips,
    drawTop: drawOwnRoundTrip,
    legend: () => "→ where the encoder puts the image decoded here (round trip)",
  },
};

// --- their data, fetched once: at the start for those that the page waits for, else when first shown ---

function showLegend() {
  const lines = props.map_layers
    .filter(({ key, preload }) => layers[key] && data[key] && !preload)
    .map(({ key }) => data[key].busy ?? data[key].legend)
    .filter(Boolean);
  find(".map-legend").hidden = !lines.length;
  find(".map-legend").innerHTML = lines.map((line) => `<div>${line}</div>`).join("");
}

async function fetchLayer(key) {
  const answer = await space.answer(server.layer(key));
  const { prepare, legend } = drawings[key] ?? {};
  data[key] = { made: prepare ? prepare(answer) : answer, legend: legend?.(answer) };
  redraw(true);
}

async function showLayer({ key, computed, preload, busy }) {
  if (layers[key] && computed && !preload && !data[key]) {
    data[key] = { busy };
    showLegend();
    try {
      await fetchLayer(key);
    } catch {
      data[key] = null;
      layers[key] = false;
      space.layersChanged();
      find(".map-legend").hidden = false;
      find(".map-legend").textContent = "The layer could not be loaded. Turn it on again to retry.";
      return;
    }
  }
  showLegend();
}
