// The curves of the replay; replay.js follows in the same scope.

// --- curves ---

function drawing(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// Round steps of which two to four fit between the ends.
function ticks(low, high) {
  const rough = (high - low) / 2.5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const made = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) made.push(i * step);
  return made;
}

// Drawn at the size at which it is shown, so that its text is as large as the page's.
function plot(spec) {
  const made = document.createElement("div");
  made.className = "plot";
  made.dataset.curve = spec.name;
  made.innerHTML = `<p><span></span></p>`;
  made.querySelector("span").textContent = spec.title;
  const values = panels.map((_, i) => {
    const value = document.createElement("b");
    if (panels.length > 1) {
      const sample = drawing("svg", { class: "sample", viewBox: "0 0 24 8", "aria-hidden": true });
      sample.append(drawing("path", { class: i ? "curve second" : "curve", d: "M0 4H24" }));
      value.append(sample);
    }
    value.append(document.createElement("i"));
    made.querySelector("p").append(value);
    return value.lastChild;
  });
  find(".plots").append(made);

  const wide = Math.max(160, made.clientWidth);
  const [high, left, right, top, bottom] = [104, 38, 10, 7, 21];
  const svg = drawing("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img" });
  svg.append(drawing("title", {}, `${spec.title} over the epochs`));
  const all = panels.flatMap(({ story }) => story.curves[spec.name]);
  const low = spec.zero ? 0 : Math.min(...all);
  const most = Math.max(...all);
  const top_ = most > low ? most : low + 1;
  const x = (e) => left + (e / Math.max(1, last)) * (wide - left - right);
  const y = (v) => high - bottom - ((v - low) / (top_ - low)) * (high - bottom - top);
  for (const value of ticks(low, top_)) {
    const text = +value.toFixed(6);
    svg.append(drawing("path", { class: "rule", d: `M${left} ${y(value)}H${wide - right}` }));
    svg.append(drawing("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, text));
  }
  const steps = ticks(0, last).filter(Number.isInteger);
  for (const e of steps) {
    const at = e ? { x: x(e), "text-anchor": "middle" } : { x: left - 3 };
    svg.append(drawing("text", { ...at, y: high - 3 }, e || "epoch 0"));
  }
  panels.forEach(({ story }, i) => {
    const places = story.curves[spec.name].map((v, e) => `${x(e + 1).toFixed(1)} ${y(v).toFixed(1)}`);
    svg.append(drawing("path", { class: i ? "curve second" : "curve", d: `M${places.join("L")}` }));
  });
  const marker = drawing("path", { class: "marker" });
  const dots = panels.map(() => drawing("circle", { r: 4.5 }));
  svg.append(marker, ...dots);
  made.append(svg);
  return { spec, values, marker, dots, x, y, line: (e) => `M${x(e).toFixed(1)} ${top}V${high - bottom}` };
}

function mark({ spec, values, marker, dots, x, y, line }) {
  marker.setAttribute("d", line(epoch));
  panels.forEach(({ story }, i) => {
    const at = Math.min(epoch, story.epochs - 1);
    const value = story.curves[spec.name][at - 1];
    dots[i].style.display = at ? "" : "none";
    values[i].textContent = at ? [value.toFixed(spec.decimals), spec.unit].join(" ").trim() : "–";
    if (!at) return;
    dots[i].setAttribute("cx", x(at).toFixed(1));
    dots[i].setAttribute("cy", y(value).toFixed(1));
  });
}
