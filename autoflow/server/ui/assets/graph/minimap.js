// @ts-check
/** The minimap: the whole graph with a frame around the part in sight; a click or a drag moves the camera. */
import { WIDTH } from "./graph-view.js";

const MAX_WIDTH = 200;
const MAX_HEIGHT = 130;
const MARGIN = 6;
const MIN_CARD = 1.2; // pixels, at the least, of a card's sides

/** @typedef {import("./graph-view.js").GraphView} GraphView */

/** Draws the minimap. */
export class Minimap {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./camera.js").Camera} camera
   */
  constructor(canvas, camera) {
    this.canvas = canvas;
    this.camera = camera;
    this.background = document.createElement("canvas");
    this.scale = 1;
    this.frameColour = "";
    this.runColour = "";
    this.failedColour = "";
    /** @type {GraphView | null} */
    this.graph = null;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this._moveCamera(event);
    });
    canvas.addEventListener(
      "pointermove",
      (event) => canvas.hasPointerCapture(event.pointerId) && this._moveCamera(event),
    );
  }

  /** @param {PointerEvent} event */
  _moveCamera(event) {
    const frame = this.canvas.getBoundingClientRect();
    const x = (event.clientX - frame.left - MARGIN) / this.scale;
    const y = (event.clientY - frame.top - MARGIN) / this.scale;
    const { width, height, k } = this.camera;
    this.camera.show({ x: x - width / 2 / k, y: y - height / 2 / k, k });
  }

  /** Draw the cards of a graph; again when the theme changed. @param {GraphView} graph */
  setGraph(graph) {
    this.graph = graph;
    const style = getComputedStyle(this.canvas);
    this.frameColour = style.color;
    this.runColour = style.getPropertyValue("--run");
    this.failedColour = style.getPropertyValue("--bad");
    this.scale = Math.min((MAX_WIDTH - 2 * MARGIN) / graph.width, (MAX_HEIGHT - 2 * MARGIN) / graph.height, 0.2);
    const ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [
      Math.ceil(graph.width * this.scale + 2 * MARGIN),
      Math.ceil(graph.height * this.scale + 2 * MARGIN),
    ];
    for (const canvas of [this.canvas, this.background])
      Object.assign(canvas, { width: width * ratio, height: height * ratio });
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    const context = this.background.getContext("2d");
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    for (let n = 0; n < graph.size; n += 1) {
      if (!graph.isShown(n)) continue;
      const state = graph.states.get(n);
      const type = graph.typeOf(n);
      const colour = type.name === "task" ? this.runColour : type.color;
      context.fillStyle = state === "failed" ? this.failedColour : colour;
      const wide = Math.max(WIDTH * this.scale, MIN_CARD);
      const high = Math.max((graph.heights[n] ?? 0) * this.scale, MIN_CARD);
      context.fillRect(MARGIN + (graph.x[n] ?? 0) * this.scale, MARGIN + (graph.y[n] ?? 0) * this.scale, wide, high);
    }
  }

  /** Draw the frame around the part in sight. */
  draw() {
    const context = this.canvas.getContext("2d");
    if (!context || !this.graph) return;
    const ratio = Math.min(devicePixelRatio, 2);
    const { x, y, k, width, height } = this.camera;
    // a map of what is in sight anyway would only cover it
    const all = x <= 0 && y <= 0 && x + width / k >= this.graph.width && y + height / k >= this.graph.height;
    this.canvas.hidden = all || this.graph.size < 2;
    if (this.canvas.hidden) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.background, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.strokeStyle = this.frameColour;
    context.lineWidth = 2;
    const wide = this.canvas.width / ratio - 2;
    const high = this.canvas.height / ratio - 2;
    const left = Math.max(1, MARGIN + x * this.scale);
    const top = Math.max(1, MARGIN + y * this.scale);
    const right = Math.min(wide, MARGIN + (x + width / k) * this.scale);
    const low = Math.min(high, MARGIN + (y + height / k) * this.scale);
    if (right > left && low > top) context.strokeRect(left, top, right - left, low - top);
  }
}
