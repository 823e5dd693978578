// @ts-check
/** One image as large as one likes: moved by drag and arrow keys, zoomed by wheel, pinch, keys and buttons. */
import { element } from "../dom.js";
import { drawLabels, isOn } from "./label-drawing.js";
import { missing } from "./thumbnails.js";

/**
 * @typedef {import("./label-drawing.js").Class} Class
 * @typedef {import("./label-drawing.js").Label} Label
 */

const STEP = 1.25;
const MOST = 64; // screen pixels of an image's pixel
const MOVE = 60; // pixels a key moves the image by
const NEAR = 6; // pixels off a line that still count as on it

export class Viewer {
  /**
   * @param {{id: number, name: string, width: number | null, height: number | null, objects: Label[]}} image
   * @param {Map<number, Class>} classes
   * @param {string} [address] of its bytes
   */
  constructor(image, classes, address = `/storage/images/${image.id}`) {
    this.image = image;
    this.classes = classes;
    this.picture = element("img", { alt: "", draggable: "false", src: address });
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
    this.words = element("span", { class: "quiet", role: "status" });
    this.element = element(
      "div",
      { class: "card stage" },
      this.field,
      element(
        "div",
        { class: "row tools" },
        this.tool("−", "Zoom out", () => this.zoom(1 / STEP)),
        this.words,
        this.tool("+", "Zoom in", () => this.zoom(STEP)),
        this.tool("Fit", "Fit the image", () => this.fit()),
        this.tool("1:1", "1:1, a pixel a pixel", () => this.zoom(1 / this.scale)),
      ),
    );
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.fitted = true;
    /** @type {number | null} */
    this.now = null;
    /** @type {Set<number>} */
    this.off = new Set();
    /** @type {((number: number | null) => void)[]} told which label is chosen */
    this.chosen = [];
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    this.queued = false;
  }

  /**
   * @param {string} words
   * @param {string} name
   * @param {() => void} act
   */
  tool(words, name, act) {
    const made = element("button", { type: "button", "aria-label": name, title: name }, words);
    made.addEventListener("click", act);
    return made;
  }

  begin() {
    const { field, picture } = this;
    picture.addEventListener("load", () => this.fit());
    picture.addEventListener("error", () => field.replaceChildren(missing(`${this.image.name}`), this.canvas));
    new ResizeObserver(() => (this.fitted ? this.fit() : this.queue())).observe(field);
    field.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    field.addEventListener("pointerdown", (event) => this.down(event));
    field.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"])
      field.addEventListener(name, (event) => this.pointers.delete(/** @type {PointerEvent} */ (event).pointerId));
    field.addEventListener("pointerleave", () => this.choose(null));
    field.addEventListener("dblclick", (event) => this.zoom(STEP * STEP, ...this.at(event)));
    field.addEventListener("keydown", (event) => this.key(event));
    this.fit();
  }

  /** @returns {[number, number]} the image's size */
  size() {
    return [this.image.width || this.picture.naturalWidth || 1, this.image.height || this.picture.naturalHeight || 1];
  }

  /**
   * @param {MouseEvent} event
   * @returns {[number, number]}
   */
  at(event) {
    const box = this.field.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  fit() {
    const [width, height] = this.size();
    const [w, h] = [this.field.clientWidth, this.field.clientHeight];
    this.scale = Math.min(w / width, h / height, MOST);
    this.x = (w - width * this.scale) / 2;
    this.y = (h - height * this.scale) / 2;
    this.fitted = true;
    this.queue();
  }

  /**
   * @param {number} by
   * @param {number} [x] of the field, what stays where it is
   * @param {number} [y]
   */
  zoom(by, x = this.field.clientWidth / 2, y = this.field.clientHeight / 2) {
    const [width, height] = this.size();
    const least = Math.min(1, this.field.clientWidth / width, this.field.clientHeight / height) / 4;
    const scale = Math.min(MOST, Math.max(least, this.scale * by));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.queue();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 200), ...this.at(event));
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.field.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  /** @param {PointerEvent} event */
  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.hover(event);
      return;
    }
    const others = [...this.pointers].filter(([number]) => number !== event.pointerId).map(([, at]) => at);
    const here = { x: event.clientX, y: event.clientY };
    this.pointers.set(event.pointerId, here);
    const other = others[0];
    if (other) {
      const was = Math.hypot(before.x - other.x, before.y - other.y) || 1;
      const box = this.field.getBoundingClientRect();
      this.zoom(
        Math.hypot(here.x - other.x, here.y - other.y) / was,
        (here.x + other.x) / 2 - box.left,
        (here.y + other.y) / 2 - box.top,
      );
    } else this.shift(here.x - before.x, here.y - before.y);
  }

  /** @param {PointerEvent} event */
  hover(event) {
    const [x, y] = this.at(event);
    const found = this.visible().findLast((label) =>
      isOn(label, (x - this.x) / this.scale, (y - this.y) / this.scale, NEAR / this.scale),
    );
    this.choose(found?.id ?? null);
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  shift(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.queue();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, () => void>} */
    const acts = {
      "+": () => this.zoom(STEP),
      "=": () => this.zoom(STEP),
      "-": () => this.zoom(1 / STEP),
      0: () => this.fit(),
      1: () => this.zoom(1 / this.scale),
      ArrowLeft: () => this.shift(MOVE, 0),
      ArrowRight: () => this.shift(-MOVE, 0),
      ArrowUp: () => this.shift(0, MOVE),
      ArrowDown: () => this.shift(0, -MOVE),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** @returns {Label[]} */
  visible() {
    return this.image.objects.filter((label) => !this.off.has(label.id));
  }

  /**
   * Shows or hides labels.
   * @param {number[]} numbers
   * @param {boolean} on
   */
  show(numbers, on) {
    for (const number of numbers) {
      if (on) this.off.delete(number);
      else this.off.add(number);
    }
    this.queue();
  }

  /** @param {number | null} number the label that stands out */
  choose(number) {
    if (number === this.now) return;
    this.now = number;
    for (const told of this.chosen) told(number);
    this.queue();
  }

  queue() {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
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
    const dense = Math.min(devicePixelRatio || 1, 2);
    const [w, h] = [Math.round(field.clientWidth * dense), Math.round(field.clientHeight * dense)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const context = canvas.getContext("2d");
    if (!context) return;
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, w, h);
    const labels = this.visible();
    const pending = drawLabels(context, labels, this.classes, { scale, x, y }, { chosen: this.now });
    field.dataset.labels = String(labels.length);
    if (pending.length) Promise.all(pending).then(() => this.queue());
    this.words.textContent = `${Math.round(scale * 100)} %`;
  }
}
