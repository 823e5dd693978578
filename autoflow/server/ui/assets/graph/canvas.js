// @ts-check
/** The canvas below the cards: paints the arrows, and the cards too when they are too small to read. */

import { ENTITY_TYPES } from "../entity-types.js";
import { WIDTH } from "./graph-view.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */
/** @typedef {Pick<import("./camera.js").Camera, "x" | "y" | "k" | "width" | "height" | "transform">} View */

export const CARD_SCALE = 0.4; // the scale from which cards are DOM elements
export const TITLE_SCALE = 0.16; // the scale from which painted cards have titles
const CURVE_SCALE = 0.08; // the scale from which a curve differs visibly from a line
const HEAD_LENGTH = 9;
const STRIPE_WIDTH = 40; // pixels of the coloured stripe of a painted card
const LINE_HEIGHT = 1.15; // relative to the font size
const EXPENSIVE = 12; // milliseconds of painting from which the last image is moved and scaled instead
const REUSE_FACTOR = 6; // how long an image is reused, as a multiple of the time it took to paint

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
    /** @type {Record<string, string>} */
    this.palette = {};
    /** the image on the canvas: its transform, when it was painted, how long that took, and what it depends on */
    this.lastImage = { x: 0, y: 0, k: 1, width: 0, height: 0, at: 0, cost: 0, inputs: /** @type {unknown[]} */ ([]) };
    this.readColours();
  }

  /** Read the colours of the theme. */
  readColours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["arrow", "accent", "surface", "text", "bad", "canvas"];
    this.palette = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  }

  /**
   * Show the part of the graph in sight. While the camera moves over a graph that is expensive to paint, the last image
   * is moved and scaled instead.
   * @param {GraphView} graph
   * @param {number} selected
   * @returns {boolean} whether it must be painted again soon
   */
  draw(graph, selected) {
    const { camera, lastImage, canvas } = this;
    const now = performance.now();
    const inputs = [graph, selected, this.highlighted, this.palette, camera.width, camera.height];
    const same = inputs.every((value, n) => value === lastImage.inputs[n]);
    if (same && lastImage.cost > EXPENSIVE && now - lastImage.at < lastImage.cost * REUSE_FACTOR) {
      const { x, y, k } = camera;
      const moved = `translate(${(lastImage.x - x) * k}px, ${(lastImage.y - y) * k}px) scale(${k / lastImage.k})`;
      const unmoved = lastImage.x === x && lastImage.y === y && lastImage.k === k;
      canvas.style.transform = unmoved ? "" : moved;
      return !unmoved;
    }
    this._paint(graph, selected);
    canvas.style.transform = "";
    Object.assign(lastImage, camera.transform, { at: performance.now(), cost: performance.now() - now, inputs });
    return false;
  }

  /** @param {GraphView} graph @param {number} selected */
  _paint(graph, selected) {
    const { canvas, camera, context } = this;
    const ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(
      camera.k * ratio,
      0,
      0,
      camera.k * ratio,
      -camera.x * camera.k * ratio,
      -camera.y * camera.k * ratio,
    );
    const bounds = [camera.x, camera.y, camera.x + camera.width / camera.k, camera.y + camera.height / camera.k];
    const arrows = this._arrowsWithin(graph, bounds);
    this._paintArrows(graph, arrows);
    if (camera.k < CARD_SCALE) this._paintCards(graph, bounds, selected);
  }

  /**
   * Paint the whole graph as an image of its own: with a background, and with cards at any scale.
   * @param {GraphView} graph
   */
  paintAll(graph) {
    const { canvas, camera, context } = this;
    Object.assign(canvas, { width: Math.ceil(camera.width), height: Math.ceil(camera.height) });
    context.fillStyle = this.palette.canvas ?? "";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(camera.k, 0, 0, camera.k, -camera.x * camera.k, -camera.y * camera.k);
    this._paintArrows(graph, [...Array(graph.arrowCount).keys()]);
    this._paintCards(graph, [camera.x, camera.y, Infinity, Infinity], -1);
  }

  /** @param {GraphView} graph @param {number[]} bounds @returns {number[]} the arrows that may cross them */
  _arrowsWithin(graph, [left = 0, top = 0, right = 0, bottom = 0]) {
    const { arrowBounds } = graph;
    const visible = [];
    for (let n = 0, at = 0; n < graph.arrowCount; n += 1, at += 4) {
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [
        arrowBounds[at],
        arrowBounds[at + 1],
        arrowBounds[at + 2],
        arrowBounds[at + 3],
      ];
      if (x2 >= left && x1 <= right && y2 >= top && y1 <= bottom) visible.push(n);
    }
    return visible;
  }

  /** @param {GraphView} graph @param {number[]} arrows */
  _paintArrows(graph, arrows) {
    const { context, highlighted, palette } = this;
    const thin = Math.max(1.5, 0.9 / this.camera.k);
    const faint = highlighted ? arrows.filter((arrow) => !highlighted.has(arrow)) : arrows;
    context.globalAlpha = highlighted ? 0.25 : 1;
    this._strokeArrows(graph, faint, palette.arrow ?? "", thin);
    context.globalAlpha = 1;
    if (highlighted)
      this._strokeArrows(
        graph,
        arrows.filter((arrow) => highlighted.has(arrow)),
        palette.accent ?? "",
        thin * 2,
      );
  }

  /** @param {GraphView} graph @param {number[]} arrows @param {string} colour @param {number} lineWidth */
  _strokeArrows(graph, arrows, colour, lineWidth) {
    const { context } = this;
    const k = this.camera.k;
    const styles = /** @type {const} */ ([
      [[], arrows.filter((n) => !graph.isBackward(n) && !graph.isVersion(n))],
      [[2, 3], arrows.filter((n) => !graph.isBackward(n) && graph.isVersion(n))],
      [[7, 5], arrows.filter((n) => graph.isBackward(n))],
    ]);
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineWidth = lineWidth;
    for (const [dashes, group] of styles) {
      if (!group.length) continue;
      context.setLineDash(k < TITLE_SCALE ? [] : dashes.map((dash) => dash * Math.max(1, lineWidth / 1.5)));
      context.beginPath();
      for (const arrow of group) this._traceArrow(graph, arrow, k < CURVE_SCALE);
      context.stroke();
    }
    context.setLineDash([]);
    if (k < CURVE_SCALE) return;
    context.beginPath();
    for (const arrow of arrows) this._traceHead(graph, arrow, Math.max(1, lineWidth / 2));
    context.fill();
  }

  /** @param {GraphView} graph @param {number} arrow @param {boolean} straight */
  _traceArrow(graph, arrow, straight) {
    const { context } = this;
    const { corners } = graph;
    const [first, end] = [graph.cornerStart[arrow] ?? 0, graph.cornerStart[arrow + 1] ?? 0];
    let [x = 0, y = 0] = [corners[first], corners[first + 1]];
    context.moveTo(x, y);
    for (let at = first + 2; at < end; at += 2) {
      const [nextX = 0, nextY = 0] = [corners[at], corners[at + 1]];
      const middle = (x + nextX) / 2;
      if (straight || y === nextY || x === nextX) context.lineTo(nextX, nextY);
      else context.bezierCurveTo(middle, y, middle, nextY, nextX, nextY);
      [x, y] = [nextX, nextY];
    }
  }

  /** @param {GraphView} graph @param {number} arrow @param {number} scale */
  _traceHead(graph, arrow, scale) {
    const { context } = this;
    const end = graph.cornerStart[arrow + 1] ?? 0;
    const [before = 0, , x = 0, y = 0] = graph.corners.subarray(end - 4, end);
    const back = x > before ? x - HEAD_LENGTH * scale : x + HEAD_LENGTH * scale;
    context.moveTo(x, y);
    context.lineTo(back, y - 5 * scale);
    context.lineTo(back, y + 5 * scale);
  }

  /** @param {GraphView} graph @param {number[]} bounds @param {number} selected */
  _paintCards(graph, [left = 0, top = 0, right = 0, bottom = 0], selected) {
    const { context, palette } = this;
    const k = this.camera.k;
    /** @type {number[][]} */
    const cardsByType = ENTITY_TYPES.map(() => []);
    for (let n = 0; n < graph.size; n += 1) {
      const [x, y] = [graph.x[n] ?? 0, graph.y[n] ?? 0];
      if (x + WIDTH >= left && x <= right && y + (graph.heights[n] ?? 0) >= top && y <= bottom)
        cardsByType[graph.types[n] ?? 0]?.push(n);
    }
    const framed = k >= CURVE_SCALE;
    const stripe = framed ? STRIPE_WIDTH : WIDTH;
    if (framed) this._fillBoxes(graph, cardsByType.flat(), WIDTH, palette.surface ?? "");
    for (const [n, cards] of cardsByType.entries()) this._fillBoxes(graph, cards, stripe, ENTITY_TYPES[n]?.color ?? "");
    if (k >= TITLE_SCALE) {
      this._fillBoxes(
        graph,
        cardsByType.flat().filter((n) => graph.detailsOf(n)?.state === "failed"),
        stripe,
        palette.bad ?? "",
      );
      this._paintTitles(graph, cardsByType.flat());
    }
    for (const card of [graph.entry, selected]) {
      if (card < 0) continue;
      context.strokeStyle = palette.accent ?? "";
      context.lineWidth = 3 / k;
      context.strokeRect(graph.x[card] ?? 0, graph.y[card] ?? 0, WIDTH, graph.heights[card] ?? 0);
    }
  }

  /** @param {GraphView} graph @param {number[]} cards @param {number} width @param {string} colour */
  _fillBoxes(graph, cards, width, colour) {
    this.context.fillStyle = colour;
    for (const n of cards) this.context.fillRect(graph.x[n] ?? 0, graph.y[n] ?? 0, width, graph.heights[n] ?? 0);
  }

  /** @param {GraphView} graph @param {number[]} cards */
  _paintTitles(graph, cards) {
    const { context, palette } = this;
    const fontSize = Math.min(34, 11 / this.camera.k);
    context.font = `600 ${fontSize}px "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif`;
    context.textBaseline = "middle";
    context.fillStyle = palette.text ?? "";
    const columns = Math.max(2, Math.floor(((WIDTH - STRIPE_WIDTH - 24) / fontSize) * 1.85));
    for (const n of cards) {
      const title = graph.detailsOf(n)?.title;
      if (!title) continue;
      const lines = wrapTitle(title, columns, graph.typeOf(n).name === "folder");
      const middle =
        (graph.y[n] ?? 0) + (graph.heights[n] ?? 0) / 2 - ((lines.length - 1) * fontSize * LINE_HEIGHT) / 2;
      for (const [row, line] of lines.entries()) {
        context.fillText(line, (graph.x[n] ?? 0) + STRIPE_WIDTH + 12, middle + row * fontSize * LINE_HEIGHT);
      }
    }
  }
}

/**
 * Wrap a title to at most two lines. A longer path loses its beginning, any other title its end.
 * @param {string} title
 * @param {number} columns letters of a line
 * @param {boolean} isPath
 * @returns {string[]}
 */
function wrapTitle(title, columns, isPath) {
  if (title.length <= columns) return [title];
  const text = isPath && title.length > 2 * columns ? `…${title.slice(2 - 2 * columns)}` : title;
  const before = [" ", "/"].map((sign) => text.lastIndexOf(sign, columns));
  const after = ["_", "-"].map((sign) => text.lastIndexOf(sign, columns - 1) + 1);
  const gap = Math.max(...before, ...after);
  const split = gap > columns / 3 ? gap : columns;
  const rest = text.slice(split).trim();
  return [text.slice(0, split), rest.length <= columns ? rest : `${rest.slice(0, columns - 1)}…`];
}
