// @ts-check
/** The viewer of one image: panned by drag and arrow keys, zoomed by wheel, pinch, keys and buttons. */

import { element } from "../dom.js";
import { drawLabels, hitsLabel } from "./label-drawing.js";
import { missingImage } from "./thumbnails.js";

/** @import { Label, LabelClass } from "../contract.js" */

const ZOOM_STEP = 1.25;
const MAX_SCALE = 64; // screen pixels of a pixel of the image
const PAN_STEP = 60; // pixels an arrow key pans by
const HIT_TOLERANCE = 6; // pixels from a line within which it is hit

/** Shows an image with its labels. */
export class ImageViewer {
  /**
   * @param {{id: number, name: string, width: number | null, height: number | null, objects: Label[]}} image
   * @param {Map<number, LabelClass>} classes
   * @param {string} [src] of its bytes
   */
  constructor(image, classes, src = `/storage/images/${image.id}`) {
    this.image = image;
    this.classes = classes;
    this.picture = element("img", { alt: "", draggable: "false", src });
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.field = element(
      "div",
      {
        class: "field",
        tabindex: 0,
        role: "group",
        "aria-label": `${image.name}: arrow keys move it, plus and minus zoom, 0 fits it`,
      },
      this.picture,
      this.canvas,
    );
    this.scaleLabel = element("span", { class: "muted", role: "status" });
    this.element = element(
      "div",
      { class: "card stage" },
      this.field,
      element(
        "div",
        { class: "row tools" },
        this.createButton("−", "Zoom out", () => this.zoom(1 / ZOOM_STEP)),
        this.scaleLabel,
        this.createButton("+", "Zoom in", () => this.zoom(ZOOM_STEP)),
        this.createButton("Fit", "Fit the image", () => this.fit()),
        this.createButton("1:1", "1:1, actual pixels", () => this.zoom(1 / this.scale)),
      ),
    );
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.fitted = true;
    /** @type {number | null} */
    this.highlighted = null;
    /** @type {Set<number>} */
    this.hiddenLabels = new Set();
    /** @type {((id: number | null) => void)[]} called with the highlighted label */
    this.listeners = [];
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    this.scheduled = false;
  }

  /**
   * @param {string} text
   * @param {string} label
   * @param {() => void} action
   */
  createButton(text, label, action) {
    const button = element("button", { type: "button", "aria-label": label, title: label }, text);
    button.addEventListener("click", action);
    return button;
  }

  init() {
    const { field, picture } = this;
    picture.addEventListener("load", () => this.fit());
    picture.addEventListener("error", () => field.replaceChildren(missingImage(`${this.image.name}`), this.canvas));
    new ResizeObserver(() => (this.fitted ? this.fit() : this.scheduleDraw())).observe(field);
    field.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    field.addEventListener("pointerdown", (event) => this.onPointerDown(event));
    field.addEventListener("pointermove", (event) => this.onPointerMove(event));
    for (const name of ["pointerup", "pointercancel"])
      field.addEventListener(name, (event) => this.pointers.delete(/** @type {PointerEvent} */ (event).pointerId));
    field.addEventListener("pointerleave", () => this.highlight(null));
    field.addEventListener("dblclick", (event) => this.zoom(ZOOM_STEP * ZOOM_STEP, ...this.fieldPoint(event)));
    field.addEventListener("keydown", (event) => this.onKey(event));
    this.fit();
  }

  /** @returns {[number, number]} the width and height of the image */
  size() {
    return [this.image.width || this.picture.naturalWidth || 1, this.image.height || this.picture.naturalHeight || 1];
  }

  /**
   * @param {MouseEvent} event
   * @returns {[number, number]}
   */
  fieldPoint(event) {
    const box = this.field.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  fit() {
    const [width, height] = this.size();
    const [w, h] = [this.field.clientWidth, this.field.clientHeight];
    this.scale = Math.min(w / width, h / height, MAX_SCALE);
    this.x = (w - width * this.scale) / 2;
    this.y = (h - height * this.scale) / 2;
    this.fitted = true;
    this.scheduleDraw();
  }

  /**
   * @param {number} by
   * @param {number} [x] of the field: the point that keeps its position
   * @param {number} [y]
   */
  zoom(by, x = this.field.clientWidth / 2, y = this.field.clientHeight / 2) {
    const [width, height] = this.size();
    const minScale = Math.min(1, this.field.clientWidth / width, this.field.clientHeight / height) / 4;
    const scale = Math.min(MAX_SCALE, Math.max(minScale, this.scale * by));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.scheduleDraw();
  }

  /** @param {WheelEvent} event */
  onWheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 200), ...this.fieldPoint(event));
  }

  /** @param {PointerEvent} event */
  onPointerDown(event) {
    this.field.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  /** @param {PointerEvent} event */
  onPointerMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.highlightAt(event);
      return;
    }
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const now = { x: event.clientX, y: event.clientY };
    this.pointers.set(event.pointerId, now);
    const other = others[0];
    if (other) {
      const distanceBefore = Math.hypot(before.x - other.x, before.y - other.y) || 1;
      const box = this.field.getBoundingClientRect();
      this.zoom(
        Math.hypot(now.x - other.x, now.y - other.y) / distanceBefore,
        (now.x + other.x) / 2 - box.left,
        (now.y + other.y) / 2 - box.top,
      );
    } else this.pan(now.x - before.x, now.y - before.y);
  }

  /** @param {PointerEvent} event */
  highlightAt(event) {
    const [x, y] = this.fieldPoint(event);
    const label = this.visibleLabels().findLast((label) =>
      hitsLabel(label, (x - this.x) / this.scale, (y - this.y) / this.scale, HIT_TOLERANCE / this.scale),
    );
    this.highlight(label?.id ?? null);
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.scheduleDraw();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, () => void>} */
    const actions = {
      "+": () => this.zoom(ZOOM_STEP),
      "=": () => this.zoom(ZOOM_STEP),
      "-": () => this.zoom(1 / ZOOM_STEP),
      0: () => this.fit(),
      1: () => this.zoom(1 / this.scale),
      ArrowLeft: () => this.pan(PAN_STEP, 0),
      ArrowRight: () => this.pan(-PAN_STEP, 0),
      ArrowUp: () => this.pan(0, PAN_STEP),
      ArrowDown: () => this.pan(0, -PAN_STEP),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** @returns {Label[]} */
  visibleLabels() {
    return this.image.objects.filter((label) => !this.hiddenLabels.has(label.id));
  }

  /**
   * Show or hide labels.
   * @param {number[]} ids
   * @param {boolean} visible
   */
  setVisible(ids, visible) {
    for (const id of ids) {
      if (visible) this.hiddenLabels.delete(id);
      else this.hiddenLabels.add(id);
    }
    this.scheduleDraw();
  }

  /** Highlight a label. @param {number | null} id null for none */
  highlight(id) {
    if (id === this.highlighted) return;
    this.highlighted = id;
    for (const listener of this.listeners) listener(id);
    this.scheduleDraw();
  }

  scheduleDraw() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  draw() {
    const [width, height] = this.size();
    const { picture, canvas, field, scale, x, y } = this;
    picture.style.width = `${width}px`;
    picture.style.height = `${height}px`;
    picture.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    picture.classList.toggle("sharp", scale >= 3);
    const pixelRatio = Math.min(devicePixelRatio || 1, 2);
    const [w, h] = [Math.round(field.clientWidth * pixelRatio), Math.round(field.clientHeight * pixelRatio)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const context = canvas.getContext("2d");
    if (!context) return;
    context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    context.clearRect(0, 0, w, h);
    const labels = this.visibleLabels();
    const pending = drawLabels(context, labels, this.classes, { scale, x, y }, { chosen: this.highlighted });
    field.dataset.labels = String(labels.length);
    if (pending.length) Promise.all(pending).then(() => this.scheduleDraw());
    this.scaleLabel.textContent = `${Math.round(scale * 100)} %`;
  }
}
