// @ts-check
/** Paints cards on a canvas whose transform is the camera's, where they are too many or too small for elements. */
import { ENTITY_TYPES } from "../entity-types.js";
import { hasTitles, OVERHANG, TITLE_SIZE, titleLines } from "./detail-level.js";
import { WIDTH } from "./graph-view.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */
/** @typedef {{k: number, palette: Record<string, string>}} Style */

const EDGE = 8; // pixels of the world, of a run's edge
const LINE_HEIGHT = 1.2; // relative to the font size
const MIN_CARD = 2; // pixels on the screen of a card's sides
const MIN_FAILED = 5; // pixels on the screen of a failed run's sides
const RADIUS = 10;
const FONT = '"Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif';

/** @type {Map<string, Path2D>} */
const drawings = new Map(ENTITY_TYPES.map((type) => [type.name, new Path2D(type.drawing)]));

/**
 * Paint cards: with icon, title and state if there is room, else as boxes in the colours of their types. A failed run
 * is red at any scale, and never smaller than a few pixels.
 * @param {CanvasRenderingContext2D} context
 * @param {GraphView} graph
 * @param {number[]} cards
 * @param {Style} style
 */
export function paintCards(context, graph, cards, style) {
  if (hasTitles(style.k)) for (const n of cards) paintCard(context, graph, n, style);
  else paintBoxes(context, graph, cards, style);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {GraphView} graph
 * @param {number[]} cards
 * @param {Style} style
 */
function paintBoxes(context, graph, cards, { k, palette }) {
  /** @type {Map<string, number[]>} */
  const byColour = new Map();
  const failed = [];
  for (const n of cards) {
    const state = graph.states.get(n);
    if (state === "failed") failed.push(n);
    else {
      const type = graph.typeOf(n);
      const colour = type.name === "task" ? (palette.run ?? "") : type.color;
      const group = byColour.get(colour);
      if (group) group.push(n);
      else byColour.set(colour, [n]);
    }
  }
  for (const [colour, group] of byColour) fillBoxes(context, graph, group, colour, MIN_CARD / k);
  fillBoxes(context, graph, failed, palette.bad ?? "", MIN_FAILED / k);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {GraphView} graph
 * @param {number[]} cards
 * @param {string} colour
 * @param {number} least the least side
 */
function fillBoxes(context, graph, cards, colour, least) {
  context.fillStyle = colour;
  for (const n of cards) {
    const [x, y, height] = [graph.x[n] ?? 0, graph.y[n] ?? 0, graph.heights[n] ?? 0];
    context.fillRect(x, y, Math.max(WIDTH, least), Math.max(height, least));
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {GraphView} graph
 * @param {number} n
 * @param {Style} style
 */
function paintCard(context, graph, n, { k, palette }) {
  const over = k < 0.7 ? OVERHANG : 0;
  const [x, y, height] = [graph.x[n] ?? 0, (graph.y[n] ?? 0) - over, (graph.heights[n] ?? 0) + 2 * over];
  const state = graph.states.get(n);
  const type = graph.typeOf(n);
  const isFailed = state === "failed";
  context.fillStyle = (isFailed ? palette["bad-soft"] : palette.surface) ?? "";
  context.strokeStyle = (isFailed ? palette.bad : palette.border) ?? "";
  context.lineWidth = 1 / k;
  context.beginPath();
  context.roundRect(x, y, WIDTH, height, RADIUS);
  context.fill();
  context.stroke();
  const edge = state ? Math.max(EDGE, 3 / k) : 0;
  if (edge) {
    context.fillStyle = palette[STATE_COLOURS[state ?? ""] ?? "lost"] ?? "";
    context.fillRect(x, y, edge, height);
  }
  const side = Math.min(54, height - 16);
  const left = x + edge + 12;
  paintIcon(context, type, left, y + (height - side) / 2, side, isFailed ? (palette.bad ?? "") : "");
  const title = graph.detailsOf(n)?.title;
  if (!title) return;
  context.fillStyle = palette.text ?? "";
  const size = Math.max(15, TITLE_SIZE / k);
  context.font = `600 ${size}px ${FONT}`;
  context.textBaseline = "middle";
  const room = x + WIDTH - 8 - (left + side + 10);
  const lines = wrapTitle(title, Math.max(3, Math.floor((room / size) * 1.85)), titleLines(k), type.name === "folder");
  const middle = y + height / 2 - ((lines.length - 1) * size * LINE_HEIGHT) / 2;
  for (const [row, line] of lines.entries())
    context.fillText(line, left + side + 10, middle + row * size * LINE_HEIGHT, room);
}

/** @type {Record<string, string>} */
const STATE_COLOURS = { finished: "good", ended: "good", failed: "bad", running: "running", lost: "lost" };

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("../entity-types.js").EntityType} type
 * @param {number} x
 * @param {number} y
 * @param {number} side
 * @param {string} colour empty for the type's
 */
function paintIcon(context, type, x, y, side, colour) {
  const drawing = drawings.get(type.name);
  if (!drawing) return;
  context.save();
  context.translate(x, y);
  context.scale(side / 24, side / 24);
  Object.assign(context, { strokeStyle: colour || type.color, lineWidth: 2, lineCap: "round", lineJoin: "round" });
  context.stroke(drawing);
  context.restore();
}

/**
 * Wrap a title to at most two lines. A longer path loses its beginning, any other title its end.
 * @param {string} title
 * @param {number} columns letters of a line
 * @param {number} rows lines that fit
 * @param {boolean} isPath
 * @returns {string[]}
 */
function wrapTitle(title, columns, rows, isPath) {
  if (title.length <= columns) return [title];
  if (rows === 1) return [isPath ? `…${title.slice(1 - columns)}` : `${title.slice(0, columns - 1)}…`];
  const text = isPath && title.length > 2 * columns ? `…${title.slice(2 - 2 * columns)}` : title;
  const before = [" ", "/"].map((sign) => text.lastIndexOf(sign, columns));
  const after = ["_", "-"].map((sign) => text.lastIndexOf(sign, columns - 1) + 1);
  const gap = Math.max(...before, ...after);
  const split = gap > columns / 3 ? gap : columns;
  const rest = text.slice(split).trim();
  return [text.slice(0, split), rest.length <= columns ? rest : `${rest.slice(0, columns - 1)}…`];
}
