// The decoder as a lookup table (see decoder_table.py): logits at the nodes of a grid over the map that
// is denser near the centre, with cubic interpolation in between. The page shows these images while the
// position moves, until PyTorch's exact image arrives.
window.decoderTable = (() => {
  const PIXELS = 784;
  let table = null; // { side, reach, bend, values }
  // Maps an interpolated value, in steps of 1 / STEPS, to its grey level. It extends past 0 ... 255
  // because cubic interpolation overshoots.
  const STEPS = 16;
  const [LOW, HIGH] = [-64, 320];
  const greys = new Uint8Array((HIGH - LOW) * STEPS + 1);

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
      const logit = ((LOW + i / STEPS) * 2 * bound) / 255 - bound;
      greys[i] = Math.round(255 / (1 + Math.exp(-logit)));
    }
    table = { side, reach, bend, values };
  }

  // The grid cell of a coordinate, and the weights of the nodes at offsets -1, 0, 1 and 2.
  function cell(v) {
    const { side, reach, bend } = table;
    const scaled = Math.min(1, Math.max(-1, v / reach)) * Math.sinh(bend);
    const position = ((Math.asinh(scaled) / bend + 1) / 2) * (side - 1);
    const at = Math.min(side - 2, Math.floor(position));
    const t = position - at;
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

  // Writes the 784 grey levels at z into `out`.
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
      out[k] = greys[Math.round((value - LOW) * STEPS)];
    }
  }

  const frame = new ImageData(28, 28);
  const grey = new Uint8ClampedArray(PIXELS);
  frame.data.fill(255);

  // Paints the image at z on a 28 x 28 canvas; does nothing until the table is loaded.
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
