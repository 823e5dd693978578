// @ts-check
/** The camera: the part of the graph that the stage shows, as the point at its top left and a scale. */

const MAX_SCALE = 2;
const MIN_SCALE = 0.005;
const MARGIN = 32;
export const SIDE_MARGIN = 80; // pixels left, where the zoom buttons are
const FLIGHT_TIME = 220; // milliseconds of an animated move

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** @typedef {{x: number, y: number, k: number}} Transform the world's point at the top left, and the scale */
/** @typedef {{x: number, y: number, width: number, height: number}} Box in coordinates of the world */

/** Maps the world, whose unit is a pixel at scale 1, to the stage. */
export class Camera {
  /**
   * @param {HTMLElement} stage
   * @param {() => void} onMove called after each change
   */
  constructor(stage, onMove) {
    this.stage = stage;
    this.onMove = onMove;
    this.x = 0;
    this.y = 0;
    this.k = 1;
    this.width = stage.clientWidth;
    this.height = stage.clientHeight;
    this.flight = 0;
    /** @type {Transform | null} the end of the move under way */
    this.target = null;
    new ResizeObserver(() => this.measure()).observe(stage);
  }

  /** Read the stage's size; needed at once after the stage was inserted into the page. */
  measure() {
    this.width = this.stage.clientWidth;
    this.height = this.stage.clientHeight;
    this.onMove();
  }

  /** @returns {Transform} */
  get transform() {
    return { x: this.x, y: this.y, k: this.k };
  }

  /**
   * Set the transform.
   * @param {Transform} transform
   * @param {boolean} [animate] unless the person prefers reduced motion
   */
  show(transform, animate = false) {
    cancelAnimationFrame(this.flight);
    this.target = null;
    if (!animate || reducedMotion.matches) {
      Object.assign(this, transform);
      this.onMove();
      return;
    }
    this.target = transform;
    const [from, startTime] = [this.transform, performance.now()];
    const step = () => {
      const progress = Math.min(1, (performance.now() - startTime) / FLIGHT_TIME);
      const eased = 1 - (1 - progress) ** 3;
      // the centre moves evenly while the scale changes
      const k = from.k * (transform.k / from.k) ** eased;
      const middle = (/** @type {"x" | "y"} */ axis, /** @type {number} */ half) => {
        const [start, end] = [from[axis] + half / from.k, transform[axis] + half / transform.k];
        return start + (end - start) * eased - half / k;
      };
      Object.assign(this, { x: middle("x", this.width / 2), y: middle("y", this.height / 2), k });
      if (progress === 1) Object.assign(this, transform, { target: null });
      else this.flight = requestAnimationFrame(step);
      this.onMove();
    };
    step();
  }

  /** Move by pixels of the screen. @param {number} right @param {number} down */
  pan(right, down) {
    this.show({ x: this.x + right / this.k, y: this.y + down / this.k, k: this.k });
  }

  /**
   * Zoom around the point (x, y) of the stage, its centre by default.
   * @param {number} factor
   * @param {number} [x]
   * @param {number} [y]
   * @param {boolean} [animate]
   */
  zoom(factor, x = this.width / 2, y = this.height / 2, animate = false) {
    const k = Math.min(MAX_SCALE, Math.max(MIN_SCALE, this.k * factor));
    this.show({ x: this.x + x / this.k - x / k, y: this.y + y / this.k - y / k, k }, animate);
  }

  /**
   * Return the transform that shows all of a box, at scale 1 or less.
   * @param {Box} box
   * @returns {Transform}
   */
  fitting(box) {
    const left = Math.min(SIDE_MARGIN, this.width / 12);
    const right = Math.min(MARGIN, this.width / 12);
    const wide = Math.max(this.width - left - right, 1) / Math.max(box.width, 1);
    const high = Math.max(this.height - 2 * MARGIN, 1) / Math.max(box.height, 1);
    const k = Math.max(MIN_SCALE, Math.min(1, wide, high));
    const centred = this.centredOn(box, k);
    return { ...centred, x: centred.x - (left - right) / 2 / k };
  }

  /**
   * Return the transform with a box in the middle of the stage.
   * @param {Box} box
   * @param {number} k
   * @returns {Transform}
   */
  centredOn(box, k) {
    return {
      x: box.x + box.width / 2 - this.width / 2 / k,
      y: box.y + box.height / 2 - this.height / 2 / k,
      k,
    };
  }

  /**
   * Move as little as possible to bring a box into sight, from the end of the move under way.
   * @param {Box} box
   * @param {number} [covered] pixels at the bottom of the stage that another element covers
   */
  reveal(box, covered = 0) {
    const from = this.target ?? this.transform;
    const margin = MARGIN / from.k;
    const wide = this.width / from.k;
    const high = (this.height - covered) / from.k;
    const clamp = (
      /** @type {number} */ current,
      /** @type {number} */ start,
      /** @type {number} */ length,
      /** @type {number} */ visible,
    ) => Math.min(Math.max(current, start + length + margin - visible), start - margin);
    const x = clamp(from.x, box.x, box.width, wide);
    const y = clamp(from.y, box.y, box.height, high);
    if (x !== from.x || y !== from.y) this.show({ x, y, k: from.k }, true);
  }

  /** @param {number} x of the stage @param {number} y @returns {[number, number]} the same point in the world */
  toWorld(x, y) {
    return [this.x + x / this.k, this.y + y / this.k];
  }
}
