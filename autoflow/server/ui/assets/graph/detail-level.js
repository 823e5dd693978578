// @ts-check
/** The level of detail: how much of a card is shown, by how many cards are in sight and how large they are there. */
import { SMALL, WIDTH } from "./graph-view.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */
/** @typedef {{x: number, y: number, k: number, width: number, height: number}} View */
/** @typedef {"full" | "compact" | "painted" | "labels"} DetailLevel */

export const TITLE_SIZE = 12; // pixels on the screen, of a title at any scale at which there is one
const MAX_ELEMENTS = 150; // cards in sight up to which each has an element
const FULL_SCALE = 0.7; // the scale from which all lines of a card can be read
const MIN_HEIGHT = 13; // pixels on the screen of a card with a title
export const OVERHANG = 10; // pixels of the world that a compact card is higher at both sides, into the gaps

/**
 * List the cards of which any part is in sight.
 * @param {GraphView} graph
 * @param {View} view
 * @param {number} [margin] pixels of the screen around it that count, too
 * @returns {number[]}
 */
export function cardsInSight(graph, view, margin = 0) {
  const [left, top] = [view.x - margin / view.k - WIDTH, view.y - margin / view.k];
  const [right, bottom] = [view.x + (view.width + margin) / view.k, view.y + (view.height + margin) / view.k];
  const cards = [];
  for (let n = 0; n < graph.size; n += 1) {
    const [x, y] = [graph.x[n] ?? 0, graph.y[n] ?? 0];
    if (!graph.isShown(n)) continue;
    if (x > left && x < right && y < bottom && y + (graph.heights[n] ?? 0) > top) cards.push(n);
  }
  return cards;
}

/**
 * Choose the level of detail.
 * @param {number} inSight cards in sight
 * @param {number} k the scale
 * @returns {DetailLevel} `full` and `compact` cards are elements, `painted` ones have titles, `labels` name groups only
 */
export function detailLevel(inSight, k) {
  if (!hasTitles(k)) return "labels";
  if (inSight > MAX_ELEMENTS) return "painted";
  return k >= FULL_SCALE ? "full" : "compact";
}

/** @param {number} k the scale @returns {boolean} whether a card has room for a title */
export function hasTitles(k) {
  return SMALL * k >= MIN_HEIGHT;
}

/**
 * Return how many lines of a title fit into a small card.
 * @param {number} k the scale
 */
export function titleLines(k) {
  return Math.max(1, Math.min(3, Math.floor(((SMALL + 2 * OVERHANG) * k) / (TITLE_SIZE * 1.15))));
}
