// The digit decoded at the current position, and the test digits encoded nearby. While the position
// moves, this browser decodes the image within the frame; at rest, PyTorch's image, which differs by at
// most 1 of 255, replaces it. One request is in flight at a time: when it returns, the newest position is
// requested. A response for an earlier position is not painted.
const space = window.latentSpace;
const view = element.querySelector(".view");
const context = element.querySelector(".image").getContext("2d");
const find = (name) => element.querySelector(name);
const shares = find(".shares");
const frame = new ImageData(28, 28);
const grey = new Uint8ClampedArray(784);
frame.data.fill(255);

const REST = 30; // ms without a move before the exact image is requested
const DRAG_INTERVAL = 150; // ms between requests during a drag, which update text and bars
const RETRY = 500; // ms before the one retry of a failed request
const SAME_DRAG = 400; // ms: a request this soon after another belongs to the same drag

shares.style.setProperty("--classes", props.names.length);
shares.classList.toggle("wordy", props.names.some((name) => name.length > 2));
props.names.forEach((name, digit) => {
  const item = document.createElement("li");
  item.innerHTML = '<span class="bar"></span><span class="name"></span>';
  item.querySelector(".name").textContent = name;
  item.style.setProperty("--bar", props.palette[digit]);
  shares.append(item);
});

// The nearest encoded test digits; a click opens one and moves to its position.
const nearest = find(".nearest");
function showNearest({ digits, pixels }) {
  const data = atob(pixels);
  digits.forEach(({ index, name, x, y }, i) => {
    let button = nearest.children[i];
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.innerHTML = '<canvas width="28" height="28"></canvas>';
      nearest.append(button);
    }
    button.title = `Test ${props.info.item} ${index}, labelled ${name}`;
    button.setAttribute("aria-label", `Open test ${props.info.item} ${index}, ${space.article(name)}`);
    button.onclick = () => {
      space.set({ x, y }, "nearest");
      space.open(index);
    };
    const image = new ImageData(28, 28);
    for (let p = 0; p < 784; p++) {
      image.data.fill(data.charCodeAt(784 * i + p), 4 * p, 4 * p + 3);
      image.data[4 * p + 3] = 255;
    }
    button.firstChild.getContext("2d").putImageData(image, 0, 0);
  });
}

const signed = (v) => v.toFixed(3).replace("-", "−");

function paint(z, kind, ms) {
  for (let i = 0; i < 784; i++) frame.data.fill(grey[i], 4 * i, 4 * i + 3);
  context.putImageData(frame, 0, 0);
  view.dataset.x = z.x;
  view.dataset.y = z.y;
  view.dataset.kind = kind;
  find(".source").textContent =
    kind === "exact" ? `Decoded by PyTorch, ${ms.toFixed(0)} ms` : `Decoded in your browser, ${ms.toFixed(1)} ms`;
}

function describe({ support, prior, entropy, shares: values, nearest: digits }) {
  find(".support").textContent = support;
  find(".prior").textContent = prior;
  const most = Math.log2(props.names.length);
  find(".entropy").textContent = `Class entropy ${entropy.toFixed(2)} of ${most.toFixed(2)} bits`;
  if (digits) showNearest(digits);
  values.forEach((share, digit) => {
    const item = shares.children[digit];
    item.classList.toggle("some", share >= 0.05);
    item.title = `${props.names[digit]}: ${Math.round(100 * share)} %`;
    item.querySelector(".bar").style.setProperty("--share", share);
  });
}

let inFlight = false;
let pending = false; // whether to send another request when the one in flight returns
let failed = false; // whether the newest request failed
let requestedAt = 0;
let requested = null; // the position of the newest request
let withNearest = false; // whether the newest request, pending or sent, includes the nearest digits
async function request() {
  if (inFlight) return;
  inFlight = true;
  while (pending) {
    pending = false;
    const z = space.z;
    requestedAt = performance.now();
    requested = z;
    try {
      const answer = await space.answer(server.look(z.x, z.y, withNearest));
      const pixels = atob(answer.pixels);
      if (space.isAt(z)) {
        for (let i = 0; i < 784; i++) grey[i] = pixels.charCodeAt(i);
        paint(z, "exact", performance.now() - requestedAt);
      }
      describe(answer);
      space.tell({ x: z.x, y: z.y, round_trip: answer.round_trip });
      view.dataset.state = "shown";
      failed = false;
    } catch {
      // Behind a load balancer, the retry reaches another server if this one has just stopped.
      if (!failed) setTimeout(retry, RETRY, z);
      failed = true;
      view.dataset.state = "failed";
      find(".support").textContent = "The server is not responding. Move the cursor to retry.";
    }
  }
  inFlight = false;
}

function retry(z) {
  pending ||= space.isAt(z);
  request();
}

let restTimer = 0;
space.subscribe((z) => {
  find(".x").textContent = signed(z.x);
  find(".y").textContent = signed(z.y);
  if (window.liveDecoder.ready) {
    const started = performance.now();
    window.liveDecoder.decode(z, grey);
    paint(z, "browser", performance.now() - started);
  }
  const known = () => requested && space.isAt(requested) && view.dataset.state !== "failed";
  // During a drag the nearest digits would only flicker, and they are most of the response's bytes.
  const update = (resting) => {
    const since = performance.now() - requestedAt;
    if (known() && (withNearest || !resting)) return;
    withNearest = resting || since > SAME_DRAG;
    pending = true;
    request();
  };
  clearTimeout(restTimer);
  restTimer = setTimeout(update, REST, true);
  if (performance.now() - requestedAt > DRAG_INTERVAL) update(false);
});

// Test digits are opened here: Gradio creates the tab that shows them only when it is first selected.
let opened = 0;
space.subscribe(async (z, { index, move }) => {
  const mine = ++opened;
  let answer = { error: "The server is not responding. Try again." };
  try {
    answer = await space.answer(server.test_digit(index));
  } catch {}
  if (mine !== opened) return;
  space.showReading(answer);
  if (move && !answer.error) space.travel([space.z, { x: answer.mu[0], y: answer.mu[1] }], 400, "open");
}, "open");
