// The points and the pictures of the replay; replay.js follows in the same scope.

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

// Where each sampled digit lies `t` of the way from one epoch to the next: x, y, x, y ...
function placesAt({ xy, classes, epochs }, from, t) {
  const wide = 2 * classes.length;
  const [a, b] = [from, from + 1].map((e) => wide * Math.min(e, epochs - 1));
  return Float32Array.from({ length: wide }, (_, i) => xy[a + i] + t * (xy[b + i] - xy[a + i]));
}

// As the discs of the big map. Before training all homes are one: from a small circle they part to
// all sides.
function apart(homes, distance) {
  const start = homes.map((p) => {
    const angle = (2 * Math.PI * p.digit) / props.names.length;
    return { px: p.px + Math.cos(angle), py: p.py + Math.sin(angle) };
  });
  return window.apart(start, distance, 40);
}

function label(context, text, px, py) {
  context.lineWidth = 4;
  context.strokeStyle = colour.ground;
  context.strokeText(text, px, py);
  context.fillStyle = colour.quiet;
  context.fillText(text, px, py);
}

function drawPoints({ story, made }, from, t) {
  const side = made.points.clientWidth;
  if (!side) return;
  // Two models side by side have one scale.
  const range = Math.max(...panels.map((one) => one.story.range));
  const dot = Math.max(3, side / 110);
  const inside = (px) => Math.min(side - dot / 2, Math.max(dot / 2, px));
  const places = placesAt(story, from, t);
  const toX = (x) => ((x + range) / (2 * range)) * side;
  const toY = (y) => ((range - y) / (2 * range)) * side;

  const points = fit(made.points, side);
  points.globalAlpha = 0.75;
  const sums = Array.from({ length: props.names.length }, () => ({ x: 0, y: 0, n: 0 }));
  let beyond = 0;
  story.classes.forEach((digit, i) => {
    const [x, y] = [places[2 * i], places[2 * i + 1]];
    const sum = sums[digit];
    sum.x += x;
    sum.y += y;
    sum.n += 1;
    if (Math.abs(x) > range || Math.abs(y) > range) beyond += 1;
    points.fillStyle = props.palette[digit];
    points.fillRect(inside(toX(x)) - dot / 2, inside(toY(y)) - dot / 2, dot, dot);
  });

  const over = fit(made.over, side);
  over.font = "12px system-ui, sans-serif";
  over.textAlign = "center";
  over.textBaseline = "middle";
  const unit = side / (2 * range);
  for (const sigma of [1, 2, 3]) {
    over.strokeStyle = colour.quiet;
    over.lineWidth = 1;
    over.setLineDash([5, 5]);
    over.beginPath();
    over.arc(side / 2, side / 2, sigma * unit, 0, 2 * Math.PI);
    over.stroke();
    over.setLineDash([]);
    const reach = side / 2 + sigma * unit * Math.SQRT1_2;
    if (sigma === 3 || unit > 26) label(over, `${sigma}σ`, reach, reach);
  }
  if (side > 240) {
    label(over, "x (z₁)", side - 26, side - 14);
    label(over, "y (z₂)", 28, 14);
  }
  if (beyond) {
    over.textAlign = "right";
    label(over, `${beyond} beyond the edge`, side - 10, 14);
  }
  drawNumerals(over, side, sums, toX, toY);
}

function drawNumerals(context, side, sums, toX, toY) {
  const radius = side < 240 ? 7 : side < 360 ? 9 : 11;
  const inside = (px) => Math.min(side - radius - 2, Math.max(radius + 2, px));
  const homes = [];
  sums.forEach(({ x, y, n }, digit) => {
    if (n) homes.push({ digit, px: inside(toX(x / n)), py: inside(toY(y / n)) });
  });
  context.textAlign = "center";
  context.font = `700 ${radius + 2}px system-ui, sans-serif`;
  apart(homes, 2 * radius + 4).forEach((p, i) => {
    const home = homes[i];
    const [px, py] = [inside(p.px), inside(p.py)];
    context.lineWidth = 2;
    context.strokeStyle = props.palette[home.digit];
    context.beginPath();
    context.moveTo(home.px, home.py);
    context.lineTo(px, py);
    context.stroke();
    context.beginPath();
    context.arc(px, py, radius, 0, 2 * Math.PI);
    context.fillStyle = colour.ground;
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = props.palette[home.digit];
    context.stroke();
    context.fillStyle = colour.ink;
    // A name that is no numeral stands beside its disc.
    const name = props.names[home.digit];
    if (name.length > 2) label(context, name, px, py + radius + 8);
    else context.fillText(name, px, py + 1);
  });
}

// --- pictures ---

// Ink on the map's ground: how much of it lies on a pixel is what the decoder gives there.
function drawGrid({ story, made }) {
  const side = story.grid_side;
  const wide = 28 * side;
  const image = new ImageData(wide, wide);
  image.data.fill(colour.bright);
  const start = Math.min(epoch, story.epochs - 1) * wide * wide;
  for (let cell = 0; cell < side * side; cell++) {
    const [row, column] = [Math.floor(cell / side), cell % side];
    for (let i = 0; i < 784; i++) {
      const at = (row * 28 + Math.floor(i / 28)) * wide + column * 28 + (i % 28);
      image.data[4 * at + 3] = story.pictures[start + 784 * cell + i];
    }
  }
  made.grid.getContext("2d").putImageData(image, 0, 0);
}
