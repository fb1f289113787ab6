// A person's own digit, drawn or uploaded, or a real one of the test set: what the encoder makes of it.
const space = window.latentSpace;
const find = (name) => element.querySelector(name);
const own = find(".own");
const paper = find(".paper");
const pen = paper.getContext("2d");
const SETTLED = 350; // ms after a stroke until the drawing is read
const PEN = 24; // of the 280 pixels: scaled to MNIST's 20 it is about as thick as MNIST's strokes

// --- what came back ---

function paint(canvas, data, at = 0) {
  const image = new ImageData(28, 28);
  for (let i = 0; i < 784; i++) {
    image.data.fill(data.charCodeAt(784 * at + i), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function canvas28() {
  const made = document.createElement("canvas");
  made.width = made.height = 28;
  return made;
}

const signed = (v) => v.toFixed(2).replace("-", "−");

function show(answer) {
  find(".title").textContent = answer.title;
  find(".told").textContent = answer.message;
  paint(find(".saw"), atob(answer.pixels));
  paint(find(".made"), atob(answer.decoded));
  find(".place").textContent = `x ${signed(answer.mu[0])}, y ${signed(answer.mu[1])}`;
  find(".recon").textContent = `${answer.recon.toFixed(1)} nats`;
  find(".kl").textContent = `${answer.kl.toFixed(2)} nats`;
  const samples = atob(answer.samples);
  find(".samples").replaceChildren(
    ...Array.from({ length: samples.length / 784 }, (_, i) => {
      const made = canvas28();
      paint(made, samples, i);
      return made;
    }),
  );
  const pixels = atob(answer.nearest.pixels);
  find(".similar").replaceChildren(
    ...answer.nearest.digits.map(({ index, name }, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Open test ${props.noun.one} ${index}, ${space.article(name)}`);
      button.append(canvas28(), name);
      paint(button.firstChild, pixels, i);
      button.addEventListener("click", () => space.open(index));
      return button;
    }),
  );
}

function fail(sentence) {
  own.dataset.state = "failed";
  own.classList.remove("had");
  find(".fault").textContent = sentence;
}

// Shows the newest reading of the page, whoever asked for it.
function follow() {
  const { reading } = space;
  newest++;
  if (!reading) {
    own.dataset.state = "empty";
    own.classList.remove("had");
    return;
  }
  if (!reading.own) setPaper([]);
  if (reading.error) return fail(reading.error);
  show(reading);
  own.dataset.state = "shown";
  own.classList.add("had");
}

// The newest question wins; an answer to an older one is not shown.
let newest = 0;
async function read(data) {
  const mine = ++newest;
  own.dataset.state = "busy";
  let answer;
  try {
    answer = { ...(await space.answer(server.drawn(data))), own: true };
  } catch (error) {
    const refused = error.cause === "refused";
    answer = { error: refused ? error.message : "The server does not answer. Try again.", own: true };
  }
  if (mine !== newest) return;
  space.showReading(answer);
  if (answer.error) return;
  space.travel([space.z, { x: answer.mu[0], y: answer.mu[1] }], 400, "reading");
}

// --- drawing ---

let strokes = []; // each a list of points, in pixels of the canvas
let stroke = null;
let settling = 0;

function ink(points) {
  pen.beginPath();
  pen.moveTo(points[0].x, points[0].y);
  for (const p of points) pen.lineTo(p.x, p.y + 0.01); // a touch without a move is a dot
  pen.stroke();
}

function redraw() {
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, paper.width, paper.height);
  pen.strokeStyle = "#fff";
  pen.lineWidth = PEN;
  pen.lineCap = pen.lineJoin = "round";
  strokes.forEach(ink);
  own.classList.toggle("drawn", strokes.length > 0);
}

function place(event) {
  const box = paper.getBoundingClientRect();
  const scale = paper.width / box.width;
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
}

function readSoon() {
  clearTimeout(settling);
  settling = setTimeout(() => {
    const data = paper.toDataURL("image/png").split(",")[1];
    read(data);
  }, SETTLED);
}

paper.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || stroke) return;
  clearTimeout(settling);
  paper.setPointerCapture(event.pointerId);
  stroke = { id: event.pointerId, points: [place(event)] };
  strokes.push(stroke.points);
  redraw();
});
paper.addEventListener("pointermove", (event) => {
  if (stroke?.id !== event.pointerId) return;
  const moves = event.getCoalescedEvents?.() ?? [];
  stroke.points.push(...(moves.length ? moves : [event]).map(place));
  ink(stroke.points.slice(-2 - moves.length));
});
for (const end of ["pointerup", "pointercancel"]) {
  paper.addEventListener(end, (event) => {
    if (stroke?.id !== event.pointerId) return;
    stroke = null;
    readSoon();
  });
}

function setPaper(next) {
  strokes = next;
  clearTimeout(settling);
  redraw();
}

function setStrokes(next) {
  setPaper(next);
  if (strokes.length) readSoon();
  else space.showReading(null);
}
find(".undo").addEventListener("click", () => setStrokes(strokes.slice(0, -1)));
find(".clear").addEventListener("click", () => setStrokes([]));

// --- files ---

async function readFile(file) {
  if (!file) return;
  setStrokes([]);
  if (file.size > props.max_bytes) {
    const limit = Math.floor(props.max_bytes / 10 ** 6);
    return fail(`The file has more than ${limit} MB: choose a smaller picture.`);
  }
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(file);
  });
  read(url.split(",")[1] ?? "");
}
find("input").addEventListener("change", ({ target }) => {
  readFile(target.files[0]);
  target.value = ""; // the same file can be chosen again
});
paper.addEventListener("dragover", (event) => {
  event.preventDefault();
  paper.classList.add("over");
});
paper.addEventListener("dragleave", () => paper.classList.remove("over"));
paper.addEventListener("drop", (event) => {
  event.preventDefault();
  paper.classList.remove("over");
  readFile(event.dataTransfer.files[0]);
});

// --- real digits ---

find(".any").addEventListener("click", () => {
  own.dataset.state = "busy";
  space.open(Math.floor(Math.random() * props.digits), true);
});
redraw();
space.subscribe(follow, "reading");
follow();
