// @ts-check
/** Labels drawn on a canvas: rectangles, polygons, lines, points, keypoints, ellipses, and masks in their class's colour. */
import { safeColour } from "./widgets.js";

/**
 * @typedef {[number, number]} Point
 * @typedef {{exterior?: Point[], interior?: Point[][]}} Points
 * @typedef {{id: number, classId: number, geometryType?: string, shape?: string, points?: Points,
 *   bitmap?: {data?: string, origin?: Point}, nodes?: Record<string, {loc?: Point, disabled?: boolean}>,
 *   tags?: {tagId: number, value?: unknown}[]}} Label
 * @typedef {{id: number, title: string, shape?: string, color?: string, geometry_config?: {edges?: {src: string, dst: string}[]}}} Class
 * @typedef {{scale: number, x: number, y: number}} View where the image's corner is on the canvas, and how large a pixel is
 */

const FILL = 0.28; // how much of its colour the inside of a label has
const DASH = 4;

/** @type {Map<string, Promise<ImageBitmap | null>>} masks that were read, by what they are made of and coloured by */
const masks = new Map();
const KEPT = 300;

/**
 * Draws labels.
 * @param {CanvasRenderingContext2D} context
 * @param {Label[]} labels
 * @param {Map<number, Class>} classes
 * @param {View} view
 * @param {{chosen?: number | null, hidden?: Set<number>, line?: number}} [how] `chosen` stands out; `hidden` are classes
 * @returns {Promise<void>[]} masks that are being read: draw again when they are
 */
export function drawLabels(context, labels, classes, view, how = {}) {
  const pending = [];
  for (const label of labels) {
    if (how.hidden?.has(label.classId)) continue;
    const known = classes.get(label.classId);
    const colour = safeColour(known?.color);
    const faint = how.chosen !== undefined && how.chosen !== null && how.chosen !== label.id;
    context.save();
    context.globalAlpha = faint ? 0.25 : 1;
    context.lineWidth = (how.line ?? 2) * (how.chosen === label.id ? 1.6 : 1);
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineJoin = "round";
    if (label.bitmap) {
      const waited = mask(context, label, colour, view, how.chosen === label.id);
      if (waited) pending.push(waited);
    } else outline(context, label, known, view);
    context.restore();
  }
  return pending;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Label} label
 * @param {Class | undefined} known
 * @param {View} view
 */
function outline(context, label, known, view) {
  const outer = placed(label.points?.exterior, view);
  switch (label.geometryType ?? label.shape) {
    case "rectangle":
      if (outer[0] && outer[1]) {
        const [[a, b], [c, d]] = [outer[0], outer[1]];
        context.beginPath();
        context.rect(Math.min(a, c), Math.min(b, d), Math.abs(c - a), Math.abs(d - b));
        filled(context);
      }
      break;
    case "line":
    case "polyline":
      path(context, outer, false);
      context.stroke();
      break;
    case "point":
      for (const one of outer) dot(context, one, context.lineWidth * 2);
      break;
    case "graph":
      skeleton(context, label, known, view);
      break;
    default:
      if (outer.length > 2) {
        path(context, outer, true);
        for (const hole of label.points?.interior ?? []) path(context, placed(hole, view), true, false);
        filled(context);
      } else for (const one of outer) dot(context, one, context.lineWidth * 2);
  }
}

/** @param {CanvasRenderingContext2D} context */
function filled(context) {
  const alpha = context.globalAlpha;
  context.globalAlpha = alpha * FILL;
  context.fill("evenodd");
  context.globalAlpha = alpha;
  context.stroke();
}

/**
 * @param {Point[] | undefined} points
 * @param {View} view
 * @returns {Point[]}
 */
function placed(points, view) {
  if (!Array.isArray(points)) return [];
  const sound = points.filter((one) => Array.isArray(one) && Number.isFinite(one[0]) && Number.isFinite(one[1]));
  return sound.map(([x, y]) => [x * view.scale + view.x, y * view.scale + view.y]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point[]} points
 * @param {boolean} closed
 * @param {boolean} [fresh] whether it begins a new path
 */
function path(context, points, closed, fresh = true) {
  if (fresh) context.beginPath();
  points.forEach(([x, y], n) => {
    if (n) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  if (closed) context.closePath();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} at
 * @param {number} radius
 */
function dot(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Label} label
 * @param {Class | undefined} known
 * @param {View} view
 */
function skeleton(context, label, known, view) {
  const nodes = new Map();
  for (const [name, node] of Object.entries(label.nodes ?? {})) {
    const [at] = placed(node?.loc ? [node.loc] : [], view);
    if (at) nodes.set(name, { at, disabled: node.disabled });
  }
  for (const { src, dst } of known?.geometry_config?.edges ?? []) {
    const [a, b] = [nodes.get(src), nodes.get(dst)];
    if (!a || !b) continue;
    context.setLineDash(a.disabled || b.disabled ? [DASH, DASH] : []);
    path(context, [a.at, b.at], false);
    context.stroke();
  }
  for (const { at } of nodes.values()) dot(context, at, context.lineWidth * 1.8);
}

/**
 * Draws a mask, or begins to read it.
 * @param {CanvasRenderingContext2D} context
 * @param {Label} label
 * @param {string} colour
 * @param {View} view
 * @param {boolean} strong
 * @returns {Promise<void> | null}
 */
function mask(context, label, colour, view, strong) {
  const { data, origin } = label.bitmap ?? {};
  if (typeof data !== "string" || !Array.isArray(origin)) return null;
  const name = `${colour} ${data}`;
  const done = ready.get(name);
  if (done) {
    const [corner] = placed([origin], view);
    context.globalAlpha *= strong ? 0.75 : 0.5;
    context.imageSmoothingEnabled = view.scale < 1;
    if (corner) context.drawImage(done, corner[0], corner[1], done.width * view.scale, done.height * view.scale);
    return null;
  }
  return read(name, data, colour).then(() => undefined);
}

/** @type {Map<string, ImageBitmap>} */
const ready = new Map();

/**
 * @param {string} name
 * @param {string} data base64 of a deflated PNG
 * @param {string} colour
 */
function read(name, data, colour) {
  let reading = masks.get(name);
  if (!reading) {
    reading = decode(data, colour).catch(() => null);
    masks.set(name, reading);
    reading.then((picture) => picture && ready.set(name, picture));
    for (const old of masks.keys()) {
      if (masks.size <= KEPT) break;
      masks.delete(old);
      ready.get(old)?.close();
      ready.delete(old);
    }
  }
  return reading;
}

/**
 * @param {string} data
 * @param {string} colour
 */
async function decode(data, colour) {
  const packed = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const png = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).blob();
  const picture = await createImageBitmap(new Blob([png], { type: "image/png" }));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(picture, 0, 0);
  picture.close();
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  cover(pixels.data);
  context.putImageData(pixels, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  return canvas.transferToImageBitmap();
}

/**
 * Makes how much each pixel is covered its alpha: some masks have it there, others as their brightness.
 * @param {Uint8ClampedArray} pixels
 */
function cover(pixels) {
  let opaque = true;
  for (let n = 3; opaque && n < pixels.length; n += 4) opaque = pixels[n] === 255;
  if (!opaque) return;
  for (let n = 0; n < pixels.length; n += 4)
    pixels[n + 3] = Math.max(pixels[n] ?? 0, pixels[n + 1] ?? 0, pixels[n + 2] ?? 0);
}

/**
 * Whether a place of the image is on a label.
 * @param {Label} label
 * @param {number} x
 * @param {number} y
 * @param {number} near how far off still counts, in pixels of the image
 */
export function isOn(label, x, y, near) {
  const points = label.points?.exterior ?? [];
  if (label.bitmap) {
    const [left, top] = label.bitmap.origin ?? [0, 0];
    const picture = [...ready].find(([name]) => name.endsWith(` ${label.bitmap?.data}`))?.[1];
    return picture !== undefined && x >= left && y >= top && x < left + picture.width && y < top + picture.height;
  }
  const type = label.geometryType ?? label.shape;
  if (type === "rectangle" && points[0] && points[1]) {
    const [[a, b], [c, d]] = [points[0], points[1]];
    return x >= Math.min(a, c) && x <= Math.max(a, c) && y >= Math.min(b, d) && y <= Math.max(b, d);
  }
  if (type === "point" || points.length < 3) return points.some(([px, py]) => Math.hypot(px - x, py - y) <= near);
  if (type === "line" || type === "polyline") {
    return points.some((one, n) => {
      const other = points[n + 1];
      return other !== undefined && distance(x, y, one, other) <= near;
    });
  }
  let inside = false;
  points.forEach(([px, py], n) => {
    const [qx, qy] = points[n ? n - 1 : points.length - 1] ?? [0, 0];
    if (py > y !== qy > y && x < ((qx - px) * (y - py)) / (qy - py) + px) inside = !inside;
  });
  return inside;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {Point} from
 * @param {Point} to
 */
function distance(x, y, [ax, ay], [bx, by]) {
  const long = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = long ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long)) : 0;
  return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
}

/**
 * Makes a picture with its labels on it, as large as its box.
 * @param {HTMLElement} box
 * @param {{width: number | null, height: number | null}} image
 * @param {Label[]} labels
 * @param {Map<number, Class>} classes
 * @param {Set<number>} [hidden] classes
 */
export function overlay(box, image, labels, classes, hidden = new Set()) {
  const old = box.querySelector("canvas");
  const { width, height } = image;
  if (!width || !height || !labels.length) {
    old?.remove();
    return;
  }
  const canvas = old ?? document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const dense = Math.min(devicePixelRatio || 1, 2);
  const [w, h] = [box.clientWidth, box.clientHeight];
  canvas.width = Math.max(1, Math.round(w * dense));
  canvas.height = Math.max(1, Math.round(h * dense));
  const scale = Math.min(w / width, h / height);
  const view = { scale, x: (w - width * scale) / 2, y: (h - height * scale) / 2 };
  const draw = () => {
    const context = canvas.getContext("2d");
    if (!context) return [];
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, w, h);
    context.save();
    context.beginPath();
    context.rect(view.x, view.y, width * scale, height * scale);
    context.clip();
    const waited = drawLabels(context, labels, classes, view, { hidden, line: 1.5 });
    context.restore();
    return waited;
  };
  const pending = draw();
  if (pending.length) Promise.all(pending).then(draw);
  if (!old) box.append(canvas);
}
