// @ts-check
/** The scene as the server laid it out: places in flat arrays, arrows by their ends, words by key as they come. */
import { call } from "../api.js";

export const WIDTH = 312;
export const SMALL = 82;
export const TYPES = /** @type {const} */ ([
  "project",
  "project_version",
  "dataset",
  "file",
  "model_weight",
  "folder",
  "task",
  "job",
  "app_session",
]);
export const BACK = 4;
const VERSION = 2;
const ASKED = 1000;

/** @typedef {(typeof TYPES)[number]} CardType */
/** @typedef {{name: string, color: string, background: string}} Icon */
/** @typedef {{url: string, title: string}} Link */
/**
 * @typedef {object} Words a card's words, as `Card` has them; what is empty is not there
 * @property {string} key
 * @property {CardType} type
 * @property {string | number} id
 * @property {string} name
 * @property {string} title
 * @property {string} [origin]
 * @property {string} [description]
 * @property {Icon} [icon]
 * @property {Link} [link]
 * @property {string} [state]
 * @property {string} [at]
 * @property {string} [seen] the minute of a running run's last record
 * @property {boolean} [unattributed]
 * @property {string} [badge]
 * @property {string} [preview]
 * @property {string[]} [collage]
 * @property {string} [parent]
 * @property {number} [size]
 * @property {string[]} [members]
 * @property {string} [author]
 */
/**
 * @typedef {object} Facets what the scene can be narrowed by
 * @property {Record<string, number>} kinds
 * @property {Record<string, number>} apps
 * @property {string | null} since
 * @property {string | null} until
 * @property {number} cards
 */

/** A scene; nothing in it changes but the words that come later. */
export class Scene {
  /** @param {any} told the answer of ``autoflow.scene`` */
  constructor(told) {
    /** @type {string} */
    this.digest = told.digest;
    /** @type {string} */
    this.title = told.title;
    /** @type {string[]} */
    this.keys = told.keys;
    /** @type {Facets} */
    this.facets = told.facets;
    /** @type {boolean} */
    this.cut = told.cut;
    this.size = this.keys.length;
    this.width = Math.max(told.width, 1);
    this.height = Math.max(told.height, 1);
    /** @type {Map<string, number>} */
    this.index = new Map(this.keys.map((key, n) => [key, n]));
    this.entry = this.at(told.entry);
    this.types = Uint8Array.from(told.types);
    this.x = new Int32Array(this.size);
    this.y = new Int32Array(this.size);
    this.h = new Int32Array(this.size);
    for (let n = 0; n < this.size; n += 1) {
      this.x[n] = told.boxes[3 * n];
      this.y[n] = told.boxes[3 * n + 1];
      this.h[n] = told.boxes[3 * n + 2];
    }
    this.arrows = told.arrows.length / 3;
    this.source = new Int32Array(this.arrows);
    this.target = new Int32Array(this.arrows);
    this.kind = new Uint8Array(this.arrows);
    /** where an arrow's corners begin in `corners`; one more at the end */
    this.start = new Int32Array(this.arrows + 1);
    this.corners = new Int32Array(told.ways.length - this.arrows);
    /** left, top, right and bottom of each arrow's way */
    this.box = new Int32Array(4 * this.arrows);
    /** @type {number[][]} arrows out of each card */
    this.out = Array.from({ length: this.size }, () => []);
    /** @type {number[][]} arrows into each card */
    this.into = Array.from({ length: this.size }, () => []);
    this._arrows(told.arrows, told.ways);
    /** @type {Map<number, [number, number]>} neighbours left out upstream and downstream */
    this.more = new Map(Object.entries(told.more).map(([n, sides]) => [Number(n), sides]));
    /** @type {Map<string, Words>} */
    this.words = new Map(told.cards.map((/** @type {Words} */ card) => [card.key, card]));
  }

  /**
   * @param {number[]} arrows source, target, kind of each
   * @param {number[]} ways corners of each after their count
   */
  _arrows(arrows, ways) {
    let read = 0;
    let written = 0;
    for (let n = 0; n < this.arrows; n += 1) {
      const [source, target] = [arrows[3 * n] ?? 0, arrows[3 * n + 1] ?? 0];
      this.source[n] = source;
      this.target[n] = target;
      this.kind[n] = arrows[3 * n + 2] ?? 0;
      this.out[source]?.push(n);
      this.into[target]?.push(n);
      const points = ways[read] ?? 0;
      read += 1;
      this.start[n] = written;
      const bounds = [Infinity, Infinity, -Infinity, -Infinity];
      for (let p = 0; p < points; p += 1, read += 2, written += 2) {
        const [x, y] = [ways[read] ?? 0, ways[read + 1] ?? 0];
        this.corners[written] = x;
        this.corners[written + 1] = y;
        bounds[0] = Math.min(bounds[0] ?? x, x);
        bounds[1] = Math.min(bounds[1] ?? y, y);
        bounds[2] = Math.max(bounds[2] ?? x, x);
        bounds[3] = Math.max(bounds[3] ?? y, y);
      }
      this.box.set(bounds, 4 * n);
    }
    this.start[this.arrows] = written;
  }

  /**
   * @param {string | null | undefined} key
   * @returns {number} the card's number here, -1 for none
   */
  at(key) {
    return (key ? this.index.get(key) : undefined) ?? -1;
  }

  /** @param {number} card @returns {CardType} */
  type(card) {
    return TYPES[this.types[card] ?? 0] ?? "file";
  }

  /** @param {number} card @returns {Words | undefined} */
  of(card) {
    return this.words.get(this.keys[card] ?? "");
  }

  /** @param {number} card @returns {number[]} cards one arrow before it */
  before(card) {
    return [...new Set((this.into[card] ?? []).map((arrow) => this.source[arrow] ?? 0))];
  }

  /** @param {number} card @returns {number[]} cards one arrow after it */
  after(card) {
    return [...new Set((this.out[card] ?? []).map((arrow) => this.target[arrow] ?? 0))];
  }

  /**
   * All cards and arrows on a card's way up or down.
   * @param {number} card
   * @param {"upstream" | "downstream"} side
   */
  reach(card, side) {
    const [lists, ends] = side === "upstream" ? [this.into, this.source] : [this.out, this.target];
    const cards = new Set([card]);
    const arrows = new Set();
    for (const one of cards) {
      for (const arrow of lists[one] ?? []) {
        arrows.add(arrow);
        cards.add(ends[arrow] ?? 0);
      }
    }
    cards.delete(card);
    return { cards, arrows };
  }

  /** @param {number} arrow */
  isVersion(arrow) {
    return ((this.kind[arrow] ?? 0) & 3) === VERSION;
  }

  /** @param {number} arrow whether it runs against the reading direction */
  isBack(arrow) {
    return ((this.kind[arrow] ?? 0) & BACK) !== 0;
  }

  /**
   * Asks for the words of cards that have none yet.
   * @param {Iterable<number>} cards
   * @returns {Promise<boolean>} whether any came
   */
  async tell(cards) {
    const missing = [...cards].map((n) => this.keys[n] ?? "").filter((key) => key && !this.words.has(key));
    for (let from = 0; from < missing.length; from += ASKED) {
      const keys = missing.slice(from, from + ASKED);
      const told = await call("autoflow.scene.cards", { keys });
      for (const card of told.cards) this.words.set(card.key, card);
    }
    return missing.length > 0;
  }

  /** Asks for all words: for the search and the table. */
  tellAll() {
    return this.tell(this.keys.keys());
  }
}
