// The encoded points and the decoded images of the replay; replay.js follows in the same scope.

// --- points ---

function readColours() {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim();
  colour = {
    ink: read("--ink"),
    quiet: read("--quiet"),
    line: read("--line"),
    ground: read("--map-ground"),
    bright: document.body.classList.contains("dark") ? 255 : 0,
  };
}

function fit(canvas, side) {
  const ratio = window.devicePixelRatio || 1;
  const size = Math.round(side * ratio);
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.setTransform(size / side, 0, 0, size / side, 0, 0);
  context.clearRect(0, 0, side, side);
  return context;
}

// The positions of the sampled digits at an epoch, fractions included, as x, y, x, y ...; interpolated
// between the moments before and after it.
function positionsAt(replay, epoch) {
  const { xy, classes, epochs } = replay;
  const length = 2 * classes.length;
  const from = momentAt(replay, epoch);
  const to = Math.min(from + 1, epochs.length - 1);
  const t = to > from ? (epoch - epochs[from]) / (epochs[to] - epochs[from]) : 0;
  const [a, b] = [length * from, length * to];
  return Float32Array.from({ length }, (_, i) => xy[a + i] + t * (xy[b + i] - xy[a + i]));
}

// Separates the labels as on the main map. Before training all centroids coincide: starting on a small
// circle sends the labels in different directions.
function separate(centroids, distance) {
  const start = centroids.map((p) => {
    const angle = (2 * Math.PI * p.digit) / props.names.length;
    return { px: p.px + Math.cos(angle), py: p.py + Math.sin(angle) };
  });
  return window.apart(start, distance, 40);
}

function drawText(context, text, px, py) {
  context.lineWidth = 4;
  context.strokeStyle = colour.ground;
  context.strokeText(text, px, py);
  context.fillStyle = colour.quiet;
  context.fillText(text, px, py);
}

function drawPoints({ replay, parts }, epoch) {
  const side = parts.points.clientWidth;
  if (!side) return;
  // Models side by side share one scale.
  const range = Math.max(...panels.map((one) => one.replay.range));
  const dot = Math.max(3, side / 110);
  const inside = (px) => Math.min(side - dot / 2, Math.max(dot / 2, px));
  const positions = positionsAt(replay, epoch);
  const toX = (x) => ((x + range) / (2 * range)) * side;
  const toY = (y) => ((range - y) / (2 * range)) * side;

  const points = fit(parts.points, side);
  points.globalAlpha = 0.75;
  const sums = Array.from({ length: props.names.length }, () => ({ x: 0, y: 0, n: 0 }));
  let outside = 0;
  replay.classes.forEach((digit, i) => {
    const [x, y] = [positions[2 * i], positions[2 * i + 1]];
    const sum = sums[digit];
    sum.x += x;
    sum.y += y;
    sum.n += 1;
    if (Math.abs(x) > range || Math.abs(y) > range) outside += 1;
    points.fillStyle = props.palette[digit];
    points.fillRect(inside(toX(x)) - dot / 2, inside(toY(y)) - dot / 2, dot, dot);
  });

  const overlay = fit(parts.overlay, side);
  overlay.font = "12px system-ui, sans-serif";
  overlay.textAlign = "center";
  overlay.textBaseline = "middle";
  const unit = side / (2 * range);
  for (const sigma of [1, 2, 3]) {
    overlay.strokeStyle = colour.quiet;
    overlay.lineWidth = 1;
    overlay.setLineDash([5, 5]);
    overlay.beginPath();
    overlay.arc(side / 2, side / 2, sigma * unit, 0, 2 * Math.PI);
    overlay.stroke();
    overlay.setLineDash([]);
    const reach = side / 2 + sigma * unit * Math.SQRT1_2;
    if (sigma === 3 || unit > 26) drawText(overlay, `${sigma}σ`, reach, reach);
  }
  if (side > 240) {
    drawText(overlay, "x (z₁)", side - 26, side - 14);
    drawText(overlay, "y (z₂)", 28, 14);
  }
  if (outside) {
    overlay.textAlign = "right";
    drawText(overlay, `${outside} outside the view`, side - 10, 14);
  }
  drawLabels(overlay, side, sums, toX, toY);
}

function drawLabels(context, side, sums, toX, toY) {
  const radius = side < 240 ? 7 : side < 360 ? 9 : 11;
  const inside = (px) => Math.min(side - radius - 2, Math.max(radius + 2, px));
  const centroids = [];
  sums.forEach(({ x, y, n }, digit) => {
    if (n) centroids.push({ digit, px: inside(toX(x / n)), py: inside(toY(y / n)) });
  });
  context.textAlign = "center";
  context.font = `700 ${radius + 2}px system-ui, sans-serif`;
  separate(centroids, 2 * radius + 4).forEach((p, i) => {
    const centroid = centroids[i];
    const [px, py] = [inside(p.px), inside(p.py)];
    context.lineWidth = 2;
    context.strokeStyle = props.palette[centroid.digit];
    context.beginPath();
    context.moveTo(centroid.px, centroid.py);
    context.lineTo(px, py);
    context.stroke();
    context.beginPath();
    context.arc(px, py, radius, 0, 2 * Math.PI);
    context.fillStyle = colour.ground;
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = props.palette[centroid.digit];
    context.stroke();
    context.fillStyle = colour.ink;
    // Long names do not fit into the disc.
    const name = props.names[centroid.digit];
    if (name.length > 2) drawText(context, name, px, py + radius + 8);
    else context.fillText(name, px, py + 1);
  });
}

// --- decoded images ---

// Draws the decoder's output as opacity, so that images blend into the map's background.
function drawGrid({ replay, parts }) {
  const side = replay.grid_side;
  const width = 28 * side;
  const image = new ImageData(width, width);
  image.data.fill(colour.bright);
  const start = momentOf(replay) * width * width;
  for (let cell = 0; cell < side * side; cell++) {
    const [row, column] = [Math.floor(cell / side), cell % side];
    for (let i = 0; i < 784; i++) {
      const at = (row * 28 + Math.floor(i / 28)) * width + column * 28 + (i % 28);
      image.data[4 * at + 3] = replay.images[start + 784 * cell + i];
    }
  }
  parts.grid.getContext("2d").putImageData(image, 0, 0);
}
