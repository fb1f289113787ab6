// How a model was learned, epoch by epoch: where the test digits lay, what each place drew, and the
// curves of the training. One model, or two in step. All of it is drawn from what server.story gives once
// a label; see training_story.Story.story.
const find = (name) => element.querySelector(name);
const root = find(".replay");
const scrubber = find(".epoch");
const WHOLE = 10_000; // ms that playing from end to end takes
const SLOWEST = 500; // ms an epoch at most: a short training does not drag
const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");
const SVG = "http://www.w3.org/2000/svg";
const CURVES = [
  { name: "recon", title: "Picture error (reconstruction)", unit: "nats", decimals: 1 },
  { name: "kl", title: "Distance from the prior (KL)", unit: "nats", decimals: 2, zero: true },
  { name: "beta", title: "Weight of the prior (beta)", unit: "", decimals: 2, zero: true },
];

const stories = new Map(); // label -> story, unpacked
let panels = []; // of the models shown: { story, made: elements by name, said }
let plots = []; // one a curve: { spec, value, svg, x, y }
let epoch = 0;
let last = 0; // the last epoch of the longer one
let playing = null; // { frame } while it plays
let colour = null; // of the theme

// --- fetching ---

const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

async function unpack(told) {
  const { points, grids } = told;
  const view = new DataView(bytes(points.xy).buffer);
  const xy = Float32Array.from(
    { length: view.byteLength / 2 },
    (_, i) => view.getInt16(2 * i, true) * points.scale,
  );
  const stream = new Blob([bytes(grids)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const pictures = new Uint8Array(await new Response(stream).arrayBuffer());
  return { ...told, xy, classes: bytes(points.labels), pictures };
}

const other = (label) => props.labels[label === props.labels[0] ? 1 : 0];

function chosen() {
  const label = find(".model").value;
  return find(".beside").checked ? [label, other(label)] : [label];
}

let asked = 0;
async function show() {
  const mine = ++asked;
  const labels = chosen();
  const missing = labels.filter((label) => !stories.has(label));
  if (missing.length) {
    pause();
    root.dataset.state = "waiting";
  }
  try {
    for (const label of missing) stories.set(label, await unpack(await window.latentSpace.answer(server.story(label))));
  } catch {
    if (mine !== asked) return;
    root.dataset.state = "failed";
    find(".failed span").textContent = "The replay did not arrive: the server does not answer.";
    return;
  }
  if (mine !== asked) return; // another choice was made meanwhile
  root.dataset.state = "shown";
  root.dataset.has = "true";
  build(labels.map((label) => stories.get(label)));
}

// --- what is on the page for the models shown ---

function build(shown) {
  root.classList.toggle("paired", shown.length > 1);
  const first = !panels.length;
  panels = shown.map(panel);
  find(".panels").replaceChildren(...panels.map(({ made }) => made.whole));
  last = Math.max(...shown.map((story) => story.epochs)) - 1;
  scrubber.max = last;
  // The end of the story is what the person knows from the map: it is told from the beginning.
  if (first) epoch = 0;
  epoch = Math.min(epoch, last);
  readColours();
  draw();
}

function panel(story, i) {
  const whole = document.createElement("section");
  whole.innerHTML = `<p class="which"><svg class="sample" viewBox="0 0 32 8" aria-hidden="true"><path class="curve" d="M0 4H32"/></svg><b></b><span></span></p>
    <div class="views">
      <figure><figcaption>Where the digits lie <small></small></figcaption>
        <div class="frame"><canvas class="points" role="img"></canvas><canvas class="over" aria-hidden="true"></canvas></div></figure>
      <figure><figcaption>What each place draws <small></small></figcaption>
        <div class="frame"><canvas class="grid" role="img"></canvas></div></figure>
    </div>
    <p class="about"><span aria-live="polite"></span><small></small></p>`;
  const made = { whole };
  for (const name of ["points", "over", "grid", "which span", "about span"]) {
    made[name.split(" ")[0]] = whole.querySelector(`.${name}`);
  }
  if (i) whole.querySelector(".curve").classList.add("second");
  whole.querySelector(".which b").textContent = story.label;
  whole.querySelector(".about small").textContent = story.summary;
  const [lie, draws] = whole.querySelectorAll("figcaption small");
  lie.textContent = `${story.classes.length.toLocaleString("en")} test digits, encoded`;
  const reach = story.grid_reach;
  draws.textContent = `decoded, x and y from −${reach} to ${reach}`;
  made.grid.width = made.grid.height = 28 * story.grid_side;
  return { story, made, said: null };
}

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

// As the discs of the big map: those that would cover each other are moved until they do not.
function apart(homes, distance) {
  // Before training all homes are one: from a small circle they part to all sides.
  const placed = homes.map((p) => {
    const angle = (2 * Math.PI * p.digit) / 10;
    return { px: p.px + Math.cos(angle), py: p.py + Math.sin(angle) };
  });
  for (let round = 0; round < 40; round++) {
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
  const sums = Array.from({ length: 10 }, () => ({ x: 0, y: 0, n: 0 }));
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
    context.fillText(props.names[home.digit], px, py + 1);
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

// --- curves ---

function drawing(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// Round steps of which two to four fit between the ends.
function ticks(low, high) {
  const rough = (high - low) / 2.5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const made = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) made.push(i * step);
  return made;
}

// Drawn at the size at which it is shown, so that its text is as large as the page's.
function plot(spec) {
  const made = document.createElement("div");
  made.className = "plot";
  made.dataset.curve = spec.name;
  made.innerHTML = `<p><span></span></p>`;
  made.querySelector("span").textContent = spec.title;
  const values = panels.map((_, i) => {
    const value = document.createElement("b");
    if (panels.length > 1) {
      const sample = drawing("svg", { class: "sample", viewBox: "0 0 24 8", "aria-hidden": true });
      sample.append(drawing("path", { class: i ? "curve second" : "curve", d: "M0 4H24" }));
      value.append(sample);
    }
    value.append(document.createElement("i"));
    made.querySelector("p").append(value);
    return value.lastChild;
  });
  find(".plots").append(made);

  const wide = Math.max(160, made.clientWidth);
  const [high, left, right, top, bottom] = [104, 38, 10, 7, 21];
  const svg = drawing("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img" });
  svg.append(drawing("title", {}, `${spec.title} over the epochs`));
  const all = panels.flatMap(({ story }) => story.curves[spec.name]);
  const low = spec.zero ? 0 : Math.min(...all);
  const most = Math.max(...all);
  const top_ = most > low ? most : low + 1;
  const x = (e) => left + (e / Math.max(1, last)) * (wide - left - right);
  const y = (v) => high - bottom - ((v - low) / (top_ - low)) * (high - bottom - top);
  for (const value of ticks(low, top_)) {
    const text = +value.toFixed(6);
    svg.append(drawing("path", { class: "rule", d: `M${left} ${y(value)}H${wide - right}` }));
    svg.append(drawing("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, text));
  }
  const steps = ticks(0, last).filter(Number.isInteger);
  for (const e of steps) {
    const at = e ? { x: x(e), "text-anchor": "middle" } : { x: left - 3 };
    svg.append(drawing("text", { ...at, y: high - 3 }, e || "epoch 0"));
  }
  panels.forEach(({ story }, i) => {
    const places = story.curves[spec.name].map((v, e) => `${x(e + 1).toFixed(1)} ${y(v).toFixed(1)}`);
    svg.append(drawing("path", { class: i ? "curve second" : "curve", d: `M${places.join("L")}` }));
  });
  const marker = drawing("path", { class: "marker" });
  const dots = panels.map(() => drawing("circle", { r: 4.5 }));
  svg.append(marker, ...dots);
  made.append(svg);
  return { spec, values, marker, dots, x, y, line: (e) => `M${x(e).toFixed(1)} ${top}V${high - bottom}` };
}

function mark({ spec, values, marker, dots, x, y, line }) {
  marker.setAttribute("d", line(epoch));
  panels.forEach(({ story }, i) => {
    const at = Math.min(epoch, story.epochs - 1);
    const value = story.curves[spec.name][at - 1];
    dots[i].style.display = at ? "" : "none";
    values[i].textContent = at ? [value.toFixed(spec.decimals), spec.unit].join(" ").trim() : "–";
    if (!at) return;
    dots[i].setAttribute("cx", x(at).toFixed(1));
    dots[i].setAttribute("cy", y(value).toFixed(1));
  });
}

// --- words ---

// Of the sampled digits at an epoch, the share within the 3σ ring.
function within(story, at) {
  const places = placesAt(story, at, 0);
  let n = 0;
  for (let i = 0; i < places.length; i += 2) n += Math.hypot(places[i], places[i + 1]) <= 3;
  return (2 * n) / places.length;
}

function words(story) {
  const at = Math.min(epoch, story.epochs - 1);
  if (at === 0) {
    return "Before training, nothing is learned: all digits lie on one spot, and every place draws the same grey.";
  }
  const final = story.curves.beta[story.epochs - 2];
  const now = story.curves.beta[at - 1];
  const end = at === story.epochs - 1 ? "Training ends here. " : "";
  const held = within(story, at) >= 0.9;
  if (final === 0) {
    return `${end}beta is 0: nothing pulls the digits to the rings, so they spread as far as tells them apart.`;
  }
  if (now < 0.98 * final) {
    return held
      ? `beta is still rising: the digits find their shapes and their neighbours before the prior pulls at full weight.`
      : `beta is still rising: the digits find their shapes and spread beyond the rings before the prior pulls them together.`;
  }
  return held
    ? `${end}beta is at its full weight: the prior holds the digits within the rings, and what is left to learn is to use that room well.`
    : `${end}beta is at its full weight, but too light to hold the digits within the rings: they spread, with empty ground between them.`;
}

function tell() {
  const betas = panels.map(({ story }) => {
    const at = Math.min(epoch, story.epochs - 1);
    return at ? story.curves.beta[at - 1].toFixed(2) : null;
  });
  const told = epoch
    ? `epoch ${epoch} of ${last}: beta ${betas.join(" and ")}`
    : `epoch 0 of ${last}: before training`;
  find(".now").textContent = told;
  scrubber.value = epoch;
  scrubber.setAttribute("aria-valuetext", told);
  for (const one of panels) {
    const { story, made } = one;
    const at = Math.min(epoch, story.epochs - 1);
    made.which.textContent = at < epoch ? `stays at its last epoch, ${at}` : `epoch ${at}`;
    const said = words(story);
    // A live region speaks whenever it is written to: only another stage is news.
    if (one.said !== said) made.about.textContent = one.said = said;
    const where = at ? `after epoch ${at}` : "before training";
    made.points.setAttribute("aria-label", `${story.label}: the encoded digits ${where}`);
    made.grid.setAttribute("aria-label", `${story.label}: the decoded grid ${where}`);
  }
}

// --- drawing it all, and playing ---

function draw() {
  if (!panels.length || !element.checkVisibility()) return;
  find(".plots").replaceChildren();
  plots = CURVES.map(plot);
  refresh();
}

function refresh() {
  for (const one of panels) {
    drawPoints(one, epoch, 0);
    drawGrid(one);
  }
  plots.forEach(mark);
  tell();
  root.dataset.epoch = epoch;
}

function go(to) {
  epoch = Math.min(last, Math.max(0, to));
  refresh();
}

function pause() {
  if (playing) cancelAnimationFrame(playing.frame);
  playing = null;
  root.dataset.playing = "false";
  find(".play").textContent = "▶ Play";
}

function play() {
  if (epoch >= last) go(0);
  const mine = { frame: 0 };
  playing = mine;
  root.dataset.playing = "true";
  find(".play").textContent = "❚❚ Pause";
  const each = Math.min(SLOWEST, WHOLE / Math.max(1, last));
  const from = epoch;
  let started = null;
  const tick = (now) => {
    if (playing !== mine) return;
    // In a tab that was left the frames stop; where it went on since nobody saw.
    if (!element.checkVisibility()) return pause();
    started ??= now;
    const gone = from + (now - started) / each;
    if (Math.floor(gone) > epoch) go(Math.floor(gone));
    if (epoch >= last) return pause();
    if (!STILL.matches) for (const one of panels) drawPoints(one, epoch, gone - epoch);
    mine.frame = requestAnimationFrame(tick);
  };
  mine.frame = requestAnimationFrame(tick);
}

find(".play").addEventListener("click", () => {
  if (!playing) return play();
  pause();
  refresh();
});
scrubber.addEventListener("input", () => {
  pause();
  go(+scrubber.value);
});
find(".retry").addEventListener("click", show);

// --- models ---

function nameOther() {
  find(".pair span").textContent =
    props.labels.length > 2 ? `beside ${other(find(".model").value)}` : "beside the other one";
}
for (const text of props.labels) find(".model").append(new Option(text, text));
find(".models").hidden = props.labels.length < 2;
find(".model").addEventListener("change", () => {
  nameOther();
  show();
});
find(".beside").addEventListener("change", show);
nameOther();

// --- when it is seen, and how large ---

// The story is a megabyte: only who opens this part of the page fetches it. A tab that opens below the
// fold intersects nothing, but it gets a width.
root.dataset.state = "waiting";
let fetched = false;
let width = 0;
new ResizeObserver(() => {
  if (root.clientWidth === width) return;
  width = root.clientWidth;
  if (width && !fetched) {
    fetched = true;
    show();
  }
  if (width) draw();
}).observe(root);
new MutationObserver(() => {
  if (!panels.length) return;
  readColours();
  refresh();
}).observe(document.body, { attributeFilter: ["class"] });
