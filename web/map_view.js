// What part of the latent space the map shows, and the one transform between its pixels and z.
// y grows upward in z and downward in pixels. Works in CSS pixels: the canvases scale by the
// device's pixel ratio on their own.
window.MapView = class {
  static MAX_ZOOM = 64;

  constructor(range) {
    this.range = range;
    this.side = 1; // CSS pixels of the square map
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

  // Zooms by `factor` so that the place under (px, py) stays there.
  zoomAt(px, py, factor) {
    const fixed = this.toLatent(px, py);
    const half = this.half / factor;
    this.half = Math.min(this.range, Math.max(this.range / window.MapView.MAX_ZOOM, half));
    const moved = this.toLatent(px, py);
    this.moveBy(fixed.x - moved.x, fixed.y - moved.y);
  }

  // Moves the view, never beyond the edge of the map.
  moveBy(dx, dy) {
    const free = this.range - this.half;
    const clamp = (v) => Math.min(free, Math.max(-free, v));
    this.centre = { x: clamp(this.centre.x + dx), y: clamp(this.centre.y + dy) };
  }

  // Brings a place into view, if it is not.
  follow(z) {
    const margin = 0.999 * this.half;
    if (Math.abs(z.x - this.centre.x) > margin || Math.abs(z.y - this.centre.y) > margin) {
      this.moveBy(z.x - this.centre.x, z.y - this.centre.y);
    }
  }

  // The ticks of both axes: a step of 1, 2 or 5 times a power of ten, about six a side.
  get step() {
    const rough = (2 * this.half) / 7;
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((m) => m * power >= rough);
  }
};

// Places of discs that would cover each other, moved until they do not; { px, py } each, in pixels.
window.apart = (homes, distance, rounds = 20) => {
  const placed = homes.map((p) => ({ ...p }));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < placed.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [placed[i], placed[j]];
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
  return placed;
};
