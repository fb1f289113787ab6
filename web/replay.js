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
      <figure><figcaption>Where the ${props.info.items} lie <small></small></figcaption>
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
  lie.textContent = `${story.classes.length.toLocaleString("en")} test ${props.info.items}, encoded`;
  const reach = story.grid_reach;
  draws.textContent = `decoded, x and y from −${reach} to ${reach}`;
  made.grid.width = made.grid.height = 28 * story.grid_side;
  return { story, made, said: null };
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
    return `Before training, nothing is learned: all ${props.info.items} lie on one spot, and every place draws the same grey.`;
  }
  const final = story.curves.beta[story.epochs - 2];
  const now = story.curves.beta[at - 1];
  const end = at === story.epochs - 1 ? "Training ends here. " : "";
  const held = within(story, at) >= 0.9;
  if (final === 0) {
    return `${end}beta is 0: nothing pulls the ${props.info.items} to the rings, so they spread as far as tells them apart.`;
  }
  if (now < 0.98 * final) {
    return held
      ? `beta is still rising: the ${props.info.items} find their shapes and their neighbours before the prior pulls at full weight.`
      : `beta is still rising: the ${props.info.items} find their shapes and spread beyond the rings before the prior pulls them together.`;
  }
  return held
    ? `${end}beta is at its full weight: the prior holds the ${props.info.items} within the rings, and what is left to learn is to use that room well.`
    : `${end}beta is at its full weight, but too light to hold the ${props.info.items} within the rings: they spread, with empty ground between them.`;
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
    made.points.setAttribute("aria-label", `${story.label}: the encoded ${props.info.items} ${where}`);
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
