// @ts-check
/** The cards in sight as elements, made when they come into sight and kept while they are; one is reached by Tab. */
import { element } from "../dom.js";
import { face } from "./card-element.js";
import { SMALL, WIDTH } from "./graph-view.js";

/** @typedef {import("./graph-view.js").Scene} Scene */
/** @typedef {import("./graph-view.js").Words} Words */
/** @typedef {{at: HTMLElement, words: Words | undefined, card: number, drawn: string}} Shown */

const NEAR = 200; // pixels beyond the edge at which cards are made

/** The cards' elements. */
export class Cards {
  /**
   * @param {HTMLElement} world
   * @param {import("./camera.js").Camera} camera
   */
  constructor(world, camera) {
    this.world = world;
    this.camera = camera;
    /** @type {Map<string, Shown>} by key */
    this.shown = new Map();
    this.current = "";
    this.selected = "";
    /** @type {Set<number>} on the selected card's way */
    this.related = new Set();
  }

  /**
   * Shows what is in sight; of all cards only the current one when the whole is too small to read.
   * @param {Scene} scene
   * @param {boolean} readable
   * @returns {number[]} cards in sight whose words are missing
   */
  draw(scene, readable) {
    const { camera } = this;
    const near = NEAR / camera.k;
    const [left, top] = [camera.x - near - WIDTH, camera.y - near];
    const [right, bottom] = [camera.x + camera.width / camera.k + near, camera.y + camera.height / camera.k + near];
    /** @type {Set<string>} */
    const wanted = new Set();
    const missing = [];
    if (readable) {
      for (let n = 0; n < scene.size; n += 1) {
        const [x, y] = [scene.x[n] ?? 0, scene.y[n] ?? 0];
        if (x > left && x < right && y < bottom && y + (scene.h[n] ?? 0) > top) {
          wanted.add(scene.keys[n] ?? "");
          if (!scene.of(n)) missing.push(n);
        }
      }
    }
    if (!scene.index.has(this.current)) this.current = "";
    this.current ||= this._first(scene, wanted);
    for (const key of [this.current, this.selected]) if (scene.index.has(key)) wanted.add(key);
    for (const [key, { at }] of this.shown) {
      if (wanted.has(key)) continue;
      at.remove();
      this.shown.delete(key);
    }
    for (const key of wanted) this._show(scene, key);
    this.world.style.transform = `scale(${camera.k}) translate(${-camera.x}px, ${-camera.y}px)`;
    return missing;
  }

  /** @param {Scene} scene @param {Set<string>} inSight */
  _first(scene, inSight) {
    const entry = scene.keys[scene.entry];
    return entry && (inSight.has(entry) || !inSight.size) ? entry : ([...inSight][0] ?? scene.keys[0] ?? "");
  }

  /** @param {Scene} scene @param {string} key */
  _show(scene, key) {
    const card = scene.at(key);
    const words = scene.words.get(key);
    const height = scene.h[card] ?? SMALL;
    const [before, after] = scene.more.get(card) ?? [0, 0];
    // what it looks like but for its place: an element is touched only when that changed
    const drawn = JSON.stringify([words, height, before, after]);
    let shown = this.shown.get(key);
    if (!shown) {
      shown = { at: element("article"), words, card, drawn: "" };
      shown.at.dataset.key = key;
      this.shown.set(key, shown);
      this.world.append(shown.at);
    }
    const { at } = shown;
    shown.card = card;
    if (shown.drawn !== drawn) {
      face(at, words, scene.type(card), height);
      at.append(...this._more("upstream", before), ...this._more("downstream", after));
      Object.assign(shown, { words, drawn });
    }
    at.style.transform = `translate(${scene.x[card]}px, ${scene.y[card]}px)`;
    at.style.height = `${height}px`;
    at.classList.toggle("entry", card === scene.entry);
    at.classList.toggle("selected", key === this.selected);
    at.classList.toggle("related", this.related.has(card));
    if (key === this.selected) at.setAttribute("aria-current", "true");
    else at.removeAttribute("aria-current");
    const tabbable = key === this.current ? 0 : -1;
    if (at.tabIndex !== tabbable || !at.hasAttribute("tabindex")) {
      at.tabIndex = tabbable;
      for (const inner of at.querySelectorAll("a, button")) inner.setAttribute("tabindex", String(tabbable));
    }
  }

  /** @param {"upstream" | "downstream"} side @param {number} count */
  _more(side, count) {
    if (!count) return [];
    const words = `Show ${count} more ${side}`;
    const made = element("button", {
      type: "button",
      class: `more ${side}`,
      "data-more": side,
      tabindex: -1,
      title: words,
    });
    made.append(
      element("span", { "aria-hidden": "true" }, `+${count} more`),
      element("span", { class: "unseen" }, words),
    );
    return [made];
  }

  /** @param {string} key */
  focus(key) {
    this.shown.get(key)?.at.focus({ preventScroll: true });
  }

  /** Begins anew: another scene may say other things of the same cards. */
  forget() {
    for (const shown of this.shown.values()) shown.drawn = "";
  }
}
