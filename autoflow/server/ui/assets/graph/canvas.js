// @ts-check
/** The canvas below the cards: paints the arrows, and the cards where they are too many or too small for elements. */
import { arrowsWithin, paintArrows } from "./arrow-painter.js";
import { paintCards } from "./card-painter.js";
import { cardsInSight } from "./detail-level.js";
import { WIDTH } from "./graph-view.js";
import { groupsInSight, paintLabels } from "./group-labels.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */
/** @typedef {import("./detail-level.js").DetailLevel} DetailLevel */
/** @typedef {Pick<import("./camera.js").Camera, "x" | "y" | "k" | "width" | "height" | "transform">} View */

const EXPENSIVE = 12; // milliseconds of painting from which the last image is moved and scaled instead
const REUSE_FACTOR = 6; // how long an image is reused, as a multiple of the time it took to paint
const PAPER_RATIO = 2; // pixels of a printed canvas for each of the page
const COLOURS = ["arrow", "accent", "surface", "border", "text", "muted", "canvas"];
const STATE_COLOURS = ["run", "good", "bad", "bad-soft", "running", "lost"];

/** Paints a graph on a canvas. */
export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {View} camera
   */
  constructor(canvas, camera) {
    this.canvas = canvas;
    this.camera = camera;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    /** @type {Set<number> | null} arrows to highlight; null for none */
    this.highlighted = null;
    /** @type {number[]} cards that were chosen to be compared */
    this.chosen = [];
    /** @type {Record<string, string>} */
    this.palette = {};
    /** the image on the canvas: its transform, when it was painted, how long that took, and what it depends on */
    this.lastImage = { x: 0, y: 0, k: 1, width: 0, height: 0, at: 0, cost: 0, inputs: /** @type {unknown[]} */ ([]) };
    this.readColours();
  }

  /** Read the colours of the theme. */
  readColours() {
    const style = getComputedStyle(document.documentElement);
    this.palette = Object.fromEntries(
      [...COLOURS, ...STATE_COLOURS].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
  }

  /**
   * Show the part of the graph in sight. While the camera moves over a graph that is expensive to paint, the last image
   * is moved and scaled instead.
   * @param {GraphView} graph
   * @param {number} selected
   * @param {DetailLevel} level
   * @returns {boolean} whether it must be painted again soon
   */
  draw(graph, selected, level) {
    const { camera, lastImage, canvas } = this;
    const now = performance.now();
    const inputs = [
      graph,
      selected,
      this.highlighted,
      this.chosen,
      this.palette,
      camera.width,
      camera.height,
      graph.details.size,
    ];
    inputs.push(graph.timeline.until);
    const same = inputs.every((value, n) => value === lastImage.inputs[n]);
    if (same && lastImage.cost > EXPENSIVE && now - lastImage.at < lastImage.cost * REUSE_FACTOR) {
      const { x, y, k } = camera;
      const moved = `translate(${(lastImage.x - x) * k}px, ${(lastImage.y - y) * k}px) scale(${k / lastImage.k})`;
      const unmoved = lastImage.x === x && lastImage.y === y && lastImage.k === k;
      canvas.style.transform = unmoved ? "" : moved;
      return !unmoved;
    }
    this._paint(graph, selected, level);
    canvas.style.transform = "";
    Object.assign(lastImage, camera.transform, { at: performance.now(), cost: performance.now() - now, inputs });
    return false;
  }

  /** @param {GraphView} graph @param {number} selected @param {DetailLevel} level */
  _paint(graph, selected, level) {
    const { canvas, camera, context, palette } = this;
    const ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const { x, y, k } = camera;
    context.setTransform(k * ratio, 0, 0, k * ratio, -x * k * ratio, -y * k * ratio);
    const arrows = arrowsWithin(graph, [x, y, x + camera.width / k, y + camera.height / k]);
    paintArrows(context, graph, arrows, { k, highlighted: this.highlighted, palette });
    if (level === "full" || level === "compact") return;
    paintCards(context, graph, cardsInSight(graph, camera), { k, palette });
    this._outline(graph, [graph.entry, selected, ...this.chosen]);
    if (level !== "labels") return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintLabels(context, graph, groupsInSight(graph.groups, camera), camera, palette);
  }

  /** @param {GraphView} graph @param {number[]} cards */
  _outline(graph, cards) {
    const { context, palette, camera } = this;
    context.strokeStyle = palette.accent ?? "";
    context.lineWidth = 3 / camera.k;
    for (const card of cards) {
      if (card >= 0 && graph.isShown(card))
        context.strokeRect(graph.x[card] ?? 0, graph.y[card] ?? 0, WIDTH, graph.heights[card] ?? 0);
    }
  }

  /** Paint the arrows in sight alone, at the resolution of paper. @param {GraphView} graph */
  paintArrows(graph) {
    const { canvas, camera, context, palette } = this;
    Object.assign(canvas, { width: camera.width * PAPER_RATIO, height: camera.height * PAPER_RATIO });
    const { x, y } = camera;
    const k = camera.k * PAPER_RATIO;
    context.setTransform(k, 0, 0, k, -x * k, -y * k);
    const arrows = arrowsWithin(graph, [x, y, x + camera.width / camera.k, y + camera.height / camera.k]);
    paintArrows(context, graph, arrows, { k: camera.k, highlighted: null, palette });
  }

  /**
   * Paint the whole graph as an image of its own: with a background, and with cards at any scale.
   * @param {GraphView} graph
   */
  paintAll(graph) {
    const { canvas, camera, context, palette } = this;
    Object.assign(canvas, { width: Math.ceil(camera.width), height: Math.ceil(camera.height) });
    context.fillStyle = palette.canvas ?? "";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const { x, y, k } = camera;
    context.setTransform(k, 0, 0, k, -x * k, -y * k);
    const arrows = arrowsWithin(graph, [0, 0, graph.width, graph.height]);
    paintArrows(context, graph, arrows, { k, highlighted: null, palette });
    const shown = [...Array(graph.size).keys()].filter((card) => graph.isShown(card));
    paintCards(context, graph, shown, { k, palette });
    this._outline(graph, [graph.entry]);
  }
}
