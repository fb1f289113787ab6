// The decoder as a table (see decoder_table.py): its logits at the nodes of a grid over the map, which
// stand closer around the centre, and the picture between them by cubic interpolation. It is what the
// page shows while the position moves, until PyTorch's own answer is there.
window.decoderTable = (() => {
  const PIXELS = 784;
  let table = null; // { side, reach, bend, values }
  // The interpolated value, in steps of a sixteenth, to the grey it stands for; beyond its ends too,
  // since a cubic overshoots.
  const FINE = 16;
  const [LOW, HIGH] = [-64, 320];
  const greys = new Uint8Array((HIGH - LOW) * FINE + 1);

  async function load({ data, side, reach, bend, bound }) {
    const packed = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const values = new Uint8Array(await new Response(stream).arrayBuffer());
    // value = residual + left + below - below left, modulo 256
    const row = side * PIXELS;
    for (let i = 0; i < values.length; i++) {
      const [left, below] = [i % row >= PIXELS, i >= row];
      if (left) values[i] += values[i - PIXELS];
      if (below) values[i] += values[i - row];
      if (left && below) values[i] -= values[i - row - PIXELS];
    }
    for (let i = 0; i < greys.length; i++) {
      const logit = ((LOW + i / FINE) * 2 * bound) / 255 - bound;
      greys[i] = Math.round(255 / (1 + Math.exp(-logit)));
    }
    table = { side, reach, bend, values };
  }

  // The cell of a coordinate and the weights of the nodes at -1, 0, 1 and 2 from it.
  function cell(v) {
    const { side, reach, bend } = table;
    const scaled = Math.min(1, Math.max(-1, v / reach)) * Math.sinh(bend);
    const place = ((Math.asinh(scaled) / bend + 1) / 2) * (side - 1);
    const at = Math.min(side - 2, Math.floor(place));
    const t = place - at;
    return {
      at,
      weights: [
        (-t + 2 * t ** 2 - t ** 3) / 2,
        (2 - 5 * t ** 2 + 3 * t ** 3) / 2,
        (t + 4 * t ** 2 - 3 * t ** 3) / 2,
        (-(t ** 2) + t ** 3) / 2,
      ],
    };
  }

  const sums = new Float32Array(PIXELS);

  // Writes the 784 grey values at z into `out`.
  function decode(z, out) {
    const { side, values } = table;
    const [column, row] = [cell(z.x), cell(z.y)];
    const inside = (i) => Math.min(side - 1, Math.max(0, i));
    sums.fill(0);
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        const weight = row.weights[i] * column.weights[j];
        const node = inside(row.at + i - 1) * side + inside(column.at + j - 1);
        const from = node * PIXELS;
        for (let k = 0; k < PIXELS; k++) sums[k] += weight * values[from + k];
      }
    }
    for (let k = 0; k < PIXELS; k++) {
      const value = Math.min(HIGH, Math.max(LOW, sums[k]));
      out[k] = greys[Math.round((value - LOW) * FINE)];
    }
  }

  const frame = new ImageData(28, 28);
  const grey = new Uint8ClampedArray(PIXELS);
  frame.data.fill(255);

  // Paints the picture at z on a canvas of 28 x 28; nothing, as long as the table is not there.
  function paint(context, z) {
    if (!table) return;
    decode(z, grey);
    for (let k = 0; k < PIXELS; k++) frame.data.fill(grey[k], 4 * k, 4 * k + 3);
    context.putImageData(frame, 0, 0);
  }

  return {
    load,
    decode,
    paint,
    get ready() {
      return table !== null;
    },
  };
})();
