// Directions from the current position: gradient steps that change one attribute, and steps toward
// each class. Python is asked for the attributes when the position rests and the tab is open.
const space = window.latentSpace;
const find = (name) => element.querySelector(name);
const message = find(".message");
const STEP = 0.25; // length of a step toward a class, in units of the prior's sigma
const REST = 150; // ms without a move before the attributes are requested

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
    // While the previous step is still animated, the next one starts from its end.
    const from = space.goal;
    const answer = await space.answer(server.nudge(from.x, from.y, name, sign));
    message.textContent = answer.message;
    message.dataset.stopped = answer.stopped ?? "";
    // If the user has moved meanwhile, the cursor stays where they put it.
    if (space.goal.x === from.x && space.goal.y === from.y) {
      const path = answer.path.map(([x, y]) => ({ x, y }));
      space.travel([space.z, ...(path.length > 1 ? path.slice(1) : path)], 260, "nudge");
    }
  } catch {
    message.textContent = "The server is not responding. Try again.";
  }
  busy = false;
  element.dataset.busy = "false";
}

for (const { name, more, less, term } of props.attributes) {
  const row = document.createElement("div");
  row.className = "attribute";
  row.dataset.name = name;
  row.innerHTML = `<span class="term"></span>
    <button type="button" class="less"></button><b class="value">&hellip;</b>
    <button type="button" class="more"></button>`;
  row.querySelector(".term").textContent = term;
  for (const [side, text, sign] of [["less", less, -1], ["more", more, 1]]) {
    const button = row.querySelector(`.${side}`);
    button.innerHTML = `<span>${text}</span><i></i>`;
    button.addEventListener("click", () => nudge(name, sign));
  }
  find(".attributes").append(row);
}

let requests = 0;
async function request() {
  if (!element.checkVisibility()) return;
  const mine = ++requests;
  const from = { ...space.z };
  try {
    const answer = await space.answer(server.here(from.x, from.y));
    if (mine !== requests || !space.isAt(from)) return;
    for (const [name, { message: value, direction }] of Object.entries(answer.attributes)) {
      const row = find(`[data-name=${name}]`);
      row.querySelector(".value").textContent = value;
      row.querySelector(".more i").innerHTML = arrow(direction);
      row.querySelector(".less i").innerHTML = arrow(direction + 180);
    }
    find(".sensitivity").textContent = answer.message;
    element.dataset.state = "shown";
  } catch {
    element.dataset.state = "failed";
    find(".sensitivity").textContent = "The server is not responding. Move the cursor to retry.";
  }
}

// --- classes ---

find(".toward").classList.toggle("wordy", props.names.some((name) => name.length > 2));
const buttons = props.names.map((name, digit) => {
  const button = document.createElement("button");
  button.type = "button";
  button.style.setProperty("--digit", props.palette[digit]);
  button.addEventListener("click", () => {
    const from = space.goal;
    const { offset, distance } = toward(digit, from);
    const share = Math.min(1, STEP / distance) || 0;
    const goal = { x: from.x + share * offset.x, y: from.y + share * offset.y };
    space.travel([space.z, goal], 260, "nudge");
  });
  find(".toward").append(button);
  return button;
});

function toward(digit, from) {
  const [x, y] = props.anchors[space.choice("anchor") ?? "typical"][digit];
  const offset = { x: x - from.x, y: y - from.y };
  return { offset, distance: Math.hypot(offset.x, offset.y) };
}

function showDirections() {
  buttons.forEach((button, digit) => {
    const { offset, distance } = toward(digit, space.z);
    const degrees = (Math.atan2(offset.y, offset.x) * 180) / Math.PI;
    const here = distance < 0.005;
    button.innerHTML = `<b></b>${here ? "<i>•</i>" : arrow(degrees)}<span>${distance.toFixed(2)}</span>`;
    button.firstChild.textContent = props.names[digit];
    button.setAttribute(
      "aria-label",
      `Toward ${props.names[digit]}, distance ${distance.toFixed(2)}`,
    );
  });
}

// Repeats the decoded digit: the large one may be scrolled out of view.
const live = find(".live").getContext("2d");

let restTimer = 0;
function refresh() {
  if (!element.checkVisibility()) return;
  showDirections();
  window.liveDecoder.paint(live, space.z);
  element.dataset.state = "moving";
  clearTimeout(restTimer);
  restTimer = setTimeout(request, REST);
}
space.subscribe(refresh);
// Detects that the tab was opened. Below the fold it intersects nothing, but it does get a width.
new ResizeObserver(refresh).observe(element);
