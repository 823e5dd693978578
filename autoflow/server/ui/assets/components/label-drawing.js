// @ts-check
/** Draws labels on a canvas in the colours of their classes: outlines, points, skeletons of keypoints, masks. */
import { safeColour } from "./widgets.js";

/** @import { Label, LabelClass } from "../contract.js" */
/** @typedef {[number, number]} Point */
/** @typedef {{scale: number, x: number, y: number}} Transform from pixels of the image to pixels of the canvas */

const FILL_OPACITY = 0.28; // of the inside of a label
const DASH_LENGTH = 4;

/** @type {Map<string, Promise<ImageBitmap | null>>} decoded masks, and those being decoded, by colour and data */
const masks = new Map();
const MAX_MASKS = 300;

/**
 * Draw labels.
 * @param {CanvasRenderingContext2D} context
 * @param {Label[]} labels
 * @param {Map<number, LabelClass>} classes
 * @param {Transform} transform
 * @param {{chosen?: number | null, hidden?: Set<number>, line?: number}} [options] `chosen` is the label to highlight,
 *   `hidden` the classes to leave out, `line` the width of lines
 * @returns {Promise<void>[]} masks that are being decoded: draw again when they are
 */
export function drawLabels(context, labels, classes, transform, options = {}) {
  const pending = [];
  for (const label of labels) {
    if (options.hidden?.has(label.classId)) continue;
    const labelClass = classes.get(label.classId);
    const colour = safeColour(labelClass?.color);
    const faint = options.chosen !== undefined && options.chosen !== null && options.chosen !== label.id;
    context.save();
    context.globalAlpha = faint ? 0.25 : 1;
    context.lineWidth = (options.line ?? 2) * (options.chosen === label.id ? 1.6 : 1);
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineJoin = "round";
    if (label.bitmap) {
      const loading = drawMask(context, label, colour, transform, options.chosen === label.id);
      if (loading) pending.push(loading);
    } else drawOutline(context, label, labelClass, transform);
    context.restore();
  }
  return pending;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Label} label
 * @param {LabelClass | undefined} labelClass
 * @param {Transform} transform
 */
function drawOutline(context, label, labelClass, transform) {
  const points = membersOf(label.points);
  const outer = toCanvas(points.exterior, transform);
  switch (geometryOf(label)) {
    case "rectangle":
      if (outer[0] && outer[1]) {
        const [[a, b], [c, d]] = [outer[0], outer[1]];
        context.beginPath();
        context.rect(Math.min(a, c), Math.min(b, d), Math.abs(c - a), Math.abs(d - b));
        fillAndStroke(context);
      }
      break;
    case "line":
    case "polyline":
      tracePath(context, outer, false);
      context.stroke();
      break;
    case "point":
      for (const point of outer) drawDot(context, point, context.lineWidth * 2);
      break;
    case "graph":
      drawSkeleton(context, label, labelClass, transform);
      break;
    default:
      if (outer.length > 2) {
        tracePath(context, outer, true);
        for (const hole of listOf(points.interior)) tracePath(context, toCanvas(hole, transform), true, false);
        fillAndStroke(context);
      } else for (const point of outer) drawDot(context, point, context.lineWidth * 2);
  }
}

/** @param {CanvasRenderingContext2D} context */
function fillAndStroke(context) {
  const alpha = context.globalAlpha;
  context.globalAlpha = alpha * FILL_OPACITY;
  context.fill("evenodd");
  context.globalAlpha = alpha;
  context.stroke();
}

// Geometries are as clients sent them, so their members may be of any type.

/** @param {unknown} value @returns {Record<string, unknown>} its members; none if it is no object */
function membersOf(value) {
  return typeof value === "object" && value !== null ? /** @type {Record<string, unknown>} */ (value) : {};
}

/** @param {unknown} value @returns {unknown[]} its elements; none if it is no list */
function listOf(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {unknown} value @returns {Point[]} the points of a list, without what is none */
function pointsOf(value) {
  return listOf(value).filter(
    /** @returns {point is Point} */
    (point) => Array.isArray(point) && Number.isFinite(point[0]) && Number.isFinite(point[1]),
  );
}

/** @param {Label} label @returns {string} the name of its geometry; empty if it has none */
export function geometryOf(label) {
  const name = label.geometryType ?? label.shape;
  return typeof name === "string" ? name : "";
}

/**
 * @param {unknown} points
 * @param {Transform} transform
 * @returns {Point[]}
 */
function toCanvas(points, transform) {
  return pointsOf(points).map(([x, y]) => [x * transform.scale + transform.x, y * transform.scale + transform.y]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point[]} points
 * @param {boolean} closed
 * @param {boolean} [newPath] whether to begin a new path
 */
function tracePath(context, points, closed, newPath = true) {
  if (newPath) context.beginPath();
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
function drawDot(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Label} label
 * @param {LabelClass | undefined} labelClass
 * @param {Transform} transform
 */
function drawSkeleton(context, label, labelClass, transform) {
  const nodes = new Map();
  for (const [name, value] of Object.entries(membersOf(label.nodes))) {
    const node = membersOf(value);
    const [at] = toCanvas([node.loc], transform);
    if (at) nodes.set(name, { at, disabled: node.disabled });
  }
  for (const edge of listOf(labelClass?.geometry_config?.edges)) {
    const { src, dst } = membersOf(edge);
    const [a, b] = [nodes.get(src), nodes.get(dst)];
    if (!a || !b) continue;
    context.setLineDash(a.disabled || b.disabled ? [DASH_LENGTH, DASH_LENGTH] : []);
    tracePath(context, [a.at, b.at], false);
    context.stroke();
  }
  for (const { at } of nodes.values()) drawDot(context, at, context.lineWidth * 1.8);
}

/**
 * Draw a mask, or start to decode it.
 * @param {CanvasRenderingContext2D} context
 * @param {Label} label
 * @param {string} colour
 * @param {Transform} transform
 * @param {boolean} chosen
 * @returns {Promise<void> | null}
 */
function drawMask(context, label, colour, transform, chosen) {
  const { data, origin } = membersOf(label.bitmap);
  if (typeof data !== "string" || !Array.isArray(origin)) return null;
  const name = `${colour} ${data}`;
  const done = decoded.get(name);
  if (done) {
    const [corner] = toCanvas([origin], transform);
    context.globalAlpha *= chosen ? 0.75 : 0.5;
    context.imageSmoothingEnabled = transform.scale < 1;
    if (corner)
      context.drawImage(done, corner[0], corner[1], done.width * transform.scale, done.height * transform.scale);
    return null;
  }
  return decodeOnce(name, data, colour).then(() => undefined);
}

/** @type {Map<string, ImageBitmap>} */
const decoded = new Map();

/**
 * Decode a mask, or wait for the decoding that has started; the oldest masks are dropped.
 * @param {string} name
 * @param {string} data base64 of a deflated PNG
 * @param {string} colour
 */
function decodeOnce(name, data, colour) {
  let decoding = masks.get(name);
  if (!decoding) {
    decoding = decode(data, colour).catch(() => null);
    masks.set(name, decoding);
    decoding.then((picture) => picture && decoded.set(name, picture));
    for (const old of masks.keys()) {
      if (masks.size <= MAX_MASKS) break;
      masks.delete(old);
      decoded.get(old)?.close();
      decoded.delete(old);
    }
  }
  return decoding;
}

/**
 * Decode a mask to an image in its colour.
 * @param {string} data
 * @param {string} colour
 */
async function decode(data, colour) {
  const packed = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  const png = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).blob();
  const picture = await createImageBitmap(new Blob([png], { type: "image/png" }));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(picture, 0, 0);
  picture.close();
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  coverageToAlpha(pixels.data);
  context.putImageData(pixels, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  return canvas.transferToImageBitmap();
}

/**
 * Store the coverage of each pixel as its alpha. Some masks have it there, others in their brightness.
 * @param {Uint8ClampedArray} pixels
 */
function coverageToAlpha(pixels) {
  let opaque = true;
  for (let n = 3; opaque && n < pixels.length; n += 4) opaque = pixels[n] === 255;
  if (!opaque) return;
  for (let n = 0; n < pixels.length; n += 4)
    pixels[n + 3] = Math.max(pixels[n] ?? 0, pixels[n + 1] ?? 0, pixels[n + 2] ?? 0);
}

/**
 * Return whether a point of the image is on a label.
 * @param {Label} label
 * @param {number} x
 * @param {number} y
 * @param {number} tolerance distance that still counts, in pixels of the image
 */
export function hitsLabel(label, x, y, tolerance) {
  const points = pointsOf(membersOf(label.points).exterior);
  if (label.bitmap) {
    const { data, origin } = membersOf(label.bitmap);
    const [left, top] = pointsOf([origin])[0] ?? [0, 0];
    const picture = [...decoded].find(([name]) => name.endsWith(` ${data}`))?.[1];
    return picture !== undefined && x >= left && y >= top && x < left + picture.width && y < top + picture.height;
  }
  const type = geometryOf(label);
  if (type === "rectangle" && points[0] && points[1]) {
    const [[a, b], [c, d]] = [points[0], points[1]];
    return x >= Math.min(a, c) && x <= Math.max(a, c) && y >= Math.min(b, d) && y <= Math.max(b, d);
  }
  if (type === "point" || points.length < 3) return points.some(([px, py]) => Math.hypot(px - x, py - y) <= tolerance);
  if (type === "line" || type === "polyline") {
    return points.some((point, n) => {
      const other = points[n + 1];
      return other !== undefined && distanceToSegment(x, y, point, other) <= tolerance;
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
function distanceToSegment(x, y, [ax, ay], [bx, by]) {
  const lengthSquared = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = lengthSquared
    ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / lengthSquared))
    : 0;
  return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
}

/**
 * Draw the labels of an image on a canvas that covers its box.
 * @param {HTMLElement} box
 * @param {{width: number | null, height: number | null}} image
 * @param {Label[]} labels
 * @param {Map<number, LabelClass>} classes
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
  const pixelRatio = Math.min(devicePixelRatio || 1, 2);
  const [w, h] = [box.clientWidth, box.clientHeight];
  canvas.width = Math.max(1, Math.round(w * pixelRatio));
  canvas.height = Math.max(1, Math.round(h * pixelRatio));
  const scale = Math.min(w / width, h / height);
  const transform = { scale, x: (w - width * scale) / 2, y: (h - height * scale) / 2 };
  const draw = () => {
    const context = canvas.getContext("2d");
    if (!context) return [];
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    context.clearRect(0, 0, w, h);
    context.save();
    context.beginPath();
    context.rect(transform.x, transform.y, width * scale, height * scale);
    context.clip();
    const loading = drawLabels(context, labels, classes, transform, { hidden, line: 1.5 });
    context.restore();
    return loading;
  };
  const pending = draw();
  if (pending.length) Promise.all(pending).then(draw);
  if (!old) box.append(canvas);
}
