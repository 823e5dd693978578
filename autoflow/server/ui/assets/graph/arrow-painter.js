// @ts-check
/** Paints arrows on a canvas whose transform is the camera's. */

/** @typedef {import("./graph-view.js").GraphView} GraphView */

const CURVE_SCALE = 0.08; // the scale from which a curve differs visibly from a line
const DASH_SCALE = 0.12; // the scale from which dashes can be told apart
const HEAD_LENGTH = 9;
const COUNT_SCALE = 0.2; // the scale from which the counts of merged arrows have room
const COUNT_SIZE = 11; // pixels on the screen

/**
 * List the arrows that may cross a rectangle.
 * @param {GraphView} graph
 * @param {number[]} bounds left, top, right and bottom
 */
export function arrowsWithin(graph, [left = 0, top = 0, right = 0, bottom = 0]) {
  const { arrowBounds } = graph;
  const visible = [];
  for (let n = 0, at = 0; n < graph.arrowCount; n += 1, at += 4) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [
      arrowBounds[at],
      arrowBounds[at + 1],
      arrowBounds[at + 2],
      arrowBounds[at + 3],
    ];
    if (x2 < left || x1 > right || y2 < top || y1 > bottom) continue;
    if (graph.isShown(graph.source[n] ?? 0) && graph.isShown(graph.target[n] ?? 0)) visible.push(n);
  }
  return visible;
}

/**
 * Paint arrows, those that are highlighted over the others.
 * @param {CanvasRenderingContext2D} context
 * @param {GraphView} graph
 * @param {number[]} arrows
 * @param {object} style
 * @param {number} style.k the scale
 * @param {Set<number> | null} style.highlighted null for none
 * @param {Record<string, string>} style.palette
 */
export function paintArrows(context, graph, arrows, { k, highlighted, palette }) {
  const thin = Math.max(1.5, 0.9 / k);
  const faint = highlighted ? arrows.filter((arrow) => !highlighted.has(arrow)) : arrows;
  context.globalAlpha = highlighted ? 0.25 : 1;
  strokeArrows(context, graph, faint, palette.arrow ?? "", thin, k);
  context.globalAlpha = 1;
  const above = highlighted ? arrows.filter((arrow) => highlighted.has(arrow)) : [];
  if (above.length) strokeArrows(context, graph, above, palette.accent ?? "", thin * 2, k);
  if (graph.edgeCounts.size && k >= COUNT_SCALE) paintCounts(context, graph, highlighted ? above : arrows, k, palette);
}

/**
 * Paint on each arrow of a folded group how many it stands for.
 * @param {CanvasRenderingContext2D} context
 * @param {GraphView} graph
 * @param {number[]} arrows
 * @param {number} k
 * @param {Record<string, string>} palette
 */
function paintCounts(context, graph, arrows, k, palette) {
  const size = Math.max(COUNT_SIZE, COUNT_SIZE / k);
  Object.assign(context, { font: `600 ${size}px sans-serif`, textAlign: "center", textBaseline: "middle" });
  Object.assign(context, { lineJoin: "round", lineWidth: size / 3, strokeStyle: palette.canvas ?? "" });
  context.fillStyle = palette.muted ?? "";
  for (const arrow of arrows) {
    const edges = graph.edgeCounts.get(arrow);
    const ends = [graph.keys[graph.source[arrow] ?? 0], graph.keys[graph.target[arrow] ?? 0]];
    // a cluster's title says its number
    if (!edges || !ends.some((key) => key?.startsWith("group:"))) continue;
    const end = graph.cornerStart[arrow + 1] ?? 0;
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = graph.corners.subarray(end - 4, end);
    context.strokeText(`×${edges}`, (x1 + x2) / 2, (y1 + y2) / 2);
    context.fillText(`×${edges}`, (x1 + x2) / 2, (y1 + y2) / 2);
  }
  context.textAlign = "start";
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {GraphView} graph
 * @param {number[]} arrows
 * @param {string} colour
 * @param {number} lineWidth
 * @param {number} k
 */
function strokeArrows(context, graph, arrows, colour, lineWidth, k) {
  /** @type {Map<string, [number[], number[]]>} */
  const groups = new Map();
  for (const arrow of arrows) {
    const dashes = graph.dashesOf(arrow);
    const group = groups.get(String(dashes)) ?? [dashes, []];
    group[1].push(arrow);
    groups.set(String(dashes), group);
  }
  Object.assign(context, { strokeStyle: colour, fillStyle: colour, lineWidth });
  for (const [dashes, group] of groups.values()) {
    context.setLineDash(k < DASH_SCALE ? [] : dashes.map((dash) => dash * Math.max(1, lineWidth / 1.5)));
    context.beginPath();
    for (const arrow of group) traceArrow(context, graph, arrow, k < CURVE_SCALE);
    context.stroke();
  }
  context.setLineDash([]);
  if (k < CURVE_SCALE) return;
  context.beginPath();
  for (const arrow of arrows) traceHead(context, graph, arrow, Math.max(1, lineWidth / 2));
  context.fill();
}

/**
 * Add an arrow's line to the current path.
 * @param {CanvasRenderingContext2D | Path2D} path
 * @param {GraphView} graph
 * @param {number} arrow
 * @param {boolean} straight
 */
export function traceArrow(path, graph, arrow, straight) {
  const { corners } = graph;
  const [first, end] = [graph.cornerStart[arrow] ?? 0, graph.cornerStart[arrow + 1] ?? 0];
  let [x = 0, y = 0] = [corners[first], corners[first + 1]];
  path.moveTo(x, y);
  for (let at = first + 2; at < end; at += 2) {
    const [nextX = 0, nextY = 0] = [corners[at], corners[at + 1]];
    const middle = (x + nextX) / 2;
    if (straight || y === nextY || x === nextX) path.lineTo(nextX, nextY);
    else path.bezierCurveTo(middle, y, middle, nextY, nextX, nextY);
    [x, y] = [nextX, nextY];
  }
}

/** @param {CanvasRenderingContext2D} context @param {GraphView} graph @param {number} arrow @param {number} scale */
function traceHead(context, graph, arrow, scale) {
  const end = graph.cornerStart[arrow + 1] ?? 0;
  const [before = 0, , x = 0, y = 0] = graph.corners.subarray(end - 4, end);
  const back = x > before ? x - HEAD_LENGTH * scale : x + HEAD_LENGTH * scale;
  context.moveTo(x, y);
  context.lineTo(back, y - 5 * scale);
  context.lineTo(back, y + 5 * scale);
}
