// @ts-check
/** A grid of very many things: only rows in view are in the document, parts are asked for as they come near. */
import { element } from "../dom.js";

const PART = 60; // things asked for at once
const AROUND = 2; // rows kept ready above and below what is seen
const KEPT = 3000; // things remembered

/**
 * @template T
 * @typedef {{
 *   load: (start: number, limit: number, signal: AbortSignal) => Promise<{items: T[], total: number}>,
 *   make: (item: T, place: number) => HTMLElement,
 *   blank: () => HTMLElement,
 *   label: string,
 *   height: (width: number) => number,
 *   least: number,
 *   gap: number,
 *   moved?: (first: number) => void,
 *   failed: (error: unknown) => void,
 * }} Options
 * `make` gives a link for a thing; `height` is a cell's of its width, `least` the least width of one, in pixels
 */

/** @template T */
export class Grid {
  /**
   * @param {Options<T>} options
   * @param {number} total how many there are
   * @param {number} start the place shown first
   */
  constructor(options, total, start) {
    this.options = options;
    this.total = total;
    this.current = start;
    this.element = element("ul", { class: "grid", "aria-label": options.label });
    /** @type {Map<number, T>} */
    this.items = new Map();
    /** @type {Map<number, HTMLElement>} */
    this.cells = new Map();
    /** @type {Map<number, AbortController>} */
    this.asked = new Map();
    this.columns = 1;
    this.row = 1;
    this.cell = 0;
    this.first = 0;
    this.ended = new AbortController();
    const { signal } = this.ended;
    addEventListener("scroll", () => this.queue(), { passive: true, signal });
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(this.element);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("focusin", (event) => this.focused(event));
    this.queued = false;
    this.began = start;
  }

  /** Ends it: nothing is asked for any more. */
  end() {
    this.ended.abort();
    this.sizes.disconnect();
    for (const one of this.asked.values()) one.abort();
    this.element.remove();
  }

  /** Fits as many columns as there is room for; what was first in view stays so. */
  fit() {
    const { least, gap, height } = this.options;
    const width = this.element.clientWidth;
    if (!width) return;
    const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
    const cell = (width - gap * (columns - 1)) / columns;
    const row = Math.round(height(cell)) + gap;
    if (columns === this.columns && row === this.row && cell === this.cell) return;
    const first = this.began || this.first;
    [this.columns, this.row, this.cell] = [columns, row, cell];
    this.element.style.height = `${Math.ceil(this.total / columns) * row}px`;
    for (const one of this.cells.values()) one.remove();
    this.cells.clear();
    if (first) scrollTo({ top: this.top() + Math.floor(first / columns) * row - this.above() });
    this.began = 0;
    this.show();
  }

  /** Shows again what is in view, after what it shows of things has changed. */
  redraw() {
    for (const [place, cell] of this.cells) {
      const item = this.items.get(place);
      if (item !== undefined) cell.replaceChildren(this.link(item, place));
    }
  }

  top() {
    return this.element.getBoundingClientRect().top + scrollY;
  }

  above() {
    return 140; // so that what leads over the grid stays in view
  }

  queue() {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.show();
    });
  }

  show() {
    if (!this.cell) return;
    const above = scrollY - this.top();
    const firstRow = Math.max(0, Math.floor(above / this.row));
    const lastRow = Math.max(0, Math.ceil((above + innerHeight) / this.row));
    const from = Math.max(0, firstRow - AROUND) * this.columns;
    const until = Math.min(this.total, (lastRow + AROUND) * this.columns);
    const kept = document.activeElement?.closest("li")?.parentElement === this.element ? this.current : -1;
    for (const [place, cell] of this.cells) {
      if ((place < from || place >= until) && place !== kept) {
        cell.remove();
        this.cells.delete(place);
      }
    }
    for (let place = from; place < until; place += 1) if (!this.cells.has(place)) this.add(place);
    const seen = Math.min(firstRow * this.columns, Math.max(0, this.total - 1));
    if (seen !== this.first) {
      this.first = seen;
      this.options.moved?.(seen);
    }
    if (kept < 0 && (this.current < seen || this.current >= Math.min(this.total, lastRow * this.columns)))
      this.stop(seen);
    for (let part = Math.floor(from / PART); part * PART < until; part += 1) this.ask(part);
    for (const [part, one] of this.asked) {
      if ((part + 1) * PART <= from || part * PART >= until) {
        one.abort();
        this.asked.delete(part);
      }
    }
  }

  /** @param {number} place */
  add(place) {
    const item = this.items.get(place);
    const inside = item === undefined ? this.options.blank() : this.link(item, place);
    const cell = element("li", { "aria-setsize": this.total, "aria-posinset": place + 1 }, inside);
    cell.style.width = `${this.cell}px`;
    cell.style.height = `${this.row - this.options.gap}px`;
    const left = (place % this.columns) * (this.cell + this.options.gap);
    cell.style.transform = `translate(${left}px, ${Math.floor(place / this.columns) * this.row}px)`;
    this.cells.set(place, cell);
    const after = [...this.cells.keys()].filter((other) => other > place).sort((a, b) => a - b)[0];
    this.element.insertBefore(cell, after === undefined ? null : (this.cells.get(after) ?? null));
  }

  /**
   * @param {T} item
   * @param {number} place
   */
  link(item, place) {
    const made = this.options.make(item, place);
    made.tabIndex = place === this.current ? 0 : -1;
    return made;
  }

  /** @param {number} part */
  async ask(part) {
    const start = part * PART;
    if (this.asked.has(part)) return;
    let whole = true;
    for (let n = start; n < Math.min(start + PART, this.total); n += 1) whole = whole && this.items.has(n);
    if (whole) return;
    const asking = new AbortController();
    this.asked.set(part, asking);
    try {
      const { items } = await this.options.load(start, PART, asking.signal);
      items.forEach((item, n) => {
        this.items.set(start + n, item);
        const cell = this.cells.get(start + n);
        if (!cell) return;
        const focus = cell.contains(document.activeElement);
        const made = this.link(item, start + n);
        cell.replaceChildren(made);
        if (focus) made.focus({ preventScroll: true });
      });
      for (const old of this.items.keys()) {
        if (this.items.size <= KEPT) break;
        if (!this.cells.has(old)) this.items.delete(old);
      }
    } catch (error) {
      if (!asking.signal.aborted) this.options.failed(error);
    }
    this.asked.delete(part);
  }

  /** @param {number} place which one Tab comes to */
  stop(place) {
    const before = this.cells.get(this.current)?.firstElementChild;
    if (before instanceof HTMLElement) before.tabIndex = -1;
    this.current = place;
    const now = this.cells.get(place)?.firstElementChild;
    if (now instanceof HTMLElement) now.tabIndex = 0;
  }

  /** @param {FocusEvent} event */
  focused(event) {
    const cell = event.target instanceof Element ? event.target.closest("li") : null;
    for (const [place, one] of this.cells) if (one === cell && place !== this.current) this.stop(place);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const page = Math.max(1, Math.floor(innerHeight / this.row) - 1) * this.columns;
    /** @type {Record<string, number>} */
    const ways = {
      ArrowLeft: this.current - 1,
      ArrowRight: this.current + 1,
      ArrowUp: this.current - this.columns,
      ArrowDown: this.current + this.columns,
      PageUp: Math.max(this.current - page, this.current % this.columns),
      PageDown: Math.min(this.current + page, this.total - 1),
      Home: 0,
      End: this.total - 1,
    };
    const to = ways[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (to < 0 || to >= this.total) return;
    this.go(to);
  }

  /** @param {number} place */
  go(place) {
    this.stop(place);
    const top = this.top() + Math.floor(place / this.columns) * this.row;
    if (top < scrollY + this.above()) scrollTo({ top: top - this.above() });
    else if (top + this.row > scrollY + innerHeight) scrollTo({ top: top + this.row - innerHeight });
    this.show();
    const inside = this.cells.get(place)?.firstElementChild;
    if (inside instanceof HTMLElement) {
      inside.tabIndex = 0;
      inside.focus({ preventScroll: true });
    }
  }
}
