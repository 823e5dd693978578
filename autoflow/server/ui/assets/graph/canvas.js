// @ts-check
/** What is painted below the cards: arrows always, and the cards themselves when they are too small to be read. */
import { COLORS } from "./entity-types.js";
import { TYPES, WIDTH } from "./graph-view.js";

/** @typedef {import("./graph-view.js").Scene} Scene */
/** @typedef {import("./camera.js").Camera} Camera */

export const READABLE = 0.4; // the scale from which cards are elements
const TITLED = 0.16; // the scale from which painted cards have titles
const CURVED = 0.08; // below it a curve is as good as a line
const HEAD = 9;
const STRIPE = 40; // the width of a painted card's colour
const LINE = 1.15; // of two lines of a title, in heights of its type
const DEAR = 12; // milliseconds from which a painting is moved about before it is painted anew
const REST = 6; // how many times as long as it took

/** @param {CSSStyleDeclaration} style @param {string} name */
const colour = (style, name) => style.getPropertyValue(`--${name}`).trim();

/** The painted layer. */
export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Camera} camera
   */
  constructor(canvas, camera) {
    this.canvas = canvas;
    this.camera = camera;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    /** @type {Set<number> | null} arrows to make strong; null for none */
    this.strong = null;
    /** @type {Record<string, string>} */
    this.palette = {};
    /** what is on the canvas, since when, and what it cost */
    this.painted = { x: 0, y: 0, k: 1, width: 0, height: 0, at: 0, cost: 0, of: /** @type {unknown[]} */ ([]) };
    this.colours();
  }

  /** Reads the colours anew, after they were changed. */
  colours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["arrow", "accent", "surface", "rim", "text", "quiet", "bad", "canvas"];
    this.palette = Object.fromEntries(names.map((name) => [name, colour(style, name)]));
  }

  /**
   * Shows what is in sight: painted, or while the camera moves over a scene that is dear to paint, the last painting
   * moved and scaled.
   * @param {Scene} scene
   * @param {number} selected
   * @returns {boolean} whether it has to be painted anew
   */
  draw(scene, selected) {
    const { camera, painted, canvas } = this;
    const now = performance.now();
    const of = [scene, selected, this.strong, this.palette, camera.width, camera.height];
    const same = of.every((part, n) => part === painted.of[n]);
    if (same && painted.cost > DEAR && now - painted.at < painted.cost * REST) {
      const { x, y, k } = camera;
      const moved = `translate(${(painted.x - x) * k}px, ${(painted.y - y) * k}px) scale(${k / painted.k})`;
      const still = painted.x === x && painted.y === y && painted.k === k;
      canvas.style.transform = still ? "" : moved;
      return !still;
    }
    this._paint(scene, selected);
    canvas.style.transform = "";
    Object.assign(painted, camera.view, { at: performance.now(), cost: performance.now() - now, of });
    return false;
  }

  /** @param {Scene} scene @param {number} selected */
  _paint(scene, selected) {
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
    const sight = [camera.x, camera.y, camera.x + camera.width / camera.k, camera.y + camera.height / camera.k];
    const arrows = this._inSight(scene, sight);
    this._arrows(scene, arrows);
    if (camera.k < READABLE) this._cards(scene, sight, selected);
  }

  /**
   * Paints all of it for a picture that stands alone: with its ground, and cards whatever the scale.
   * @param {Scene} scene
   */
  whole(scene) {
    const { canvas, camera, context } = this;
    Object.assign(canvas, { width: Math.ceil(camera.width), height: Math.ceil(camera.height) });
    context.fillStyle = this.palette.canvas ?? "";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(camera.k, 0, 0, camera.k, -camera.x * camera.k, -camera.y * camera.k);
    this._arrows(scene, [...Array(scene.arrows).keys()]);
    this._cards(scene, [camera.x, camera.y, Infinity, Infinity], -1);
  }

  /** @param {Scene} scene @param {number[]} sight */
  _inSight(scene, [left = 0, top = 0, right = 0, bottom = 0]) {
    const { box } = scene;
    const found = [];
    for (let n = 0, at = 0; n < scene.arrows; n += 1, at += 4) {
      const [x = 0, y = 0, far = 0, low = 0] = [box[at], box[at + 1], box[at + 2], box[at + 3]];
      if (far >= left && x <= right && low >= top && y <= bottom) found.push(n);
    }
    return found;
  }

  /** @param {Scene} scene @param {number[]} arrows */
  _arrows(scene, arrows) {
    const { context, strong, palette } = this;
    const thin = Math.max(1.5, 0.9 / this.camera.k);
    const weak = strong ? arrows.filter((arrow) => !strong.has(arrow)) : arrows;
    context.globalAlpha = strong ? 0.25 : 1;
    this._lines(scene, weak, palette.arrow ?? "", thin);
    context.globalAlpha = 1;
    if (strong)
      this._lines(
        scene,
        arrows.filter((arrow) => strong.has(arrow)),
        palette.accent ?? "",
        thin * 2,
      );
  }

  /** @param {Scene} scene @param {number[]} arrows @param {string} ink @param {number} thick */
  _lines(scene, arrows, ink, thick) {
    const { context } = this;
    const k = this.camera.k;
    const styles = /** @type {const} */ ([
      [[], arrows.filter((n) => !scene.isBack(n) && !scene.isVersion(n))],
      [[2, 3], arrows.filter((n) => !scene.isBack(n) && scene.isVersion(n))],
      [[7, 5], arrows.filter((n) => scene.isBack(n))],
    ]);
    context.strokeStyle = ink;
    context.fillStyle = ink;
    context.lineWidth = thick;
    for (const [dashes, those] of styles) {
      if (!those.length) continue;
      context.setLineDash(k < TITLED ? [] : dashes.map((dash) => dash * Math.max(1, thick / 1.5)));
      context.beginPath();
      for (const arrow of those) this._way(scene, arrow, k < CURVED);
      context.stroke();
    }
    context.setLineDash([]);
    if (k < CURVED) return;
    context.beginPath();
    for (const arrow of arrows) this._head(scene, arrow, Math.max(1, thick / 2));
    context.fill();
  }

  /** @param {Scene} scene @param {number} arrow @param {boolean} straight */
  _way(scene, arrow, straight) {
    const { context } = this;
    const { corners } = scene;
    const [first, end] = [scene.start[arrow] ?? 0, scene.start[arrow + 1] ?? 0];
    let [x = 0, y = 0] = [corners[first], corners[first + 1]];
    context.moveTo(x, y);
    for (let at = first + 2; at < end; at += 2) {
      const [right = 0, low = 0] = [corners[at], corners[at + 1]];
      const bend = (x + right) / 2;
      if (straight || y === low || x === right) context.lineTo(right, low);
      else context.bezierCurveTo(bend, y, bend, low, right, low);
      [x, y] = [right, low];
    }
  }

  /** @param {Scene} scene @param {number} arrow @param {number} scale */
  _head(scene, arrow, scale) {
    const { context } = this;
    const end = scene.start[arrow + 1] ?? 0;
    const [before = 0, , x = 0, y = 0] = scene.corners.subarray(end - 4, end);
    const back = x > before ? x - HEAD * scale : x + HEAD * scale;
    context.moveTo(x, y);
    context.lineTo(back, y - 5 * scale);
    context.lineTo(back, y + 5 * scale);
  }

  /** @param {Scene} scene @param {number[]} sight @param {number} selected */
  _cards(scene, [left = 0, top = 0, right = 0, bottom = 0], selected) {
    const { context, palette } = this;
    const k = this.camera.k;
    /** @type {number[][]} */
    const kinds = TYPES.map(() => []);
    for (let n = 0; n < scene.size; n += 1) {
      const [x, y] = [scene.x[n] ?? 0, scene.y[n] ?? 0];
      if (x + WIDTH >= left && x <= right && y + (scene.h[n] ?? 0) >= top && y <= bottom)
        kinds[scene.types[n] ?? 0]?.push(n);
    }
    const frames = k >= CURVED;
    const stripe = frames ? STRIPE : WIDTH;
    if (frames) this._boxes(scene, kinds.flat(), WIDTH, palette.surface ?? "");
    for (const [n, cards] of kinds.entries()) this._boxes(scene, cards, stripe, COLORS[TYPES[n] ?? "file"][0]);
    if (k >= TITLED) {
      this._boxes(
        scene,
        kinds.flat().filter((n) => scene.of(n)?.state === "failed"),
        stripe,
        palette.bad ?? "",
      );
      this._titles(scene, kinds.flat());
    }
    for (const card of [scene.entry, selected]) {
      if (card < 0) continue;
      context.strokeStyle = palette.accent ?? "";
      context.lineWidth = 3 / k;
      context.strokeRect(scene.x[card] ?? 0, scene.y[card] ?? 0, WIDTH, scene.h[card] ?? 0);
    }
  }

  /** @param {Scene} scene @param {number[]} cards @param {number} wide @param {string} ink */
  _boxes(scene, cards, wide, ink) {
    this.context.fillStyle = ink;
    for (const n of cards) this.context.fillRect(scene.x[n] ?? 0, scene.y[n] ?? 0, wide, scene.h[n] ?? 0);
  }

  /** @param {Scene} scene @param {number[]} cards */
  _titles(scene, cards) {
    const { context, palette } = this;
    const type = Math.min(34, 11 / this.camera.k);
    context.font = `600 ${type}px "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif`;
    context.textBaseline = "middle";
    context.fillStyle = palette.text ?? "";
    const room = Math.max(2, Math.floor(((WIDTH - STRIPE - 24) / type) * 1.85));
    for (const n of cards) {
      const title = scene.of(n)?.title;
      if (!title) continue;
      const lines = broken(title, room, scene.type(n) === "folder");
      const middle = (scene.y[n] ?? 0) + (scene.h[n] ?? 0) / 2 - ((lines.length - 1) * type * LINE) / 2;
      for (const [row, line] of lines.entries()) {
        context.fillText(line, (scene.x[n] ?? 0) + STRIPE + 12, middle + row * type * LINE);
      }
    }
  }
}

/**
 * A title on one line or two; where it is too long for that, a path's end stays in sight, else the beginning.
 * @param {string} title
 * @param {number} room letters of a line
 * @param {boolean} path
 */
function broken(title, room, path) {
  if (title.length <= room) return [title];
  const kept = path && title.length > 2 * room ? `…${title.slice(2 - 2 * room)}` : title;
  const before = [" ", "/"].map((sign) => kept.lastIndexOf(sign, room));
  const after = ["_", "-"].map((sign) => kept.lastIndexOf(sign, room - 1) + 1);
  const gap = Math.max(...before, ...after);
  const first = gap > room / 3 ? gap : room;
  const rest = kept.slice(first).trim();
  return [kept.slice(0, first), rest.length <= room ? rest : `${rest.slice(0, room - 1)}…`];
}
