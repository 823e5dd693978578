// @ts-check
/** Which part of the world the stage shows: a point of the world at the stage's top left, and a scale. */

export const CLOSEST = 2;
const FURTHEST = 0.005;
const MARGIN = 32;
export const ASIDE = 80; // pixels at the sides, where the zoom's buttons are
const MOVE = 220; // milliseconds of a flight

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {{x: number, y: number, k: number}} View */
/** @typedef {{x: number, y: number, width: number, height: number}} Box of the world */

/** The camera; tells whenever it moved. */
export class Camera {
  /**
   * @param {HTMLElement} stage
   * @param {() => void} moved
   */
  constructor(stage, moved) {
    this.stage = stage;
    this.moved = moved;
    this.x = 0;
    this.y = 0;
    this.k = 1;
    this.width = stage.clientWidth;
    this.height = stage.clientHeight;
    this.flight = 0;
    new ResizeObserver(() => this.measure()).observe(stage);
  }

  /** Learns the stage's size; at once when it has just been put into the page. */
  measure() {
    this.width = this.stage.clientWidth;
    this.height = this.stage.clientHeight;
    this.moved();
  }

  /** @returns {View} */
  get view() {
    return { x: this.x, y: this.y, k: this.k };
  }

  /**
   * Shows a view.
   * @param {View} view
   * @param {boolean} [fly] there, where people like movement
   */
  show(view, fly = false) {
    cancelAnimationFrame(this.flight);
    if (!fly || still.matches) {
      Object.assign(this, view);
      this.moved();
      return;
    }
    const [from, began] = [this.view, performance.now()];
    const step = () => {
      const part = Math.min(1, (performance.now() - began) / MOVE);
      const eased = 1 - (1 - part) ** 3;
      // the middle moves evenly, whatever the scale does meanwhile
      const k = from.k * (view.k / from.k) ** eased;
      const middle = (/** @type {"x" | "y"} */ axis, /** @type {number} */ half) => {
        const [start, end] = [from[axis] + half / from.k, view[axis] + half / view.k];
        return start + (end - start) * eased - half / k;
      };
      Object.assign(this, { x: middle("x", this.width / 2), y: middle("y", this.height / 2), k });
      if (part === 1) Object.assign(this, view);
      else this.flight = requestAnimationFrame(step);
      this.moved();
    };
    step();
  }

  /** Moves by pixels of the screen. @param {number} right @param {number} down */
  pan(right, down) {
    this.show({ x: this.x + right / this.k, y: this.y + down / this.k, k: this.k });
  }

  /**
   * Scales; the world's point at (x, y) of the stage stays where it is.
   * @param {number} factor
   * @param {number} [x]
   * @param {number} [y]
   * @param {boolean} [fly]
   */
  zoom(factor, x = this.width / 2, y = this.height / 2, fly = false) {
    const k = Math.min(CLOSEST, Math.max(FURTHEST, this.k * factor));
    this.show({ x: this.x + x / this.k - x / k, y: this.y + y / this.k - y / k, k }, fly);
  }

  /**
   * The view that shows a box whole, at most in full size.
   * @param {Box} box
   * @returns {View}
   */
  fitting(box) {
    const wide = Math.max(this.width - 2 * Math.min(ASIDE, this.width / 12), 1) / Math.max(box.width, 1);
    const high = Math.max(this.height - 2 * MARGIN, 1) / Math.max(box.height, 1);
    return this.centred(box, Math.max(FURTHEST, Math.min(1, wide, high)));
  }

  /**
   * The view with a box in the middle.
   * @param {Box} box
   * @param {number} k
   * @returns {View}
   */
  centred(box, k) {
    return {
      x: box.x + box.width / 2 - this.width / 2 / k,
      y: box.y + box.height / 2 - this.height / 2 / k,
      k,
    };
  }

  /**
   * Moves no further than needed to have a box in sight.
   * @param {Box} box
   * @param {number} [covered] pixels at the bottom that something lies over
   */
  reveal(box, covered = 0) {
    const margin = MARGIN / this.k;
    const wide = this.width / this.k;
    const high = (this.height - covered) / this.k;
    const near = (
      /** @type {number} */ now,
      /** @type {number} */ low,
      /** @type {number} */ size,
      /** @type {number} */ room,
    ) => Math.min(Math.max(now, low + size + margin - room), low - margin);
    const x = near(this.x, box.x, box.width, wide);
    const y = near(this.y, box.y, box.height, high);
    if (x !== this.x || y !== this.y) this.show({ x, y, k: this.k }, true);
  }

  /** @param {number} x of the stage @param {number} y @returns {[number, number]} of the world */
  world(x, y) {
    return [this.x + x / this.k, this.y + y / this.k];
  }
}
