// @ts-check
/** The elements of the cards in sight: created and removed as the camera moves. Tab reaches one of them. */
import { element } from "../dom.js";
import { fillCard } from "./card-element.js";
import { cardsInSight } from "./detail-level.js";
import { SMALL } from "./graph-view.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */
/** @import { CardTexts } from "../contract.js" */
/** @typedef {{article: HTMLElement, details: CardTexts | undefined, card: number, content: string}} CardElement */

const PRELOAD_MARGIN = 200; // pixels beyond the stage within which cards have elements

/** Manages the elements of cards. */
export class Cards {
  /**
   * @param {HTMLElement} world
   * @param {import("./camera.js").Camera} camera
   */
  constructor(world, camera) {
    this.world = world;
    this.camera = camera;
    /** @type {Map<string, CardElement>} by key */
    this.elements = new Map();
    /** the key of the card that Tab reaches */
    this.current = "";
    this.selected = "";
    /** @type {Set<string>} keys of the cards that were chosen to be compared */
    this.chosen = new Set();
    /** @type {Set<number>} cards upstream and downstream of the selected one */
    this.related = new Set();
  }

  /**
   * Show the cards in sight; only the current and the selected one where cards are painted.
   * @param {GraphView} graph
   * @param {boolean} asElements
   * @returns {number[]} cards in sight whose details are not loaded yet
   */
  draw(graph, asElements) {
    const { camera } = this;
    /** @type {Set<string>} */
    const keys = new Set();
    const missing = [];
    for (const n of asElements ? cardsInSight(graph, camera, PRELOAD_MARGIN) : []) {
      keys.add(graph.keys[n] ?? "");
      if (!graph.detailsOf(n)) missing.push(n);
    }
    const isThere = (/** @type {string} */ key) => graph.index.has(key) && graph.isShown(graph.indexOf(key));
    if (!isThere(this.current)) this.current = "";
    this.current ||= this._defaultCurrent(graph, keys);
    for (const key of [this.current, this.selected]) if (isThere(key)) keys.add(key);
    for (const [key, { article }] of this.elements) {
      if (keys.has(key)) continue;
      article.remove();
      this.elements.delete(key);
    }
    for (const key of keys) this._show(graph, key);
    this.world.style.transform = `scale(${camera.k}) translate(${-camera.x}px, ${-camera.y}px)`;
    return missing;
  }

  /** @param {GraphView} graph @param {Set<string>} visible @returns {string} the key of the card that Tab reaches */
  _defaultCurrent(graph, visible) {
    const entry = graph.keys[graph.entry];
    return entry && graph.isShown(graph.entry) && (visible.has(entry) || !visible.size)
      ? entry
      : ([...visible][0] ?? graph.keys[0] ?? "");
  }

  /** @param {GraphView} graph @param {string} key */
  _show(graph, key) {
    const card = graph.indexOf(key);
    const details = graph.details.get(key);
    const height = graph.heights[card] ?? SMALL;
    const [before = 0, after = 0] = graph.hiddenNeighbours.get(card) ?? [];
    // the element is filled again only if its content changed, not its position
    const isChosen = this.chosen.has(key);
    const appeared = graph.timeline.count(card);
    const content = JSON.stringify([details, height, before, after, isChosen, appeared]);
    let cardElement = this.elements.get(key);
    if (!cardElement) {
      cardElement = { article: element("article"), details, card, content: "" };
      cardElement.article.dataset.key = key;
      this.elements.set(key, cardElement);
      this.world.append(cardElement.article);
    }
    const { article } = cardElement;
    cardElement.card = card;
    if (cardElement.content !== content) {
      fillCard(article, details, graph.typeOf(card), height);
      if (details?.members && appeared < details.members.length) {
        article.querySelector(".about")?.remove();
        const about = element("span", { class: "about" }, `${appeared} of ${details.members.length} by then`);
        article.querySelector(".second")?.append(about);
      }
      article.append(...this._expandButton("upstream", before), ...this._expandButton("downstream", after));
      if (isChosen) article.setAttribute("aria-label", `${article.getAttribute("aria-label")}, selected to compare`);
      Object.assign(cardElement, { details, content });
    }
    article.style.transform = `translate(${graph.x[card]}px, ${graph.y[card]}px)`;
    article.style.setProperty("--height", `${height}px`);
    article.classList.toggle("entry", card === graph.entry);
    article.classList.toggle("selected", key === this.selected);
    article.classList.toggle("chosen", isChosen);
    article.classList.toggle("related", this.related.has(card));
    if (key === this.selected) article.setAttribute("aria-current", "true");
    else article.removeAttribute("aria-current");
    const tabbable = key === this.current ? 0 : -1;
    if (article.tabIndex !== tabbable || !article.hasAttribute("tabindex")) {
      article.tabIndex = tabbable;
      for (const control of article.querySelectorAll("a, button")) control.setAttribute("tabindex", String(tabbable));
    }
  }

  /** @param {import("./graph-view.js").Side} side @param {number} count of hidden neighbours */
  _expandButton(side, count) {
    if (!count) return [];
    const label = `Show ${count} more ${side}`;
    const button = element("button", {
      type: "button",
      class: `more ${side}`,
      "data-more": side,
      tabindex: -1,
      title: label,
    });
    button.append(
      element("span", { "aria-hidden": "true" }, `+${count} more`),
      element("span", { class: "visually-hidden" }, label),
    );
    return [button];
  }

  /** @param {string} key */
  focus(key) {
    this.elements.get(key)?.article.focus({ preventScroll: true });
  }

  /** Fill all cards again: another graph may have other details of the same cards. */
  invalidate() {
    for (const cardElement of this.elements.values()) cardElement.content = "";
  }
}
