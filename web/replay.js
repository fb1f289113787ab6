// The training replay, epoch by epoch: the encoded test digits, a decoded grid, and the learning
// curves, for one model or two in step. server.story returns all the data of a model in one response;
// see training_replay.py.
const find = (name) => element.querySelector(name);
const root = find(".replay");
const slider = find(".epoch");
const DURATION = 10_000; // ms from the first epoch to the last
const MAX_EPOCH_MS = 500; // keeps a short training from playing slowly
const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
const SVG = "http://www.w3.org/2000/svg";
const CURVES = [
  { name: "recon", title: "Reconstruction error", unit: "nats", decimals: 1 },
  { name: "kl", title: "KL divergence from the prior", unit: "nats", decimals: 2, zero: true },
  { name: "beta", title: "Weight of the KL term (beta)", unit: "", decimals: 2, zero: true },
];

const replays = new Map(); // label -> unpacked replay
let panels = []; // one per model shown: { replay, parts: elements by name, description }
let plots = []; // one per curve, see plot()
let epoch = 0;
let last = 0; // the last epoch of the longer replay
let playing = null; // { frame } while playing
let colour = null; // of the current theme

// --- loading ---

const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

async function unpack(data) {
  const { points, grids } = data;
  const view = new DataView(bytes(points.xy).buffer);
  const xy = Float32Array.from(
    { length: view.byteLength / 2 },
    (_, i) => view.getInt16(2 * i, true) * points.scale,
  );
  const stream = new Blob([bytes(grids)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const images = new Uint8Array(await new Response(stream).arrayBuffer());
  return { ...data, xy, classes: bytes(points.labels), images };
}

const other = (label) => props.labels[label === props.labels[0] ? 1 : 0];

function selected() {
  const label = find(".model").value;
  return find(".compare").checked ? [label, other(label)] : [label];
}

let requests = 0;
async function show() {
  const mine = ++requests;
  const labels = selected();
  const missing = labels.filter((label) => !replays.has(label));
  if (missing.length) {
    pause();
    root.dataset.state = "loading";
  }
  try {
    for (const label of missing) replays.set(label, await unpack(await window.latentSpace.answer(server.story(label))));
  } catch {
    if (mine !== requests) return;
    root.dataset.state = "failed";
    find(".failed span").textContent = "The replay could not be loaded: the server is not responding.";
    return;
  }
  if (mine !== requests) return; // the selection has changed meanwhile
  root.dataset.state = "shown";
  root.dataset.has = "true";
  build(labels.map((label) => replays.get(label)));
}

// --- one panel per model ---

function build(shown) {
  root.classList.toggle("paired", shown.length > 1);
  const first = !panels.length;
  panels = shown.map(panel);
  find(".panels").replaceChildren(...panels.map(({ parts }) => parts.section));
  last = Math.max(...shown.map(lastOf));
  slider.max = last;
  // The map already shows the end of training, so the replay opens at the start.
  if (first) epoch = 0;
  epoch = Math.min(epoch, last);
  readColours();
  draw();
}

function panel(replay, i) {
  const section = document.createElement("section");
  section.innerHTML = `<p class="heading"><svg class="sample" viewBox="0 0 32 8" aria-hidden="true"><path class="curve" d="M0 4H32"/></svg><b></b><span></span></p>
    <div class="views">
      <figure><figcaption>Encoded ${props.info.items} <small></small></figcaption>
        <div class="frame"><canvas class="points" role="img"></canvas><canvas class="overlay" aria-hidden="true"></canvas></div></figure>
      <figure><figcaption>Decoded images <small></small></figcaption>
        <div class="frame"><canvas class="grid" role="img"></canvas></div></figure>
    </div>
    <p class="description"><span aria-live="polite"></span><small></small></p>`;
  const parts = {
    section,
    epoch: section.querySelector(".heading span"),
    points: section.querySelector(".points"),
    overlay: section.querySelector(".overlay"),
    grid: section.querySelector(".grid"),
    description: section.querySelector(".description span"),
  };
  if (i) section.querySelector(".curve").classList.add("second");
  section.querySelector(".heading b").textContent = replay.label;
  section.querySelector(".description small").textContent = replay.summary;
  const [encoded, decoded] = section.querySelectorAll("figcaption small");
  encoded.textContent = `${replay.classes.length.toLocaleString("en")} test ${props.info.items}`;
  const reach = replay.grid_reach;
  decoded.textContent = `on a grid, x and y from −${reach} to ${reach}`;
  parts.grid.width = parts.grid.height = 28 * replay.grid_side;
  return { replay, parts, description: null };
}

// --- descriptions ---

const lastOf = (replay) => replay.epochs[replay.epochs.length - 1];

// The index of the last moment kept up to an epoch: a long training keeps every second epoch, fourth ...
function momentAt({ epochs }, epoch) {
  let at = Math.min(Math.floor(epoch), epochs.length - 1);
  while (epochs[at] > epoch) at -= 1;
  return at;
}
const momentOf = (replay) => momentAt(replay, epoch);

// The share of the sampled digits within the 3σ ring.
function shareInside(replay, at) {
  const positions = positionsAt(replay, replay.epochs[at]);
  let n = 0;
  for (let i = 0; i < positions.length; i += 2) n += Math.hypot(positions[i], positions[i + 1]) <= 3;
  return (2 * n) / positions.length;
}

function describe(replay) {
  const { item, items } = props.info;
  const at = momentOf(replay);
  if (at === 0) {
    return `Before training, every ${item} is encoded near the same position, and every position decodes to the same grey image.`;
  }
  const final = replay.curves.beta[replay.epochs.length - 2];
  const now = replay.curves.beta[at - 1];
  const end = at === replay.epochs.length - 1 ? "End of training. " : "";
  const inside = shareInside(replay, at) >= 0.9;
  if (final === 0) {
    return `${end}With beta = 0 nothing pulls the ${items} toward the prior: they spread out as far as it helps the reconstruction.`;
  }
  if (now < 0.98 * final) {
    return inside
      ? `beta is still increasing: the model learns to reconstruct, and similar ${items} cluster before the prior acts at full weight.`
      : `beta is still increasing: the ${items} spread beyond the 3σ ring until the prior pulls them together.`;
  }
  return inside
    ? `${end}beta has its final value: the prior keeps the ${items} within the 3σ ring, and training refines how they share that area.`
    : `${end}beta has its final value, but it is too small to keep the ${items} within the 3σ ring: they spread out and leave empty regions between them.`;
}

function showDescriptions() {
  const betas = panels.map(({ replay }) => {
    const at = momentOf(replay);
    return at ? replay.curves.beta[at - 1].toFixed(2) : null;
  });
  const status = epoch
    ? `Epoch ${epoch} of ${last}, beta ${betas.join(" and ")}`
    : `Epoch 0 of ${last}, before training`;
  find(".now").textContent = status;
  slider.value = epoch;
  slider.setAttribute("aria-valuetext", status);
  for (const one of panels) {
    const { replay, parts } = one;
    const at = replay.epochs[momentOf(replay)];
    parts.epoch.textContent = epoch > lastOf(replay) ? `finished at epoch ${at}` : `epoch ${at}`;
    const description = describe(replay);
    // A screen reader announces every write to a live region: write only what is new.
    if (one.description !== description) parts.description.textContent = one.description = description;
    const when = at ? `after epoch ${at}` : "before training";
    parts.points.setAttribute("aria-label", `${replay.label}: encoded ${props.info.items} ${when}`);
    parts.grid.setAttribute("aria-label", `${replay.label}: grid of decoded images ${when}`);
  }
}

// --- drawing and playback ---

function draw() {
  if (!panels.length || !element.checkVisibility()) return;
  find(".plots").replaceChildren();
  plots = CURVES.map(plot);
  refresh();
}

function refresh() {
  for (const one of panels) {
    // At rest, only what was recorded: between two moments of a long training lies nothing.
    drawPoints(one, playing ? epoch : one.replay.epochs[momentOf(one.replay)]);
    drawGrid(one);
  }
  plots.forEach(mark);
  showDescriptions();
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
  const epochMs = Math.min(MAX_EPOCH_MS, DURATION / Math.max(1, last));
  const from = epoch;
  let started = null;
  const tick = (now) => {
    if (playing !== mine) return;
    // A hidden tab gets no frames: when it is shown again, the replay resumes where it was last seen.
    if (!element.checkVisibility()) return pause();
    started ??= now;
    const progress = from + (now - started) / epochMs; // in epochs
    if (Math.floor(progress) > epoch) go(Math.floor(progress));
    if (epoch >= last) return pause();
    if (!reducedMotion.matches) for (const one of panels) drawPoints(one, progress);
    mine.frame = requestAnimationFrame(tick);
  };
  mine.frame = requestAnimationFrame(tick);
}

find(".play").addEventListener("click", () => {
  if (!playing) return play();
  pause();
  refresh();
});
slider.addEventListener("input", () => {
  pause();
  go(+slider.value);
});
find(".retry").addEventListener("click", show);

// --- selection of models ---

function labelComparison() {
  find(".pair span").textContent =
    props.labels.length > 2 ? `Compare with ${other(find(".model").value)}` : "Compare side by side";
}
for (const text of props.labels) find(".model").append(new Option(text, text));
find(".models").hidden = props.labels.length < 2;
find(".model").addEventListener("change", () => {
  labelComparison();
  show();
});
find(".compare").addEventListener("change", show);
labelComparison();

// --- visibility and size ---

// A replay is about a megabyte: it is loaded only when its tab is opened. Below the fold that tab
// intersects nothing, but it does get a width.
root.dataset.state = "loading";
let opened = false;
let width = 0;
new ResizeObserver(() => {
  if (root.clientWidth === width) return;
  width = root.clientWidth;
  if (width && !opened) {
    opened = true;
    show();
  }
  if (width) draw();
}).observe(root);
new MutationObserver(() => {
  if (!panels.length) return;
  readColours();
  refresh();
}).observe(document.body, { attributeFilter: ["class"] });
