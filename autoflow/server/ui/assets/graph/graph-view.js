// @ts-check
/** The laid-out graph as the server sent it: cards and arrows in flat arrays, details of cards loaded on demand. */
import { call } from "../api.js";
import { ENTITY_TYPES } from "../entity-types.js";
import { findGroups } from "./group-labels.js";
import { Timeline } from "./timeline.js";

export const WIDTH = 312; // pixels of a card
export const SMALL = 82; // pixels: the height of a card without a picture
const BACKWARD = 4; // the bit of an arrow's kind that says it runs against the reading direction
const DASHES = [[], [], [2, 3], [8, 4, 1, 4]]; // of an arrow, by its kind: input, output, version, indirect
const BACKWARD_DASHES = [7, 5];
const MEANINGS = ["read", "written", "contained", "by way of cards that a filter hides"]; // of an arrow, by its kind
const MAX_POSITIONS = 2000; // cards whose positions are sent
const MAX_KEYS = 1000; // cards in one request for details

/** @import { CardTexts, Facets, SceneResponse } from "../contract.js" */
/** @typedef {"upstream" | "downstream"} Side */
/** @typedef {Required<SceneResponse>} Scene a response with its graph */

/** A laid-out graph. Cards and arrows are named by their index; only the details of cards change after construction. */
export class GraphView {
  /** @param {Scene} response of ``autoflow.scene`` */
  constructor(response) {
    this.digest = response.digest;
    this.title = response.title;
    this.keys = response.keys;
    /** @type {Facets} */
    this.facets = response.facets;
    /** whether there are more cards than the server sends */
    this.truncated = response.cut;
    this.size = this.keys.length;
    this.width = Math.max(response.width, 1);
    this.height = Math.max(response.height, 1);
    /** @type {Map<string, number>} */
    this.index = new Map(this.keys.map((key, card) => [key, card]));
    this.entry = this.indexOf(response.entry);
    /** the index of each card's type in `ENTITY_TYPES` */
    this.types = Uint8Array.from(response.types);
    this.x = new Int32Array(this.size);
    this.y = new Int32Array(this.size);
    this.heights = new Int32Array(this.size);
    for (let card = 0; card < this.size; card += 1) {
      this.x[card] = response.boxes[3 * card] ?? 0;
      this.y[card] = response.boxes[3 * card + 1] ?? 0;
      this.heights[card] = response.boxes[3 * card + 2] ?? 0;
    }
    this.arrowCount = response.arrows.length / 3;
    this.source = new Int32Array(this.arrowCount);
    this.target = new Int32Array(this.arrowCount);
    this.kind = new Uint8Array(this.arrowCount);
    /** where an arrow's corners start in `corners`, with one more entry for the end */
    this.cornerStart = new Int32Array(this.arrowCount + 1);
    this.corners = new Int32Array(response.ways.length - this.arrowCount);
    /** left, top, right and bottom of each arrow */
    this.arrowBounds = new Int32Array(4 * this.arrowCount);
    /** @type {number[][]} arrows out of each card */
    this.outgoing = Array.from({ length: this.size }, () => []);
    /** @type {number[][]} arrows into each card */
    this.incoming = Array.from({ length: this.size }, () => []);
    this._readArrows(response.arrows, response.ways);
    /** @type {Map<number, number>} how many arrows of the whole graph an arrow stands for, if more than one */
    this.edgeCounts = new Map(Object.entries(response.edges).map(([arrow, edges]) => [Number(arrow), edges]));
    /** groups that can be folded */
    this.foldable = response.groups;
    this.grouping = response.grouping;
    /** @type {Map<number, string>} states of runs, by card */
    this.states = new Map(
      Object.entries(response.states).flatMap(([state, cards]) => cards.map((card) => [card, state])),
    );
    /** @type {import("./group-labels.js").Group[] | null} */
    this._groups = null;
    /** @type {Map<number, number[]>} counts of neighbours left out upstream and downstream */
    this.hiddenNeighbours = new Map(Object.entries(response.more).map(([card, counts]) => [Number(card), counts]));
    /** @type {Map<string, CardTexts>} */
    this.details = new Map(response.cards.map((card) => [card.key, card]));
    /** @type {Map<string, string> | null} */
    this._owners = null;
    this.timeline = new Timeline(response);
  }

  /** @param {number} card @returns {boolean} whether it had appeared at the time that is shown */
  isShown(card) {
    return this.timeline.has(card);
  }

  /** Show the graph as of a time. @param {number} seconds of the timeline; Infinity for now */
  showTime(seconds) {
    this.timeline.until = seconds;
    this._groups = null;
  }

  /**
   * @param {number[]} arrows source, target and kind of each
   * @param {number[]} routes the number of corners of each arrow, followed by their coordinates
   */
  _readArrows(arrows, routes) {
    let read = 0;
    let written = 0;
    for (let n = 0; n < this.arrowCount; n += 1) {
      const [source, target] = [arrows[3 * n] ?? 0, arrows[3 * n + 1] ?? 0];
      this.source[n] = source;
      this.target[n] = target;
      this.kind[n] = arrows[3 * n + 2] ?? 0;
      this.outgoing[source]?.push(n);
      this.incoming[target]?.push(n);
      const points = routes[read] ?? 0;
      read += 1;
      this.cornerStart[n] = written;
      const bounds = [Infinity, Infinity, -Infinity, -Infinity];
      for (let p = 0; p < points; p += 1, read += 2, written += 2) {
        const [x, y] = [routes[read] ?? 0, routes[read + 1] ?? 0];
        this.corners[written] = x;
        this.corners[written + 1] = y;
        bounds[0] = Math.min(bounds[0] ?? x, x);
        bounds[1] = Math.min(bounds[1] ?? y, y);
        bounds[2] = Math.max(bounds[2] ?? x, x);
        bounds[3] = Math.max(bounds[3] ?? y, y);
      }
      this.arrowBounds.set(bounds, 4 * n);
    }
    this.cornerStart[this.arrowCount] = written;
  }

  /**
   * @param {string | null | undefined} key
   * @returns {number} the card's index, -1 if there is no such card
   */
  indexOf(key) {
    return (key ? this.index.get(key) : undefined) ?? -1;
  }

  /** @param {number} card */
  typeOf(card) {
    return /** @type {import("../entity-types.js").EntityType} */ (ENTITY_TYPES[this.types[card] ?? 0]);
  }

  /** @param {number} card @returns {CardTexts | undefined} undefined until they are loaded */
  detailsOf(card) {
    return this.details.get(this.keys[card] ?? "");
  }

  /** @param {number} card @returns {number[]} the cards one arrow before it */
  predecessors(card) {
    const cards = (this.incoming[card] ?? []).map((arrow) => this.source[arrow] ?? 0);
    return [...new Set(cards.filter((n) => this.isShown(n)))];
  }

  /** @param {number} card @returns {number[]} the cards one arrow after it */
  successors(card) {
    const cards = (this.outgoing[card] ?? []).map((arrow) => this.target[arrow] ?? 0);
    return [...new Set(cards.filter((n) => this.isShown(n)))];
  }

  /**
   * Collect all cards and arrows upstream or downstream of a card.
   * @param {number} start
   * @param {Side} side
   */
  reachable(start, side) {
    const [lists, ends] = side === "upstream" ? [this.incoming, this.source] : [this.outgoing, this.target];
    const cards = new Set([start]);
    const arrows = new Set();
    // a Set yields what is added to it during iteration: this is a breadth-first search
    for (const card of cards) {
      for (const arrow of lists[card] ?? []) {
        if (!this.isShown(ends[arrow] ?? 0)) continue;
        arrows.add(arrow);
        cards.add(ends[arrow] ?? 0);
      }
    }
    cards.delete(start);
    return { cards, arrows };
  }

  /** The positions of the cards, for a layout that leaves them there; none of a large graph: they take long to send. */
  get positions() {
    /** @type {Record<string, [number, number]>} */
    const positions = {};
    if (this.size > MAX_POSITIONS) return positions;
    for (const [card, key] of this.keys.entries()) positions[key] = [this.x[card] ?? 0, this.y[card] ?? 0];
    return positions;
  }

  /** The keys of clusters and folded groups, by the keys of the cards that they hold. */
  get owners() {
    this._owners ??= new Map(
      [...this.details.values()].flatMap((card) =>
        this.index.has(card.key) ? (card.members ?? []).map((member) => [member, card.key]) : [],
      ),
    );
    return this._owners;
  }

  /** @param {string} key @returns {string} the key of the cluster or folded group that holds a card, empty for none */
  clusterOf(key) {
    return this.owners.get(key) ?? "";
  }

  /** @param {number} card @returns {import("../contract.js").SceneGroup | undefined} undefined for a card of none */
  groupOf(card) {
    return this.foldable[this.grouping[card] ?? -1];
  }

  /**
   * Return the box around the cards of a group.
   * @param {string} key of the group
   * @returns {import("./camera.js").Box | null} null if none is shown
   */
  boxOfGroup(key) {
    const group = this.foldable.findIndex((other) => other.key === key);
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let card = 0; card < this.size; card += 1) {
      if (this.grouping[card] !== group) continue;
      const [x, y] = [this.x[card] ?? 0, this.y[card] ?? 0];
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + WIDTH), Math.max(bottom, y + (this.heights[card] ?? 0))];
    }
    return right < left ? null : { x: left, y: top, width: right - left, height: bottom - top };
  }

  /** The number of cards that had appeared at the time that is shown, those in clusters included. */
  get memberCount() {
    let members = 0;
    for (let card = 0; card < this.size; card += 1) members += this.timeline.count(card);
    return members;
  }

  /** The groups of connected cards, the largest first. */
  get groups() {
    this._groups ??= findGroups(this);
    return this._groups;
  }

  /** @param {number} arrow @returns {string} */
  meaningOf(arrow) {
    const meaning = MEANINGS[(this.kind[arrow] ?? 0) & 3] ?? "";
    const edges = this.edgeCounts.get(arrow);
    return edges ? `${meaning}, ${edges} times` : meaning;
  }

  /** @param {number} arrow @returns {number[]} the lengths of its dashes and gaps, empty for a solid line */
  dashesOf(arrow) {
    const kind = this.kind[arrow] ?? 0;
    if (kind & BACKWARD) return BACKWARD_DASHES;
    return DASHES[kind & 3] ?? [];
  }

  /**
   * Load the details of cards that have none yet.
   * @param {Iterable<number>} cards
   * @returns {Promise<boolean>} whether any were loaded
   */
  async loadDetails(cards) {
    const missing = [...cards].map((card) => this.keys[card] ?? "").filter((key) => key && !this.details.has(key));
    for (let start = 0; start < missing.length; start += MAX_KEYS) {
      const keys = missing.slice(start, start + MAX_KEYS);
      const response = await call("autoflow.scene.cards", { keys });
      for (const card of response.cards) this.details.set(card.key, card);
    }
    return missing.length > 0;
  }

  /** Load the details of all cards, for the search and the table. */
  loadAllDetails() {
    return this.loadDetails(this.keys.keys());
  }
}
