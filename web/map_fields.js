// Layers that are fetched when they are first shown; latent_map.js follows in the same scope.

// A canvas of side x side cells; rgba(i) gives the colour of the i-th from the top left.
function cells(side, rgba) {
  const canvas = new OffscreenCanvas(side, side);
  const image = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) image.data.set(rgba(i), 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function regionCells({ winners, strength, side }) {
  const [winner, alpha] = [bytes(winners), bytes(strength)];
  const colours = props.palette.map((code) => parseInt(code.slice(1), 16));
  return cells(side, (i) => {
    const hex = colours[winner[i]];
    return [hex >> 16, (hex >> 8) & 255, hex & 255, alpha[i]];
  });
}

// Hues that stand apart from each other and from the digits, on light and dark ground alike.
const [PINK, ORANGE, TEAL] = [[214, 51, 132], [232, 117, 0], [0, 150, 150]];
const ramp = (rgb) => `<span style="background: linear-gradient(90deg, rgb(${rgb} / 0), rgb(${rgb}))"></span>`;

const FIELDS = {
  sensitivity: {
    wait: "Measuring the sensitivity…",
    ask: () => server.sensitivity(),
    make({ strength, side, most }) {
      const alpha = bytes(strength);
      return {
        canvas: cells(side, (i) => [...PINK, alpha[i] * 0.85]),
        legend: `${ramp(PINK.join(" "))} sensitivity ‖J‖: 0 to ${most.toFixed(0)} and more`,
      };
    },
  },
  gaps: {
    wait: `Comparing prior and ${props.noun.many}…`,
    ask: () => server.gaps(),
    make({ strength, side, factor }) {
      const level = bytes(strength);
      const paint = (v) => (v > 128 ? [...ORANGE, 1.5 * (v - 128)] : [...TEAL, 1.5 * (128 - v)]);
      return {
        canvas: cells(side, (i) => (level[i] ? paint(level[i]) : [0, 0, 0, 0])),
        legend: `${ramp(ORANGE.join(" "))} the prior expects up to ${factor} × more than is there
          ${ramp(TEAL.join(" "))} less`,
      };
    },
  },
  trips: {
    wait: "Decoding and encoding again…",
    ask: () => server.trips(),
    make: ({ from, to }) => ({
      arrows: from.map((start, i) => [start, to[i]]),
      legend: "→ where the encoder puts the picture that is decoded here (round trip)",
    }),
  },
};
const fields = {}; // name -> { canvas or arrows, legend }, or { wait } while it is asked for

function showLegend() {
  const lines = Object.keys(FIELDS).filter((name) => layers[name] && fields[name]);
  find(".map-legend").hidden = !lines.length;
  find(".map-legend").innerHTML = lines
    .map((name) => `<div>${fields[name].legend ?? fields[name].wait}</div>`)
    .join("");
}

async function showField(name) {
  if (layers[name] && !fields[name]) {
    const { wait, ask, make } = FIELDS[name];
    fields[name] = { wait };
    showLegend();
    try {
      fields[name] = make(await space.answer(ask()));
      redraw(true);
    } catch {
      fields[name] = null;
      layers[name] = false;
      space.layersChanged();
      find(".map-legend").hidden = false;
      find(".map-legend").textContent = "The layer did not arrive. Switch it on again to retry.";
      return;
    }
  }
  showLegend();
}

function drawArrow(context, [x0, y0], [x1, y1]) {
  const [a, b] = [view.toPixels({ x: x0, y: y0 }), view.toPixels({ x: x1, y: y1 })];
  const [dx, dy] = [b.px - a.px, b.py - a.py];
  const length = Math.hypot(dx, dy);
  context.beginPath();
  if (length < 3) {
    // The encoder returns to where it was: a dot.
    context.arc(a.px, a.py, 1.5, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  const [ux, uy] = [dx / length, dy / length];
  const head = Math.min(7, length / 2);
  context.moveTo(a.px, a.py);
  context.lineTo(b.px, b.py);
  context.lineTo(b.px - head * (ux + 0.5 * uy), b.py - head * (uy - 0.5 * ux));
  context.moveTo(b.px, b.py);
  context.lineTo(b.px - head * (ux - 0.5 * uy), b.py - head * (uy + 0.5 * ux));
  context.stroke();
}

function drawFields(context) {
  for (const name of ["sensitivity", "gaps"]) {
    if (layers[name] && fields[name]?.canvas) drawCells(context, fields[name].canvas);
  }
}

function drawTrips(context) {
  if (!layers.trips || !fields.trips?.arrows) return;
  context.strokeStyle = context.fillStyle = colour.ink;
  context.globalAlpha = 0.55;
  context.lineWidth = 1.2;
  for (const [from, to] of fields.trips.arrows) drawArrow(context, from, to);
  context.globalAlpha = 1;
}

// The round trip of the cursor's own place, once PyTorch's answer for it is there.
function drawReturn(context) {
  if (!layers.trips || !space.known || !space.isAt(space.known)) return;
  context.strokeStyle = context.fillStyle = colour.accent;
  context.lineWidth = 3;
  drawArrow(context, [space.z.x, space.z.y], space.known.round_trip);
}

// The posterior of the picture that was read: its mean and the ellipses of 1 and 2 sigma, to scale.
function drawReading(context) {
  const reading = space.reading;
  if (!reading || reading.error) return;
  const { px, py } = view.toPixels({ x: reading.mu[0], y: reading.mu[1] });
  const unit = view.side / (2 * view.half);
  for (const sigma of [1, 2]) {
    context.beginPath();
    const [rx, ry] = reading.sigma.map((s) => sigma * s * unit);
    context.ellipse(px, py, rx, ry, 0, 0, 2 * Math.PI);
    for (const [width, stroke] of [[5, colour.ground], [2, colour.ink]]) {
      context.lineWidth = width;
      context.strokeStyle = stroke;
      context.setLineDash(sigma === 2 && width === 2 ? [5, 4] : []);
      context.stroke();
    }
  }
  context.setLineDash([]);
  context.beginPath();
  context.arc(px, py, 3, 0, 2 * Math.PI);
  context.fillStyle = colour.ink;
  context.fill();
  const name = reading.title.split(",")[0];
  plate(context, name, { px, py: py - 18 - 2 * reading.sigma[1] * unit }, colour.ink);
}
