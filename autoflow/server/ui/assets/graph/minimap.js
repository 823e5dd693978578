// @ts-check
/** The whole scene small, with the frame of what is in sight; a click or a drag in it moves the camera. */
import { COLORS } from "./entity-types.js";
import { TYPES, WIDTH } from "./graph-view.js";

const WIDE = 200;
const HIGH = 130;
const EDGE = 6;
const LEAST = 1.2; // pixels of a card

/** @typedef {import("./graph-view.js").Scene} Scene */

/** The map. */
export class Minimap {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./camera.js").Camera} camera
   */
  constructor(canvas, camera) {
    this.canvas = canvas;
    this.camera = camera;
    this.picture = document.createElement("canvas");
    this.scale = 1;
    this.ink = "";
    /** @type {Scene | null} */
    this.scene = null;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this._go(event);
    });
    canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && this._go(event));
  }

  /** @param {PointerEvent} event */
  _go(event) {
    const frame = this.canvas.getBoundingClientRect();
    const x = (event.clientX - frame.left - EDGE) / this.scale;
    const y = (event.clientY - frame.top - EDGE) / this.scale;
    const { width, height, k } = this.camera;
    this.camera.show({ x: x - width / 2 / k, y: y - height / 2 / k, k });
  }

  /** Draws the cards once for a scene and its colours. @param {Scene} scene */
  take(scene) {
    this.scene = scene;
    this.canvas.hidden = scene.size < 2; // one card needs no map
    this.ink = getComputedStyle(this.canvas).color;
    this.scale = Math.min((WIDE - 2 * EDGE) / scene.width, (HIGH - 2 * EDGE) / scene.height, 0.2);
    const ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [
      Math.ceil(scene.width * this.scale + 2 * EDGE),
      Math.ceil(scene.height * this.scale + 2 * EDGE),
    ];
    for (const canvas of [this.canvas, this.picture])
      Object.assign(canvas, { width: width * ratio, height: height * ratio });
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const context = this.picture.getContext("2d");
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    for (let n = 0; n < scene.size; n += 1) {
      context.fillStyle = COLORS[TYPES[scene.types[n] ?? 0] ?? "file"][0];
      const wide = Math.max(WIDTH * this.scale, LEAST);
      const high = Math.max((scene.h[n] ?? 0) * this.scale, LEAST);
      context.fillRect(EDGE + (scene.x[n] ?? 0) * this.scale, EDGE + (scene.y[n] ?? 0) * this.scale, wide, high);
    }
  }

  /** Draws the frame of what is in sight. */
  draw() {
    const context = this.canvas.getContext("2d");
    if (!context || !this.scene) return;
    const ratio = Math.min(devicePixelRatio, 2);
    const { x, y, k, width, height } = this.camera;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.picture, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.strokeStyle = this.ink;
    context.lineWidth = 2;
    const wide = this.canvas.width / ratio - 2;
    const high = this.canvas.height / ratio - 2;
    const left = Math.max(1, EDGE + x * this.scale);
    const top = Math.max(1, EDGE + y * this.scale);
    const right = Math.min(wide, EDGE + (x + width / k) * this.scale);
    const low = Math.min(high, EDGE + (y + height / k) * this.scale);
    if (right > left && low > top) context.strokeRect(left, top, right - left, low - top);
  }
}
