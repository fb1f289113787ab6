// The images along one or more paths, in rows; a click on one moves the cursor to its position.
// value: see components.FilmStrip; play starts the animation of the first row; scattered points are not
// joined by a line.
const space = window.latentSpace;
const strip = element.querySelector(".strip");
const rows = element.querySelector(".rows");
const asPoint = ([x, y]) => ({ x, y });

const play = (points) => space.travel(points.map(asPoint), 300 * points.length, "strip");

function image28(pixels, offset) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 28;
  const image = new ImageData(28, 28);
  for (let i = 0; i < 784; i++) {
    image.data.fill(pixels.charCodeAt(offset + i), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

async function save(kind, { points, curve, title }, summary) {
  const before = summary.textContent;
  summary.textContent = "Saving…";
  summary.parentElement.open = false;
  try {
    const { name, type, data } = await space.answer(server.export(kind, { points, curve, title }));
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    summary.textContent = before;
  } catch {
    summary.textContent = "Could not save: try again";
    setTimeout(() => (summary.textContent = before), 4000);
  }
}

function row(shown, ends) {
  const made = document.createElement("section");
  made.className = "row";
  made.innerHTML = `<div class="head"><b></b><span></span>
    <button type="button" class="play">▶ Play</button>
    <details class="save"><summary>Save</summary><div>
      <button type="button" data-kind="png">Strip (PNG)</button>
      <button type="button" data-kind="gif">Animation (GIF)</button>
      <button type="button" data-kind="webp">Animation (WebP)</button>
      <button type="button" data-kind="json">Path (JSON)</button>
    </div></details></div><div class="frames"></div>`;
  const title = [ends, shown.title].filter(Boolean).join(", ");
  const name = made.querySelector("b");
  name.textContent = title;
  if (shown.method) name.prepend(sample(shown.method));
  made.querySelector("span").textContent = shown.note ?? "";
  made.querySelector(".play").addEventListener("click", () => play(shown.points));
  const summary = made.querySelector("summary");
  for (const button of made.querySelectorAll("[data-kind]")) {
    button.addEventListener("click", () => save(button.dataset.kind, { ...shown, title }, summary));
  }
  const pixels = atob(shown.frames);
  shown.points.forEach((point, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `Go to image ${i + 1} of ${shown.points.length}`);
    button.point = asPoint(point);
    button.append(image28(pixels, 784 * i));
    button.addEventListener("click", () => space.set(asPoint(point), "strip"));
    made.querySelector(".frames").append(button);
  });
  return made;
}

function mark() {
  for (const button of rows.querySelectorAll(".frames button")) {
    button.setAttribute("aria-current", space.isAt(button.point));
  }
}

function show() {
  const value = props.value;
  const shown = value?.rows ?? [];
  strip.classList.toggle("filled", shown.length > 0);
  rows.replaceChildren(...shown.map((one) => row(one, value.ends)));
  if (shown.length && shown.every((one) => one.method)) rows.append(compare(shown));
  space.showPaths(
    shown.map((one) => ({
      curve: one.curve.map(asPoint),
      points: one.points.map(asPoint),
      method: one.method ?? "geodesic",
      label: shown.length > 1 ? one.label : "",
      scattered: Boolean(value.scattered),
    })),
  );
  mark();
  if (value?.play) play(shown[0].points);
}

watch("value", show);
space.subscribe(mark);
