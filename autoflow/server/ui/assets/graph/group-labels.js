// @ts-check
/** Labels of fixed size on groups of connected cards, where single cards are too small for titles. */
import { count } from "../format.js";
import { WIDTH } from "./graph-view.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */
/** @typedef {import("./detail-level.js").View} View */
/**
 * @typedef {object} Group cards that are connected by arrows, or one card with many neighbours
 * @property {number} card the card whose title names it
 * @property {number} size its cards; 0 for a single card
 * @property {number} weight of two labels that overlap, the one of the lighter group is left out
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 */

const MAX_LABELS = 40;
const FONT_SIZE = 13; // pixels on the screen
const HEIGHT = 20; // pixels on the screen
const LOW = 26; // pixels on the screen of a group that its label would cover
const HUB = 8; // neighbours from which a card has a label of its own
const NAMING_TYPES = ["project", "dataset", "model_weight", "job"]; // a group is named by a card of the first of these
const FONT = `600 ${FONT_SIZE}px "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif`;

/**
 * Return the groups of a graph, the largest first.
 * @param {GraphView} graph
 * @returns {Group[]}
 */
export function findGroups(graph) {
  const roots = componentRoots(graph);
  /** @type {Map<number, Group>} by the root of the component */
  const components = new Map();
  for (let n = 0; n < graph.size; n += 1) {
    if (!graph.isShown(n)) continue;
    const root = roots[n] ?? 0;
    const [left, top] = [graph.x[n] ?? 0, graph.y[n] ?? 0];
    const box = { left, top, right: left + WIDTH, bottom: top + (graph.heights[n] ?? 0) };
    const group = components.get(root);
    if (!group) {
      components.set(root, { card: n, size: 1, weight: 1, ...box });
      continue;
    }
    group.size += 1;
    group.weight += 1;
    if (namingRank(graph, n) > namingRank(graph, group.card)) group.card = n;
    group.left = Math.min(group.left, box.left);
    group.top = Math.min(group.top, box.top);
    group.right = Math.max(group.right, box.right);
    group.bottom = Math.max(group.bottom, box.bottom);
  }
  const naming = new Set([...components.values()].map((group) => group.card));
  const hubs = [];
  for (let n = 0; n < graph.size; n += 1) {
    if (!graph.isShown(n) || naming.has(n) || (degree(graph, n) < HUB && graph.typeOf(n).name !== "project")) continue;
    const [left, top] = [graph.x[n] ?? 0, graph.y[n] ?? 0];
    const box = { left, top, right: left + WIDTH, bottom: top + (graph.heights[n] ?? 0) };
    hubs.push({ card: n, size: 0, weight: degree(graph, n), ...box });
  }
  return [...components.values(), ...hubs].sort((a, b) => b.weight - a.weight);
}

/** @param {GraphView} graph @param {number} card */
function degree(graph, card) {
  return (graph.incoming[card]?.length ?? 0) + (graph.outgoing[card]?.length ?? 0);
}

/** @param {GraphView} graph @param {number} card @returns {number} higher for a card that names its group better */
function namingRank(graph, card) {
  const order = NAMING_TYPES.indexOf(graph.typeOf(card).name);
  return (order < 0 ? 0 : NAMING_TYPES.length - order) * 1e6 + degree(graph, card);
}

/** @param {GraphView} graph @returns {Int32Array} for each card, one card of its component, by union-find */
function componentRoots(graph) {
  const parent = Int32Array.from({ length: graph.size }, (_, n) => n);
  const root = (/** @type {number} */ n) => {
    while (parent[n] !== n) {
      parent[n] = parent[parent[n] ?? 0] ?? 0;
      n = parent[n] ?? 0;
    }
    return n;
  };
  for (let arrow = 0; arrow < graph.arrowCount; arrow += 1) {
    const [source, target] = [root(graph.source[arrow] ?? 0), root(graph.target[arrow] ?? 0)];
    parent[Math.max(source, target)] = Math.min(source, target);
  }
  return parent.map((_, n) => root(n));
}

/**
 * List the groups in sight, at most as many as there may be labels and some more, as labels may overlap.
 * @param {Group[]} groups
 * @param {View} view
 */
export function groupsInSight(groups, view) {
  const [right, bottom] = [view.x + view.width / view.k, view.y + view.height / view.k];
  return groups
    .filter((group) => group.right > view.x && group.left < right && group.bottom > view.y && group.top < bottom)
    .slice(0, 2 * MAX_LABELS);
}

/** @param {Group} group @param {View} view @returns {boolean} whether the label of a group stands beside it */
function isBeside(group, view) {
  return group.size > 1 && (group.bottom - group.top) * view.k < LOW;
}

/**
 * @param {Group[]} groups
 * @param {Group} own
 * @param {number[]} box of a label, in pixels of the screen
 * @param {View} view
 * @returns {boolean} whether it would cover a part of another group
 */
function covers(groups, own, [left = 0, top = 0, right = 0, bottom = 0], view) {
  const [x1, x2] = [view.x + left / view.k, view.x + right / view.k];
  const [y1, y2] = [view.y + top / view.k, view.y + bottom / view.k];
  return groups.some(
    (group) =>
      group !== own && group.size > 1 && group.left < x2 && group.right > x1 && group.top < y2 && group.bottom > y1,
  );
}

/**
 * Return the start of a group's label: above it, or beside it if it is lower than its label.
 * @param {Group} group
 * @param {View} view
 * @returns {[number, number]} pixels of the screen
 */
function labelPosition(group, view) {
  const [top, bottom] = [(group.top - view.y) * view.k, (group.bottom - view.y) * view.k];
  if (isBeside(group, view)) return [(group.right - view.x) * view.k + 8, (top + bottom) / 2];
  return [Math.max(8, (group.left - view.x) * view.k), Math.max(HEIGHT, top - HEIGHT / 2 - 2)];
}

/**
 * Paint the labels of groups, in pixels of the screen.
 * @param {CanvasRenderingContext2D} context
 * @param {GraphView} graph
 * @param {Group[]} groups in sight
 * @param {View} view
 * @param {Record<string, string>} palette
 */
export function paintLabels(context, graph, groups, view, palette) {
  /** @type {number[][]} left, top, right and bottom of the labels so far */
  const painted = [];
  Object.assign(context, { font: FONT, textBaseline: "middle", lineJoin: "round", lineWidth: 4 });
  for (const group of groups) {
    const title = graph.detailsOf(group.card)?.title;
    if (!title || painted.length === MAX_LABELS) continue;
    const text = group.size > 1 ? `${title} · ${count(group.size, "card")}` : title;
    const [x, y] = labelPosition(group, view);
    const box = [x - 4, y - HEIGHT / 2, x + context.measureText(text).width + 4, y + HEIGHT / 2];
    const [left = 0, top = 0, right = 0, bottom = 0] = box;
    if (isBeside(group, view) && covers(groups, group, box, view)) continue;
    const overlaps = painted.some(([l = 0, t = 0, r = 0, b = 0]) => left < r && right > l && top < b && bottom > t);
    if (overlaps) continue;
    painted.push(box);
    context.strokeStyle = palette.canvas ?? "";
    context.strokeText(text, x, y);
    context.fillStyle = palette.text ?? "";
    context.fillText(text, x, y);
  }
}
