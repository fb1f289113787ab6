// The table and the plot beneath the rows of a comparison; film_strip.js, which shows both, follows in
// the same scope.
const SVG = "http://www.w3.org/2000/svg";

function drawing(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function stroke(method) {
  const { dash, colour } = window.pathStyle(method);
  return { fill: "none", stroke: `var(${colour})`, "stroke-width": 2.5, "stroke-dasharray": dash.join(" ") };
}

// A short piece of the line that the map draws for a path.
function sample(method) {
  const made = drawing("svg", { class: "sample", width: 38, height: 10, "aria-hidden": true });
  made.append(drawing("path", { d: "M1 5H37", ...stroke(method) }));
  return made;
}

// The change from image to image, one line a path.
function plot(rows) {
  const [wide, high, left, top, bottom] = [460, 190, 36, 14, 34];
  const steps = rows[0].changes.length;
  const most = Math.max(...rows.flatMap((row) => row.changes)) || 1;
  const x = (i) => left + ((i + 0.5) / steps) * (wide - left);
  const y = (change) => high - bottom - (change / most) * (high - bottom - top);
  const made = drawing("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img" });
  made.append(drawing("title", {}, "How much each image differs from the one before, for each path"));
  for (const value of [0, most / 2, most]) {
    made.append(drawing("path", { class: "grid", d: `M${left} ${y(value)}H${wide}` }));
    made.append(
      drawing("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(1)),
    );
  }
  for (const row of rows) {
    const points = row.changes.map((change, i) => `${x(i).toFixed(1)} ${y(change).toFixed(1)}`);
    made.append(drawing("path", { d: `M${points.join("L")}`, ...stroke(row.method) }));
  }
  for (let i = 0; i < steps; i += Math.ceil(steps / 12)) {
    made.append(drawing("text", { x: x(i), y: high - 18, "text-anchor": "middle" }, i + 1));
  }
  made.append(drawing("text", { x: (left + wide) / 2, y: high - 2, "text-anchor": "middle" }, "step"));
  return made;
}

const COLUMNS = [
  ["path", "The curve on the map"],
  ["length", "The total change of the image along the path: its length in image space. Smallest in bold"],
  ["largest step", "The largest change from one image to the next. Smallest in bold"],
  ["support", `The fewest test ${props.info.items} encoded within 0.1 of a point on the path; 0: it crosses a region without data. Largest in bold`],
  ["passes", "The classes that prevail along the path"],
];

function table(rows) {
  const made = document.createElement("table");
  const head = made.createTHead().insertRow();
  for (const [name, meaning] of COLUMNS) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    cell.title = meaning;
    head.append(cell);
  }
  const straight = rows.find((row) => row.method === "linear");
  const body = made.createTBody();
  const best = {
    length: Math.min(...rows.map((row) => row.length)),
    largest_step: Math.min(...rows.map((row) => row.largest_step)),
    support: Math.max(...rows.map((row) => row.support)),
  };
  for (const row of rows) {
    const line = body.insertRow();
    const name = document.createElement("th");
    name.scope = "row";
    name.append(sample(row.method), row.title);
    line.append(name);
    const write = (text, key) => {
      const cell = line.insertCell();
      // Within 1 % of the best counts as best: no eye could see the difference.
      const good = key && Math.abs(row[key] - best[key]) <= 0.01 * Math.abs(best[key]);
      cell.append(good ? document.createElement("b") : text);
      if (good) cell.firstChild.textContent = text;
    };
    const ratio = straight && straight.length > 0 && row !== straight;
    write(
      row.length.toFixed(1) + (ratio ? ` (${(row.length / straight.length).toFixed(2)} ×)` : ""),
      "length",
    );
    write(row.largest_step.toFixed(2), "largest_step");
    write(String(row.support), "support");
    write(row.passes.join(" → "));
  }
  return made;
}

function compare(rows) {
  const made = document.createElement("div");
  made.className = "comparison";
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = "Change from image to image";
  figure.append(caption, plot(rows));
  made.append(figure, table(rows));
  return made;
}
