/**
 * The part of the latent space that the map shows, and the only transform between pixels and z.
 *
 * y points up in z and down in pixels. Units are CSS pixels: the canvases apply the device's pixel
 * ratio themselves.
 */

/**
 * A position z, in units of the prior's sigma: x and y on the map and, where the map shows a plane
 * of a larger space, what leads from there to z. Without `off`, z lies in the plane.
 *
 * @typedef {{ x: number, y: number, off?: readonly number[] }} Position
 */
/** @typedef {{ px: number, py: number }} Pixel from the map's top left corner */

/** @typedef {{ centre: Position, half: number }} Part of the map: centre - half ... centre + half */

const MAX_ZOOM = 64;
const DECIMALS = 1000; // 0.001 is a twelfth of a pixel of the map
const TICKS = 7; // about as many on each axis

export class MapView {
  /** @param {number} range the whole map shows -range ... range on both axes */
  constructor(range) {
    this.range = range;
    /** Of the square map, in CSS pixels. */
    this.side = 1;
    /** @type {Position} */
    this.centre = { x: 0, y: 0 };
    /** The map shows centre - half ... centre + half. */
    this.half = range;
  }

  /** The nearest position on the map, rounded. @param {Position} point @returns {Position} */
  onMap({ x, y, off }) {
    const { range } = this;
    const tidy = (/** @type {number} */ v) =>
      Math.round(Math.min(range, Math.max(-range, v)) * DECIMALS) / DECIMALS || 0; // not -0
    const tidied = { x: tidy(x), y: tidy(y) };
    return off ? { ...tidied, off } : tidied;
  }

  /** Shows the whole map. */
  reset() {
    this.centre = { x: 0, y: 0 };
    this.half = this.range;
  }

  /** How many times larger than the whole map; 1 ... 64. */
  get zoom() {
    return this.range / this.half;
  }

  /** Pixels in a unit of z. */
  get unit() {
    return this.side / (2 * this.half);
  }

  /**
   * @param {Position} z
   * @returns {Pixel}
   */
  toPixels(z) {
    return {
      px: (z.x - this.centre.x + this.half) * this.unit,
      py: (this.centre.y + this.half - z.y) * this.unit,
    };
  }

  /**
   * @param {Pixel} pixel
   * @returns {Position}
   */
  toLatent({ px, py }) {
    return {
      x: px / this.unit + this.centre.x - this.half,
      y: this.centre.y + this.half - py / this.unit,
    };
  }

  /**
   * Zooms by `factor` and keeps the position under a pixel fixed.
   *
   * @param {Pixel} pixel @param {number} factor
   */
  zoomAt(pixel, factor) {
    const before = this.toLatent(pixel);
    this.#setHalf(this.half / factor);
    const after = this.toLatent(pixel);
    this.moveBy(before.x - after.x, before.y - after.y);
  }

  /**
   * Shows centre - half ... centre + half, as far as the map allows.
   *
   * @param {Position} centre @param {number} half
   */
  show(centre, half) {
    this.#setHalf(half);
    this.centre = { x: 0, y: 0 };
    this.moveBy(centre.x, centre.y);
  }

  /** @param {number} half */
  #setHalf(half) {
    this.half = Math.min(this.range, Math.max(this.range / MAX_ZOOM, half));
  }

  /**
   * Pans the view, never past the edge of the map.
   *
   * @param {number} dx @param {number} dy
   */
  moveBy(dx, dy) {
    const limit = this.range - this.half;
    const clamp = (/** @type {number} */ v) => Math.min(limit, Math.max(-limit, v));
    this.centre = { x: clamp(this.centre.x + dx), y: clamp(this.centre.y + dy) };
  }

  /**
   * Centres the view on z if z is outside it; whether it moved.
   *
   * @param {Position} z
   */
  follow(z) {
    const margin = 0.999 * this.half;
    const { x, y } = this.centre;
    if (Math.abs(z.x - x) <= margin && Math.abs(z.y - y) <= margin) return false;
    this.moveBy(z.x - x, z.y - y);
    return true;
  }

  /** The tick spacing of both axes: 1, 2 or 5 times a power of ten. */
  get step() {
    const rough = (2 * this.half) / TICKS;
    const power = 10 ** Math.floor(Math.log10(rough));
    return power * ([1, 2, 5].find((m) => m * power >= rough) ?? 10);
  }
}

/**
 * The part of the map on the way from one to another: it zooms evenly, and the position that keeps
 * its pixel keeps it all the way.
 *
 * @param {Part} from @param {Part} to @param {number} t 0 ... 1, eased at both ends
 * @returns {Part}
 */
export function partBetween(from, to, t) {
  const eased = t * t * (3 - 2 * t);
  const half = from.half * (to.half / from.half) ** eased;
  const share = to.half === from.half ? eased : (half - from.half) / (to.half - from.half);
  const between = (/** @type {"x" | "y"} */ axis) =>
    from.centre[axis] + share * (to.centre[axis] - from.centre[axis]);
  return { centre: { x: between("x"), y: between("y") }, half };
}
