// The learning curves of the replay; replay.js follows in the same scope.

function svgElement(name, attributes, text = "") {
  const drawn = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) drawn.setAttribute(key, value);
  drawn.textContent = text;
  return drawn;
}

// Ticks at round values, about two to four between low and high.
function ticks(low, high) {
  const rough = (high - low) / 2.5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) values.push(i * step);
  return values;
}

// Draws a plot at its displayed size, so that its text matches the page's.
function plot(spec) {
  const box = document.createElement("div");
  box.className = "plot";
  box.dataset.curve = spec.name;
  box.innerHTML = `<p><span></span></p>`;
  box.querySelector("span").textContent = spec.title;
  const values = panels.map((_, i) => {
    const value = document.createElement("b");
    if (panels.length > 1) {
      const sample = svgElement("svg", { class: "sample", viewBox: "0 0 24 8", "aria-hidden": true });
      sample.append(svgElement("path", { class: i ? "curve second" : "curve", d: "M0 4H24" }));
      value.append(sample);
    }
    value.append(document.createElement("i"));
    box.querySelector("p").append(value);
    return value.lastChild;
  });
  find(".plots").append(box);

  const width = Math.max(160, box.clientWidth);
  const [height, left, right, top, bottom] = [104, 38, 10, 7, 21];
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(svgElement("title", {}, `${spec.title} by epoch`));
  const all = panels.flatMap(({ replay }) => replay.curves[spec.name]);
  const low = spec.zero ? 0 : Math.min(...all);
  const most = Math.max(...all);
  const high = most > low ? most : low + 1;
  const x = (e) => left + (e / Math.max(1, last)) * (width - left - right);
  const y = (v) => height - bottom - ((v - low) / (high - low)) * (height - bottom - top);
  for (const value of ticks(low, high)) {
    const text = +value.toFixed(6);
    svg.append(svgElement("path", { class: "rule", d: `M${left} ${y(value)}H${width - right}` }));
    svg.append(svgElement("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, text));
  }
  const steps = ticks(0, last).filter(Number.isInteger);
  for (const e of steps) {
    const at = e ? { x: x(e), "text-anchor": "middle" } : { x: left - 3 };
    svg.append(svgElement("text", { ...at, y: height - 3 }, e || "epoch 0"));
  }
  panels.forEach(({ replay }, i) => {
    const vertices = replay.curves[spec.name].map((v, i) => `${x(replay.epochs[i + 1]).toFixed(1)} ${y(v).toFixed(1)}`);
    svg.append(svgElement("path", { class: i ? "curve second" : "curve", d: `M${vertices.join("L")}` }));
  });
  const marker = svgElement("path", { class: "marker" });
  const dots = panels.map(() => svgElement("circle", { r: 4.5 }));
  svg.append(marker, ...dots);
  box.append(svg);
  return { spec, values, marker, dots, x, y, line: (e) => `M${x(e).toFixed(1)} ${top}V${height - bottom}` };
}

function mark({ spec, values, marker, dots, x, y, line }) {
  marker.setAttribute("d", line(epoch));
  panels.forEach(({ replay }, i) => {
    const at = momentOf(replay);
    const value = replay.curves[spec.name][at - 1];
    dots[i].style.display = at ? "" : "none";
    values[i].textContent = at ? [value.toFixed(spec.decimals), spec.unit].join(" ").trim() : "–";
    if (!at) return;
    dots[i].setAttribute("cx", x(replay.epochs[at]).toFixed(1));
    dots[i].setAttribute("cy", y(value).toFixed(1));
  });
}
