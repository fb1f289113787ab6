// What the encoder makes of an image: drawn or uploaded by the user, or taken from the test set.
const space = window.latentSpace;
const find = (name) => element.querySelector(name);
const root = find(".draw");
const paper = find(".paper");
const sheet = find(".sheet");
const pen = paper.getContext("2d");
const grey = (level) => `rgb(${level} ${level} ${level})`;
const REST = 350; // ms after a stroke before the drawing is read
const PEN = 24; // of the pad's 280 pixels: scaled to MNIST's 20, about as thick as MNIST's strokes

// --- results ---

function paint(canvas, data, at = 0) {
  const image = new ImageData(28, 28);
  for (let i = 0; i < 784; i++) {
    image.data.fill(data.charCodeAt(784 * at + i), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function canvas28() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 28;
  return canvas;
}

const signed = (v) => v.toFixed(2).replace("-", "−");

function show(answer) {
  find(".title").textContent = answer.title;
  find(".message").textContent = answer.message;
  paint(find(".seen"), atob(answer.pixels));
  paint(find(".decoded"), atob(answer.decoded));
  find(".position").textContent = `x ${signed(answer.mu[0])}, y ${signed(answer.mu[1])}`;
  find(".recon").textContent = `${answer.recon.toFixed(1)} nats`;
  find(".kl").textContent = `${answer.kl.toFixed(2)} nats`;
  const samples = atob(answer.samples);
  find(".samples").replaceChildren(
    ...Array.from({ length: samples.length / 784 }, (_, i) => {
      const canvas = canvas28();
      paint(canvas, samples, i);
      return canvas;
    }),
  );
  const pixels = atob(answer.nearest.pixels);
  find(".similar").replaceChildren(
    ...answer.nearest.digits.map(({ index, name }, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Open test ${props.info.item} ${index}, ${space.article(name)}`);
      button.append(canvas28(), name);
      paint(button.firstChild, pixels, i);
      button.addEventListener("click", () => space.open(index));
      return button;
    }),
  );
}

function fail(message) {
  root.dataset.state = "failed";
  root.classList.remove("has-answer");
  find(".error").textContent = message;
}

// Shows the page's newest reading, whichever component requested it.
function follow() {
  const { reading } = space;
  requests++;
  if (!reading?.fromUser) photo.hide();
  if (!reading) {
    root.dataset.state = "empty";
    root.classList.remove("has-answer");
    return;
  }
  if (!reading.fromUser) setPaper([]);
  if (reading.error) return fail(reading.error);
  show(reading);
  root.dataset.state = "shown";
  root.classList.add("has-answer");
}

// Only the response to the newest request is shown.
let requests = 0;
async function read(data, crop = null) {
  const mine = ++requests;
  root.dataset.state = "busy";
  let answer;
  try {
    answer = await space.answer(server.drawn([data, crop]));
  } catch ({ cause, message }) {
    const error = cause === "refused" ? message : "The server is not responding. Try again.";
    answer = { error };
  }
  if (mine !== requests) return;
  space.showReading({ ...answer, fromUser: true });
  if (answer.error) return;
  if (photo.shown && !crop) photo.found(answer.crop);
  space.travel([space.z, { x: answer.mu[0], y: answer.mu[1] }], 400, "reading");
}

// --- drawing ---

let strokes = []; // each a list of points, in pixels of the canvas
let stroke = null;
let readTimer = 0;

function ink(points) {
  pen.beginPath();
  pen.moveTo(points[0].x, points[0].y);
  for (const p of points) pen.lineTo(p.x, p.y + 0.01); // the offset makes a tap a dot
  pen.stroke();
}

function redraw() {
  pen.clearRect(0, 0, paper.width, paper.height); // its ground is transparent: all is ink
  pen.strokeStyle = grey(props.ink);
  pen.lineWidth = PEN;
  pen.lineCap = pen.lineJoin = "round";
  strokes.forEach(ink);
  root.classList.toggle("inked", strokes.length > 0);
}

function pointOf(event) {
  const box = paper.getBoundingClientRect();
  const scale = paper.width / box.width;
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
}

function readSoon() {
  clearTimeout(readTimer);
  readTimer = setTimeout(() => {
    const data = paper.toDataURL("image/png").split(",")[1];
    read(data);
  }, REST);
}

paper.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || stroke) return;
  clearTimeout(readTimer);
  paper.setPointerCapture(event.pointerId);
  stroke = { id: event.pointerId, points: [pointOf(event)] };
  strokes.push(stroke.points);
  redraw();
});
paper.addEventListener("pointermove", (event) => {
  if (stroke?.id !== event.pointerId) return;
  const moves = event.getCoalescedEvents?.() ?? [];
  stroke.points.push(...(moves.length ? moves : [event]).map(pointOf));
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
  clearTimeout(readTimer);
  redraw();
}

function setStrokes(next) {
  photo.hide();
  setPaper(next);
  if (strokes.length) readSoon();
  else space.showReading(null);
}
find(".undo").addEventListener("click", () => setStrokes(strokes.slice(0, -1)));
find(".clear").addEventListener("click", () => setStrokes([]));

// --- uploads ---

const ENOUGH = 500_000; // bytes; a larger file is scaled down before it is sent
const LONGEST = 1600; // px; the server works with a third of it

// A canvas with the image, upright as its EXIF data says, its longest side at most LONGEST.
async function scaledDown(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

function opaque(canvas) {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return false;
  return true;
}

// The file itself, or a smaller one where it has more bytes than any drawing needs.
async function smaller(file) {
  if (file.size <= ENOUGH) return file;
  const canvas = await scaledDown(file);
  const type = opaque(canvas) ? "image/jpeg" : "image/png"; // JPEG has no transparency
  return new Promise((resolve) => canvas.toBlob(resolve, type, 0.92));
}

function base64Of(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

let uploaded = ""; // the image on the pad, in base64
const photo = photoCrop(sheet, (crop) => read(uploaded, crop));

async function readFile(file) {
  if (!file) return;
  const mine = ++requests; // a drawing begun meanwhile is newer
  root.dataset.state = "busy";
  try {
    // What the browser cannot decode is left to the server, which says why.
    const sent = await smaller(file).catch(() => file);
    if (mine !== requests) return;
    if (sent.size > props.max_bytes) {
      const limit = Math.floor(props.max_bytes / 10 ** 6);
      return fail(`The file is larger than ${limit} MB. Choose a smaller image.`);
    }
    const data = await base64Of(sent);
    if (mine !== requests) return;
    uploaded = data;
    const shown = await photo.show(sent);
    if (mine !== requests) return;
    if (shown) setPaper([]);
    read(uploaded);
  } catch {
    if (mine === requests) fail("The file cannot be read. Choose an image file, not a folder.");
  }
}
find("input").addEventListener("change", ({ target }) => {
  readFile(target.files[0]);
  target.value = ""; // allows choosing the same file again
});

// --- dropped images ---

const UNSHARED =
  "The image belongs to another page, which does not share it. Save it, then upload the file.";

// An image that is dragged from another page comes as its address.
async function readAddress(address) {
  const mine = ++requests;
  root.dataset.state = "busy";
  const blob = await fetch(address)
    .then((response) => (response.ok ? response.blob() : null))
    .catch(() => null);
  if (mine !== requests) return;
  if (blob?.type.startsWith("image/")) readFile(blob);
  else fail(UNSHARED);
}

const holdsImage = ({ types }) => types.includes("Files") || types.includes("text/uri-list");
const onPage = () => root.offsetParent !== null; // its tab is open

// A drop beside the pad counts as well; without this the browser would leave the page.
document.addEventListener("dragover", (event) => {
  if (!holdsImage(event.dataTransfer)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = onPage() ? "copy" : "none";
  sheet.classList.add("over");
});
document.addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) sheet.classList.remove("over"); // the pointer has left the page
});
document.addEventListener("drop", (event) => {
  sheet.classList.remove("over");
  const { dataTransfer } = event;
  if (!holdsImage(dataTransfer)) return;
  event.preventDefault();
  if (!onPage()) return;
  const lines = dataTransfer.getData("text/uri-list").split(/\r?\n/);
  const address = lines.find((line) => line && !line.startsWith("#"));
  if (dataTransfer.files.length) readFile(dataTransfer.files[0]);
  else if (address) readAddress(address);
  else fail(UNSHARED);
});

// --- test images ---

find(".random").addEventListener("click", () => {
  root.dataset.state = "busy";
  space.open(Math.floor(Math.random() * props.digits), true);
});
paper.style.background = grey(props.paper);
sheet.classList.toggle("light", props.paper > 127);
redraw();
space.subscribe(follow, "reading");
follow();
