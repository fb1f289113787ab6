// The part of the latent space that the map shows, and the only transform between pixels and z.
// y points up in z and down in pixels. Units are CSS pixels: the canvases apply the device's pixel
// ratio themselves.
window.MapView = class {
  static MAX_ZOOM = 64;

  constructor(range) {
    this.range = range;
    this.side = 1; // of the square map, in CSS pixels
    this.reset();
  }

  reset() {
    this.centre = { x: 0, y: 0 };
    this.half = this.range; // the map shows centre - half ... centre + half
  }

  get zoom() {
    return this.range / this.half;
  }

  toPixels(z) {
    const unit = this.side / (2 * this.half);
    return {
      px: (z.x - this.centre.x + this.half) * unit,
      py: (this.centre.y + this.half - z.y) * unit,
    };
  }

  toLatent(px, py) {
    const unit = this.side / (2 * this.half);
    return {
      x: px / unit + this.centre.x - this.half,
      y: this.centre.y + this.half - py / unit,
    };
  }

  // Zooms by `factor` and keeps the position under (px, py) fixed.
  zoomAt(px, py, factor) {
    const before = this.toLatent(px, py);
    const half = this.half / factor;
    this.half = Math.min(this.range, Math.max(this.range / window.MapView.MAX_ZOOM, half));
    const after = this.toLatent(px, py);
    this.moveBy(before.x - after.x, before.y - after.y);
  }

  // Pans the view, never past the edge of the map.
  moveBy(dx, dy) {
    const limit = this.range - this.half;
    const clamp = (v) => Math.min(limit, Math.max(-limit, v));
    this.centre = { x: clamp(this.centre.x + dx), y: clamp(this.centre.y + dy) };
  }

  // Centres the view on z if z is outside it.
  follow(z) {
    const margin = 0.999 * this.half;
    if (Math.abs(z.x - this.centre.x) > margin || Math.abs(z.y - this.centre.y) > margin) {
      this.moveBy(z.x - this.centre.x, z.y - this.centre.y);
    }
  }

  // The tick spacing of both axes: 1, 2 or 5 times a power of ten, which gives about six ticks.
  get step() {
    const rough = (2 * this.half) / 7;
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((m) => m * power >= rough);
  }
};

// Pushes overlapping discs apart until their centres, { px, py } in pixels, are `distance` apart.
window.apart = (centres, distance, rounds = 20) => {
  const moved = centres.map((p) => ({ ...p }));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < moved.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [moved[i], moved[j]];
        const [dx, dy] = [a.px - b.px || 0.1, a.py - b.py];
        const gap = Math.hypot(dx, dy);
        if (gap >= distance) continue;
        const push = (distance - gap) / 2 / gap;
        a.px += dx * push;
        a.py += dy * push;
        b.px -= dx * push;
        b.py -= dy * push;
      }
    }
  }
  return moved;
};
