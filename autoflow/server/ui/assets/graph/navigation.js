// @ts-check
/** Geometry of keyboard and pointer: the card that an arrow key leads to, and the card at a point. */
import { WIDTH } from "./graph-view.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */
/** @typedef {"ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown"} ArrowKey */

const SIDEWAYS_COST = 3; // how much more a pixel across the direction counts than one along it

/** @param {string} key @returns {key is ArrowKey} */
export function isArrowKey(key) {
  return key === "ArrowLeft" || key === "ArrowRight" || key === "ArrowUp" || key === "ArrowDown";
}

/**
 * Return the card that an arrow key leads to: along the graph's arrows left and right, else the nearest that way.
 * @param {GraphView} graph
 * @param {number} card
 * @param {ArrowKey} key
 * @returns {number} -1 for none
 */
export function nextCard(graph, card, key) {
  if (key === "ArrowRight" || key === "ArrowLeft") {
    const neighbours = key === "ArrowRight" ? graph.successors(card) : graph.predecessors(card);
    const next = nearest(graph, card, neighbours, () => true);
    if (next >= 0) return next;
  }
  return nearest(graph, card, graph.keys.keys(), (right, down) => {
    if (key === "ArrowRight") return right > 0;
    if (key === "ArrowLeft") return right < 0;
    return (key === "ArrowDown" ? down > 0 : down < 0) && Math.abs(right) < WIDTH;
  });
}

/**
 * @param {GraphView} graph
 * @param {number} card
 * @param {Iterable<number>} candidates
 * @param {(right: number, down: number) => boolean} matches
 * @returns {number} -1 for none
 */
function nearest(graph, card, candidates, matches) {
  const middle = (/** @type {number} */ n) => (graph.y[n] ?? 0) + (graph.heights[n] ?? 0) / 2;
  let [best, shortest] = [-1, Infinity];
  for (const n of candidates) {
    const [right, down] = [(graph.x[n] ?? 0) - (graph.x[card] ?? 0), middle(n) - middle(card)];
    if (n === card || !graph.isShown(n) || !matches(right, down)) continue;
    const [dx, dy] = [Math.abs(right), Math.abs(down)];
    const distance = dx + dy + Math.min(dx, dy) * (SIDEWAYS_COST - 1);
    if (distance < shortest) [best, shortest] = [n, distance];
  }
  return best;
}

/**
 * Return the card at a point of the world.
 * @param {GraphView} graph
 * @param {number} x
 * @param {number} y
 * @returns {number} -1 for none
 */
export function cardAt(graph, x, y) {
  for (let card = 0; card < graph.size; card += 1) {
    const [left, top] = [graph.x[card] ?? 0, graph.y[card] ?? 0];
    if (!graph.isShown(card)) continue;
    if (x >= left && x <= left + WIDTH && y >= top && y <= top + (graph.heights[card] ?? 0)) return card;
  }
  return -1;
}
