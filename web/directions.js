// What leads on from the current position: attributes that a nudge changes, and the digits around. The
// answers of Python are asked for when the position rests and the tab is open.
const space = window.latentSpace;
const find = (name) => element.querySelector(name);
const told = find(".told");
const STRIDE = 0.25; // toward a digit, in units of the prior's sigma
const REST = 150; // ms without a move after which the attributes here are asked for

function arrow(degrees) {
  return `<svg class="arrow" viewBox="-10 -10 20 20" width="20" height="20" aria-hidden="true"
    style="transform: rotate(${-degrees}deg)"><path d="M-8 0H7M2-5L7 0L2 5"/></svg>`;
}

// --- attributes ---

let busy = false;
async function nudge(name, sign) {
  if (busy) return;
  busy = true;
  element.dataset.busy = "true";
  try {
    // A press while the one before is still being followed goes on from its end.
    const from = space.goal;
    const answer = await space.answer(server.nudge(from.x, from.y, name, sign));
    told.textContent = answer.message;
    told.dataset.stopped = answer.stopped ?? "";
    // A person who moved on meanwhile is not called back.
    if (space.goal.x === from.x && space.goal.y === from.y) {
      const path = answer.path.map(([x, y]) => ({ x, y }));
      space.travel([space.z, ...(path.length > 1 ? path.slice(1) : path)], 260, "nudge");
    }
  } catch {
    told.textContent = "The server does not answer. Try again.";
  }
  busy = false;
  element.dataset.busy = "false";
}

for (const { name, more, less, term } of props.attributes) {
  const made = document.createElement("div");
  made.className = "attribute";
  made.dataset.name = name;
  made.innerHTML = `<span class="term"></span>
    <button type="button" class="less"></button><b class="value">&hellip;</b>
    <button type="button" class="more"></button>`;
  made.querySelector(".term").textContent = term;
  for (const [side, text, sign] of [["less", less, -1], ["more", more, 1]]) {
    const button = made.querySelector(`.${side}`);
    button.innerHTML = `<span>${text}</span><i></i>`;
    button.addEventListener("click", () => nudge(name, sign));
  }
  find(".attributes").append(made);
}

let asked = 0;
async function ask() {
  if (!element.checkVisibility()) return;
  const mine = ++asked;
  const from = { ...space.z };
  try {
    const answer = await space.answer(server.here(from.x, from.y));
    if (mine !== asked || !space.isAt(from)) return;
    for (const [name, { message: value, direction }] of Object.entries(answer.attributes)) {
      const made = find(`[data-name=${name}]`);
      made.querySelector(".value").textContent = value;
      made.querySelector(".more i").innerHTML = arrow(direction);
      made.querySelector(".less i").innerHTML = arrow(direction + 180);
    }
    find(".sensitivity").textContent = answer.message;
    element.dataset.state = "shown";
  } catch {
    element.dataset.state = "failed";
    find(".sensitivity").textContent = "The server does not answer. Move on to try again.";
  }
}

// --- digits ---

find(".toward").classList.toggle("wordy", props.names.some((name) => name.length > 2));
const chips = props.names.map((name, digit) => {
  const button = document.createElement("button");
  button.type = "button";
  button.style.setProperty("--digit", props.palette[digit]);
  button.addEventListener("click", () => {
    const from = space.goal;
    const { way, distance } = toward(digit, from);
    const share = Math.min(1, STRIDE / distance) || 0;
    const goal = { x: from.x + share * way.x, y: from.y + share * way.y };
    space.travel([space.z, goal], 260, "nudge");
  });
  find(".toward").append(button);
  return button;
});

function toward(digit, from) {
  const [x, y] = props.anchors[space.choice("anchor") ?? "typical"][digit];
  const way = { x: x - from.x, y: y - from.y };
  return { way, distance: Math.hypot(way.x, way.y) };
}

function point() {
  chips.forEach((button, digit) => {
    const { way, distance } = toward(digit, space.z);
    const degrees = (Math.atan2(way.y, way.x) * 180) / Math.PI;
    const here = distance < 0.005;
    button.innerHTML = `<b></b>${here ? "<i>•</i>" : arrow(degrees)}<span>${distance.toFixed(2)}</span>`;
    button.firstChild.textContent = props.names[digit];
    button.setAttribute(
      "aria-label",
      `Toward ${props.names[digit]}, ${distance.toFixed(2)} away`,
    );
  });
}

// The same digit as on the first screen, which is out of sight while one presses buttons down here.
const live = find(".live").getContext("2d");

let resting = 0;
function refresh() {
  if (!element.checkVisibility()) return;
  point();
  window.decoderTable.paint(live, space.z);
  element.dataset.state = "moving";
  clearTimeout(resting);
  resting = setTimeout(ask, REST);
}
space.subscribe(refresh);
// The tab was opened: below the fold it intersects nothing, but it gets a width.
new ResizeObserver(refresh).observe(element);
