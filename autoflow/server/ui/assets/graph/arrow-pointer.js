// @ts-check
/** The arrow under the pointer: what it says, and where a click on it leads. */
import { arrowsWithin } from "./arrow-painter.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */

const TOLERANCE = 6; // pixels on the screen
const STEPS = 12; // straight pieces of a curve

/**
 * Return the arrow at a point of the world.
 * @param {GraphView} graph
 * @param {number} x
 * @param {number} y
 * @param {number} k the scale
 * @returns {number} -1 for none
 */
export function arrowAt(graph, x, y, k) {
  const slack = TOLERANCE / k;
  let [best, shortest] = [-1, slack];
  for (const arrow of arrowsWithin(graph, [x - slack, y - slack, x + slack, y + slack])) {
    const distance = distanceTo(graph, arrow, x, y);
    if (distance < shortest) [best, shortest] = [arrow, distance];
  }
  return best;
}

/** @param {GraphView} graph @param {number} arrow @param {number} x @param {number} y */
function distanceTo(graph, arrow, x, y) {
  const { corners } = graph;
  const [first, end] = [graph.cornerStart[arrow] ?? 0, graph.cornerStart[arrow + 1] ?? 0];
  let shortest = Infinity;
  for (let at = first + 2; at < end; at += 2) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = corners.subarray(at - 2, at + 2);
    const pieces = y1 === y2 || x1 === x2 ? 1 : STEPS;
    let [fromX, fromY] = [x1, y1];
    for (let piece = 1; piece <= pieces; piece += 1) {
      const [toX, toY] = pieces === 1 ? [x2, y2] : curvePoint(x1, y1, x2, y2, piece / pieces);
      shortest = Math.min(shortest, distanceToLine(x, y, fromX, fromY, toX, toY));
      [fromX, fromY] = [toX, toY];
    }
  }
  return shortest;
}

/**
 * Return a point of the curve that is level at both ends, as it is painted.
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {number} t from 0 to 1
 * @returns {[number, number]}
 */
function curvePoint(x1, y1, x2, y2, t) {
  const middle = (x1 + x2) / 2;
  const [a, b, c, d] = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3];
  return [a * x1 + (b + c) * middle + d * x2, (a + b) * y1 + (c + d) * y2];
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
function distanceToLine(x, y, x1, y1, x2, y2) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}

/**
 * Return what an arrow says, as ``Train → best.pt: written``.
 * @param {GraphView} graph
 * @param {number} arrow
 */
export function arrowText(graph, arrow) {
  const [source, target] = [graph.source[arrow] ?? 0, graph.target[arrow] ?? 0];
  const name = (/** @type {number} */ card) => graph.detailsOf(card)?.title ?? graph.typeOf(card).label;
  return `${name(source)} → ${name(target)}: ${graph.meaningOf(arrow)}`;
}

/**
 * Return the end of an arrow that is farther from a point.
 * @param {GraphView} graph
 * @param {number} arrow
 * @param {number} x
 */
export function farEnd(graph, arrow, x) {
  const [source, target] = [graph.source[arrow] ?? 0, graph.target[arrow] ?? 0];
  const distance = (/** @type {number} */ card) => Math.abs((graph.x[card] ?? 0) - x);
  return distance(target) >= distance(source) ? target : source;
}
