// One lesson at a time. Progress is kept in the page only. When the position rests and the tab is
// open, Python checks the current lesson there and says how close the position is to solving it.
const space = window.latentSpace;
const find = (name) => element.querySelector(name);
const root = find(".lessons");
const message = find(".message");
const bar = find(".bar");
const { lessons } = props;
const REST = 200; // ms without a move before the check is requested

const solved = lessons.map(() => null); // per lesson, the position that first solved it
let current = 0;
let barHidden = false;
let inView = true; // whether the message can be seen

const signed = (v) => v.toFixed(2).replace("-", "−");
const unsolved = () => solved.findIndex((position) => !position);

const steps = lessons.map(({ title }, i) => {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.title = title;
  button.addEventListener("click", () => show(i));
  item.append(button);
  find(".steps").append(item);
  return button;
});

function showProgress() {
  steps.forEach((button, i) => {
    const done = Boolean(solved[i]);
    button.textContent = done ? `✓ ${i + 1}` : `${i + 1}`;
    button.dataset.done = done;
    button.ariaLabel = `Lesson ${i + 1}: ${lessons[i].title}${done ? ", done" : ""}`;
    if (i === current) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  });
  const position = solved[current];
  const last = current === lessons.length - 1;
  find(".back").setAttribute("aria-disabled", current === 0);
  find(".next").textContent = last
    ? unsolved() < 0 ? "Back to lesson 1" : `Go to lesson ${unsolved() + 1}`
    : position ? "Next" : "Skip";
  // The last lesson is the only unsolved one: there is no other to go to.
  find(".next").setAttribute("aria-disabled", last && unsolved() === current);
  const box = find(".solved");
  if (Boolean(position) === Boolean(box.textContent) && box.dataset.lesson === `${current}`) return;
  box.dataset.lesson = current;
  box.replaceChildren();
  if (!position) return;
  const head = document.createElement("b");
  const all = unsolved() < 0 ? ` All ${lessons.length} lessons are done.` : "";
  head.textContent = `✓ Solved at (${signed(position.x)}, ${signed(position.y)}).${all}`;
  box.append(head, lessons[current].why);
}

function show(i) {
  current = i;
  barHidden = false;
  const { title, task, hint } = lessons[i];
  find(".count").textContent = `Lesson ${i + 1} of ${lessons.length}`;
  find(".title").textContent = title;
  find(".task").textContent = task;
  find(".hint").open = false;
  find(".hint p").textContent = hint;
  describe("moving", "Checking…");
  showProgress();
  request();
}

function describe(state, text) {
  root.dataset.state = state;
  message.textContent = text;
  showBar();
}

// While the map is used and the message is scrolled out of view, a bar at the bottom repeats it.
function showBar() {
  bar.hidden = inView || barHidden;
  const done = Boolean(solved[current]);
  bar.dataset.done = done;
  bar.querySelector("b").textContent = done ? `✓ Lesson ${current + 1} solved.` : `${lessons[current].title}.`;
  bar.querySelector("span").textContent = message.textContent;
}

let requests = 0;
async function request() {
  clearTimeout(restTimer);
  if (!element.checkVisibility()) return;
  const mine = ++requests;
  const lesson = current;
  const from = { ...space.z };
  const outdated = () => mine !== requests || lesson !== current || !space.isAt(from);
  try {
    const answer = await space.answer(server.check(lessons[lesson].name, from.x, from.y));
    if (outdated()) return;
    if (answer.done && !solved[lesson]) {
      solved[lesson] = from;
      showProgress();
    }
    describe("shown", answer.message);
  } catch {
    if (!outdated()) describe("failed", "The server is not responding. Move the cursor to retry.");
  }
}

// Repeats the decoded digit: the large one may be scrolled out of view.
const live = find(".live").getContext("2d");

let restTimer = 0;
function refresh() {
  if (!element.checkVisibility()) return;
  window.liveDecoder.paint(live, space.z);
  root.dataset.state = "moving";
  clearTimeout(restTimer);
  restTimer = setTimeout(request, REST);
}

find(".back").addEventListener("click", () => current > 0 && show(current - 1));
find(".next").addEventListener("click", () => {
  if (current < lessons.length - 1) show(current + 1);
  else if (unsolved() !== current) show(Math.max(0, unsolved()));
});
find(".return").addEventListener("click", () => {
  root.scrollIntoView({ block: "start" });
  steps[current].focus({ preventScroll: true });
});
find(".hide").addEventListener("click", () => {
  barHidden = true;
  showBar();
});

space.subscribe(refresh);
show(0);
// Detects that the tab was opened. It may be below the fold, so its width counts, not its visibility.
let width = root.offsetWidth;
new ResizeObserver(() => {
  if (!width && root.offsetWidth) refresh();
  width = root.offsetWidth;
}).observe(root);
new IntersectionObserver((entries) => {
  inView = entries.at(-1).isIntersecting;
  showBar();
}, { threshold: 0.5 }).observe(find(".now"));
