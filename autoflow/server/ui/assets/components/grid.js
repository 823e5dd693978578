// @ts-check
/** A virtual grid of very many items: only rows near the view are in the document; items are loaded page by page. */
import { element } from "../dom.js";

const PAGE_SIZE = 60; // items in one request
const OVERSCAN = 2; // rows rendered above and below the view
const MAX_ITEMS = 3000; // items held in memory

/**
 * @template T
 * @typedef {{
 *   load: (start: number, limit: number, signal: AbortSignal) => Promise<{items: T[], total: number}>,
 *   render: (item: T, index: number) => HTMLElement,
 *   placeholder: () => HTMLElement,
 *   label: string,
 *   height: (width: number) => number,
 *   minWidth: number,
 *   gap: number,
 *   onScroll?: (first: number) => void,
 *   onResize?: (total: number) => void,
 *   onError: (error: unknown) => void,
 * }} Options
 * `render` makes the link of an item; `height` returns the height of a cell from its width; sizes are in pixels
 */

/**
 * Shows items in a virtual grid; arrow keys move the focus from cell to cell.
 * @template T
 */
export class Grid {
  /**
   * @param {Options<T>} options
   * @param {number} total number of items
   * @param {number} start the index to scroll to at first
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
    this.requests = new Map();
    this.columns = 1;
    this.row = 1;
    this.cell = 0;
    this.first = 0;
    this.disposed = new AbortController();
    const { signal } = this.disposed;
    addEventListener("scroll", () => this.scheduleUpdate(), { passive: true, signal });
    this.resizeObserver = new ResizeObserver(() => this.fitColumns());
    this.resizeObserver.observe(this.element);
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("focusin", (event) => this.onFocus(event));
    this.scheduled = false;
    this.initial = start;
  }

  /** Remove the grid, and cancel its requests. */
  dispose() {
    this.disposed.abort();
    this.resizeObserver.disconnect();
    for (const request of this.requests.values()) request.abort();
    this.element.remove();
  }

  /** Fit as many columns as the width allows; the first item in view stays in view. */
  fitColumns() {
    const { minWidth, gap, height } = this.options;
    const width = this.element.clientWidth;
    if (!width) return;
    const columns = Math.max(1, Math.floor((width + gap) / (minWidth + gap)));
    const cell = (width - gap * (columns - 1)) / columns;
    const row = Math.round(height(cell)) + gap;
    if (columns === this.columns && row === this.row && cell === this.cell) return;
    const first = this.initial || this.first;
    [this.columns, this.row, this.cell] = [columns, row, cell];
    this.element.style.height = `${Math.ceil(this.total / columns) * row}px`;
    for (const item of this.cells.values()) item.remove();
    this.cells.clear();
    if (first) scrollTo({ top: this.top() + Math.floor(first / columns) * row - this.headerHeight() });
    this.initial = 0;
    this.update();
  }

  /** Render the cells in view again, after what they show has changed. */
  redraw() {
    for (const [index, cell] of this.cells) {
      const item = this.items.get(index);
      if (item !== undefined) cell.replaceChildren(this.renderLink(item, index));
    }
  }

  /** @returns {number} the offset of the grid in the document, in pixels */
  top() {
    return this.element.getBoundingClientRect().top + scrollY;
  }

  /** @returns {number} pixels above the grid that stay in view: its controls */
  headerHeight() {
    return 140;
  }

  scheduleUpdate() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.update();
    });
  }

  /** Add and remove cells for the current scroll position, and load the items that are missing. */
  update() {
    if (!this.cell) return;
    const above = scrollY - this.top();
    const firstRow = Math.max(0, Math.floor(above / this.row));
    const lastRow = Math.max(0, Math.ceil((above + innerHeight) / this.row));
    const from = Math.max(0, firstRow - OVERSCAN) * this.columns;
    const until = Math.min(this.total, (lastRow + OVERSCAN) * this.columns);
    const focusedIndex = document.activeElement?.closest("li")?.parentElement === this.element ? this.current : -1;
    for (const [index, cell] of this.cells) {
      if ((index < from || index >= until) && index !== focusedIndex) {
        cell.remove();
        this.cells.delete(index);
      }
    }
    for (let index = from; index < until; index += 1) if (!this.cells.has(index)) this.addCell(index);
    const firstVisible = Math.min(firstRow * this.columns, Math.max(0, this.total - 1));
    if (firstVisible !== this.first) {
      this.first = firstVisible;
      this.options.onScroll?.(firstVisible);
    }
    if (
      focusedIndex < 0 &&
      (this.current < firstVisible || this.current >= Math.min(this.total, lastRow * this.columns))
    )
      this.setCurrent(firstVisible);
    for (let page = Math.floor(from / PAGE_SIZE); page * PAGE_SIZE < until; page += 1) this.loadPage(page);
    for (const [page, request] of this.requests) {
      if ((page + 1) * PAGE_SIZE <= from || page * PAGE_SIZE >= until) {
        request.abort();
        this.requests.delete(page);
      }
    }
  }

  /** Insert a cell in the order of the document, which screen readers follow. @param {number} index */
  addCell(index) {
    const item = this.items.get(index);
    const content = item === undefined ? this.options.placeholder() : this.renderLink(item, index);
    const cell = element("li", { "aria-setsize": this.total, "aria-posinset": index + 1 }, content);
    cell.style.width = `${this.cell}px`;
    cell.style.height = `${this.row - this.options.gap}px`;
    const left = (index % this.columns) * (this.cell + this.options.gap);
    cell.style.transform = `translate(${left}px, ${Math.floor(index / this.columns) * this.row}px)`;
    this.cells.set(index, cell);
    const after = [...this.cells.keys()].filter((other) => other > index).sort((a, b) => a - b)[0];
    this.element.insertBefore(cell, after === undefined ? null : (this.cells.get(after) ?? null));
  }

  /**
   * @param {T} item
   * @param {number} index
   */
  renderLink(item, index) {
    const link = this.options.render(item, index);
    link.tabIndex = index === this.current ? 0 : -1;
    return link;
  }

  /** Load a page, unless it is loaded or being loaded. @param {number} page */
  async loadPage(page) {
    const start = page * PAGE_SIZE;
    if (this.requests.has(page)) return;
    let complete = true;
    for (let n = start; n < Math.min(start + PAGE_SIZE, this.total); n += 1) complete = complete && this.items.has(n);
    if (complete) return;
    const request = new AbortController();
    this.requests.set(page, request);
    try {
      const { items, total } = await this.options.load(start, PAGE_SIZE, request.signal);
      if (total !== this.total) this.resize(total);
      items.forEach((item, n) => {
        this.items.set(start + n, item);
        const cell = this.cells.get(start + n);
        if (!cell) return;
        const focus = cell.contains(document.activeElement);
        const link = this.renderLink(item, start + n);
        cell.replaceChildren(link);
        if (focus) link.focus({ preventScroll: true });
      });
      for (const old of this.items.keys()) {
        if (this.items.size <= MAX_ITEMS) break;
        if (!this.cells.has(old)) this.items.delete(old);
      }
    } catch (error) {
      if (!request.signal.aborted) this.options.onError(error);
    }
    // a request that was cancelled may have been followed by another one for the same page
    if (this.requests.get(page) === request) this.requests.delete(page);
  }

  /** Follow a change of the list: its number of items; those loaded may have other places. @param {number} total */
  resize(total) {
    this.total = total;
    this.items.clear();
    for (const request of this.requests.values()) request.abort();
    this.requests.clear();
    for (const cell of this.cells.values()) cell.remove();
    this.cells.clear();
    this.current = Math.max(0, Math.min(this.current, total - 1));
    this.element.style.height = `${Math.ceil(total / this.columns) * this.row}px`;
    this.options.onResize?.(total);
    this.update();
  }

  /** Set the cell that Tab reaches. @param {number} index */
  setCurrent(index) {
    const previous = this.cells.get(this.current)?.firstElementChild;
    if (previous instanceof HTMLElement) previous.tabIndex = -1;
    this.current = index;
    const link = this.cells.get(index)?.firstElementChild;
    if (link instanceof HTMLElement) link.tabIndex = 0;
  }

  /** @param {FocusEvent} event */
  onFocus(event) {
    const cell = event.target instanceof Element ? event.target.closest("li") : null;
    for (const [index, item] of this.cells) if (item === cell && index !== this.current) this.setCurrent(index);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const page = Math.max(1, Math.floor(innerHeight / this.row) - 1) * this.columns;
    /** @type {Record<string, number>} */
    const targets = {
      ArrowLeft: this.current - 1,
      ArrowRight: this.current + 1,
      ArrowUp: this.current - this.columns,
      ArrowDown: this.current + this.columns,
      PageUp: Math.max(this.current - page, this.current % this.columns),
      PageDown: Math.min(this.current + page, this.total - 1),
      Home: 0,
      End: this.total - 1,
    };
    const to = targets[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (to < 0 || to >= this.total) return;
    this.moveTo(to);
  }

  /** Focus a cell, and scroll it into view. @param {number} index */
  moveTo(index) {
    this.setCurrent(index);
    const top = this.top() + Math.floor(index / this.columns) * this.row;
    if (top < scrollY + this.headerHeight()) scrollTo({ top: top - this.headerHeight() });
    else if (top + this.row > scrollY + innerHeight) scrollTo({ top: top + this.row - innerHeight });
    this.update();
    const link = this.cells.get(index)?.firstElementChild;
    if (link instanceof HTMLElement) {
      link.tabIndex = 0;
      link.focus({ preventScroll: true });
    }
  }
}
