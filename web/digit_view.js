// The digit at the current position and what is known there. While the position moves, the picture
// comes from the table of decodings, within the frame; once it rests, PyTorch's own replaces it. One
// request is in flight at a time; when it returns, the newest position is asked for, and an answer
// for a place that was left meanwhile is not painted.
const space = window.latentSpace;
const view = element.querySelector(".view");
const context = element.querySelector(".picture").getContext("2d");
const find = (name) => element.querySelector(name);
const shares = find(".shares");
const frame = new ImageData(28, 28);
const grey = new Uint8ClampedArray(784);
frame.data.fill(255);

const REST = 30; // ms without a move after which the exact picture is asked for
const MEANWHILE = 150; // ms between questions during a long drag, for the words and bars
const RETRY = 500; // ms after which a question that got no answer is asked once more
const AGAIN = 400; // ms after a question within which another is part of the same drag

shares.style.setProperty("--classes", props.names.length);
shares.classList.toggle("wordy", props.names.some((name) => name.length > 2));
props.names.forEach((name, digit) => {
  const item = document.createElement("li");
  item.innerHTML = '<span class="bar"></span><span class="name"></span>';
  item.querySelector(".name").textContent = name;
  item.style.setProperty("--bar", props.palette[digit]);
  shares.append(item);
});

// The real digits encoded nearest to here; a click opens one and goes to its place.
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
  find(".kind").textContent =
    kind === "exact" ? `exact: PyTorch, ${ms.toFixed(0)} ms` : `from the table, ${ms.toFixed(1)} ms`;
}

function tell(answer) {
  find(".verdict").textContent = answer.support;
  find(".depth").textContent = answer.prior;
  find(".entropy").textContent = `Undecided by ${answer.entropy.toFixed(2)} bits of ${Math.log2(props.names.length).toFixed(2)} (entropy).`;
  if (answer.nearest) showNearest(answer.nearest);
  answer.shares.forEach((share, digit) => {
    const item = shares.children[digit];
    item.classList.toggle("some", share >= 0.05);
    item.title = `${props.names[digit]}: ${Math.round(100 * share)} %`;
    item.querySelector(".bar").style.setProperty("--share", share);
  });
}

let asking = false;
let wanted = false;
let failed = false; // whether the newest question was not answered
let askedAt = 0;
let askedFor = null; // the position of the newest question
let full = false; // whether the next question, then the newest, is for the real digits too
async function ask() {
  if (asking) return;
  asking = true;
  while (wanted) {
    wanted = false;
    const z = space.z;
    askedAt = performance.now();
    askedFor = z;
    try {
      const answer = await space.answer(server.look(z.x, z.y, full));
      const pixels = atob(answer.pixels);
      if (space.isAt(z)) {
        for (let i = 0; i < 784; i++) grey[i] = pixels.charCodeAt(i);
        paint(z, "exact", performance.now() - askedAt);
      }
      tell(answer);
      space.tell({ x: z.x, y: z.y, round_trip: answer.round_trip });
      view.dataset.state = "shown";
      failed = false;
    } catch (error) {
      // Of several servers the one that was asked may just have ended: another takes over.
      if (!failed) setTimeout(retry, RETRY, z);
      failed = true;
      view.dataset.state = "failed";
      find(".verdict").textContent = "The server does not answer. Move again to retry.";
    }
  }
  asking = false;
}

function retry(z) {
  wanted ||= space.isAt(z);
  ask();
}

let resting = 0;
space.subscribe((z) => {
  find(".x").textContent = signed(z.x);
  find(".y").textContent = signed(z.y);
  if (window.decoderTable.ready) {
    const started = performance.now();
    window.decoderTable.decode(z, grey);
    paint(z, "table", performance.now() - started);
  }
  const known = () => askedFor && space.isAt(askedFor) && view.dataset.state !== "failed";
  // In a drag the real digits would flicker by, and they are most of the answer's bytes.
  const soon = (rest) => {
    const since = performance.now() - askedAt;
    if (known() && (full || !rest)) return;
    full = rest || since > AGAIN;
    wanted = true;
    ask();
  };
  clearTimeout(resting);
  resting = setTimeout(soon, REST, true);
  if (performance.now() - askedAt > MEANWHILE) soon(false);
});

// A test digit is opened here, since the tab that tells of it is made only when it is first chosen.
let opened = 0;
space.subscribe(async (z, { index, move }) => {
  const mine = ++opened;
  let answer = { error: "The server does not answer. Try again." };
  try {
    answer = await space.answer(server.test_digit(index));
  } catch {}
  if (mine !== opened) return;
  space.showReading(answer);
  if (move && !answer.error) space.travel([space.z, { x: answer.mu[0], y: answer.mu[1] }], 400, "open");
}, "open");
