// The pictures along one or more paths, in rows; a click on one goes to its place on the map.
// value: null, or { rows: [{ title, note, points: [[x, y]], frames }], others: [[[x, y]]], play,
// scattered }, where frames is base64 of one byte a pixel, picture after picture; others are drawn on
// the map only; play starts the first row's journey; scattered places are not joined by a line.
const space = window.latentSpace;
const strip = element.querySelector(".strip");
const rows = element.querySelector(".rows");
const asPoint = ([x, y]) => ({ x, y });

const play = (points) => space.travel(points.map(asPoint), 300 * points.length, "strip");

function picture(pixels, offset) {
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

function row({ title, note, points, frames }) {
  const made = document.createElement("section");
  made.className = "row";
  made.innerHTML = '<div class="head"><b></b><span></span><button type="button">▶ Play</button></div><div class="frames"></div>';
  made.querySelector("b").textContent = title;
  made.querySelector("span").textContent = note;
  made.querySelector(".head button").addEventListener("click", () => play(points));
  const pixels = atob(frames);
  points.forEach((point, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `Go to picture ${i + 1} of ${points.length}`);
    button.place = asPoint(point);
    button.append(picture(pixels, 784 * i));
    button.addEventListener("click", () => space.set(asPoint(point), "strip"));
    made.querySelector(".frames").append(button);
  });
  return made;
}

function mark() {
  for (const button of rows.querySelectorAll(".frames button")) {
    button.setAttribute("aria-current", space.isAt(button.place));
  }
}

function show() {
  const value = props.value;
  strip.classList.toggle("filled", Boolean(value));
  rows.replaceChildren(...(value ? value.rows.map(row) : []));
  space.showPaths(
    value
      ? [
          ...value.others.map((points) => ({ points: points.map(asPoint), chosen: false })),
          ...value.rows.map((r) => ({
            points: r.points.map(asPoint),
            chosen: true,
            scattered: Boolean(value.scattered),
          })),
        ]
      : [],
  );
  mark();
  if (value?.play) play(value.rows[0].points);
}

watch("value", show);
space.subscribe(mark);
