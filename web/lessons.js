// One lesson at a time. What is done lives in the page alone; Python is asked, when the position rests
// and the tab is open, whether it fulfils the lesson that is shown and how near it is.
const space = window.latentSpace;
const find = (name) => element.querySelector(name);
const root = find(".lessons");
const told = find(".told");
const bar = find(".bar");
const { lessons } = props;
const REST = 200; // ms without a move after which the check is asked for

const solved = lessons.map(() => null); // of each lesson: the place that first solved it
let current = 0;
let barHidden = false;
let inSight = true;

const signed = (v) => v.toFixed(2).replace("-", "−");
const named = () => `Lesson ${current + 1} of ${lessons.length}`;
const open = () => solved.findIndex((place) => !place);

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

function mark() {
  steps.forEach((button, i) => {
    const done = Boolean(solved[i]);
    button.textContent = done ? `✓ ${i + 1}` : `${i + 1}`;
    button.dataset.done = done;
    button.ariaLabel = `Lesson ${i + 1}: ${lessons[i].title}${done ? ", done" : ""}`;
    if (i === current) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  });
  const place = solved[current];
  const last = current === lessons.length - 1;
  find(".back").setAttribute("aria-disabled", current === 0);
  find(".next").textContent = last
    ? open() < 0 ? "Again from lesson 1" : `To lesson ${open() + 1}`
    : place ? "Next" : "Skip";
  // Nothing else is open: there is nowhere to go on to.
  find(".next").setAttribute("aria-disabled", last && open() === current);
  const box = find(".solved");
  if (Boolean(place) === Boolean(box.textContent) && box.dataset.lesson === `${current}`) return;
  box.dataset.lesson = current;
  box.replaceChildren();
  if (!place) return;
  const head = document.createElement("b");
  const all = open() < 0 ? ` All ${lessons.length} lessons are done.` : "";
  head.textContent = `✓ Done at (${signed(place.x)}, ${signed(place.y)}).${all}`;
  box.append(head, lessons[current].why);
}

function show(i) {
  current = i;
  barHidden = false;
  const { title, task, hint } = lessons[i];
  find(".count").textContent = named();
  find(".title").textContent = title;
  find(".task").textContent = task;
  find(".hint").open = false;
  find(".hint p").textContent = hint;
  tell("moving", "Looking…");
  mark();
  ask();
}

function tell(state, text) {
  root.dataset.state = state;
  told.textContent = text;
  showBar();
}

// While the words on "where you are" are out of sight, because one moves on the map above, a line at the
// edge of the screen says them.
function showBar() {
  bar.hidden = inSight || barHidden;
  const done = Boolean(solved[current]);
  bar.dataset.done = done;
  bar.querySelector("b").textContent = done ? `✓ Lesson ${current + 1} done.` : `${lessons[current].title}.`;
  bar.querySelector("span").textContent = told.textContent;
}

let asked = 0;
async function ask() {
  clearTimeout(resting);
  if (!element.checkVisibility()) return;
  const mine = ++asked;
  const lesson = current;
  const from = { ...space.z };
  const late = () => mine !== asked || lesson !== current || !space.isAt(from);
  try {
    const answer = await space.answer(server.check(lessons[lesson].name, from.x, from.y));
    if (late()) return;
    if (answer.done && !solved[lesson]) {
      solved[lesson] = from;
      mark();
    }
    tell("shown", answer.message);
  } catch {
    if (!late()) tell("failed", "The server does not answer. Move on to try again.");
  }
}

// The same digit as on the first screen, which may be out of sight.
const live = find(".live").getContext("2d");

let resting = 0;
function refresh() {
  if (!element.checkVisibility()) return;
  window.decoderTable.paint(live, space.z);
  root.dataset.state = "moving";
  clearTimeout(resting);
  resting = setTimeout(ask, REST);
}

find(".back").addEventListener("click", () => current > 0 && show(current - 1));
find(".next").addEventListener("click", () => {
  if (current < lessons.length - 1) show(current + 1);
  else if (open() !== current) show(Math.max(0, open()));
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
// The tab was opened: it may lie below the screen, so its size tells, and not whether it is in sight.
let wide = root.offsetWidth;
new ResizeObserver(() => {
  if (!wide && root.offsetWidth) refresh();
  wide = root.offsetWidth;
}).observe(root);
new IntersectionObserver((seen) => {
  inSight = seen.at(-1).isIntersecting;
  showBar();
}, { threshold: 0.5 }).observe(find(".now"));
