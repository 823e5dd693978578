// @ts-check
/** The picture: camera, cards and painting put together, drawn once a frame when something moved. */
import { drawn, element } from "../dom.js";
import { onTheme } from "../theme.js";
import { ASIDE, Camera } from "./camera.js";
import { Painter, READABLE } from "./canvas.js";
import { Cards } from "./cards.js";
import { gestures } from "./gestures.js";
import { WIDTH } from "./graph-view.js";
import { Minimap } from "./minimap.js";
import { cardAt } from "./navigation.js";

/** @typedef {import("./graph-view.js").Scene} Scene */

const ICONS = { in: "M12 5v14M5 12h14", out: "M5 12h14", fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" };
const WORDS_WAIT = 120; // milliseconds of rest before words of cards in sight are asked for
const FAR = 0.16; // the scale below which painted cards have no titles

/** The picture of a scene. */
export class View {
  /**
   * @param {(key: string) => void} picked a card was clicked; empty for none
   * @param {() => void} moved the camera came to rest
   */
  constructor(picked, moved) {
    this.canvas = element("canvas", { class: "paint", "aria-hidden": "true" });
    this.world = element("div", { class: "world" });
    this.stage = element(
      "div",
      {
        class: "stage",
        role: "region",
        tabindex: 0,
        "aria-label": "Workflow graph. Arrow keys move, plus and minus zoom.",
      },
      this.canvas,
      this.world,
    );
    const map = element("canvas", { class: "minimap", "aria-hidden": "true" });
    this.frame = element("div", { class: "frame" }, this.stage, map, this._zooms());
    this.moved = moved;
    /** @type {Scene | null} */
    this.scene = null;
    this.frameAsked = 0;
    this.resting = 0;
    this.camera = new Camera(this.stage, () => this.redraw(true));
    this.cards = new Cards(this.world, this.camera);
    this.painter = new Painter(this.canvas, this.camera);
    this.minimap = new Minimap(map, this.camera);
    gestures(this.stage, this.camera);
    onTheme(() => this._recolour());
    this.stage.addEventListener("click", (event) => this._clicked(event, picked));
    this.stage.addEventListener("dblclick", (event) => {
      if (!(event.target instanceof Element) || event.target.closest("a, button, article")) return;
      const frame = this.stage.getBoundingClientRect();
      this.camera.zoom(2, event.clientX - frame.left, event.clientY - frame.top, true);
    });
    this.stage.addEventListener("pointerover", (event) => this._hover(event.target));
    // focus moves the stage's own scroll on some browsers: the camera alone moves the world
    this.stage.addEventListener("scroll", () => this.stage.scrollTo(0, 0));
  }

  _zooms() {
    const button = (/** @type {string} */ label, /** @type {string} */ icon, /** @type {() => void} */ done) => {
      const made = element(
        "button",
        { type: "button", class: "plain", "aria-label": label, title: label },
        drawn(icon),
      );
      made.addEventListener("click", done);
      return made;
    };
    this.scaleShown = element("span", {}, "100%");
    const full = element(
      "button",
      { type: "button", class: "plain scale", title: "Full size" },
      this.scaleShown,
      element("span", { class: "unseen" }, ", full size"),
    );
    full.addEventListener("click", () => this.camera.zoom(1 / this.camera.k, undefined, undefined, true));
    return element(
      "div",
      { class: "zooms", role: "group", "aria-label": "Zoom" },
      button("Zoom in", ICONS.in, () => this.camera.zoom(1.4, undefined, undefined, true)),
      full,
      button("Zoom out", ICONS.out, () => this.camera.zoom(1 / 1.4, undefined, undefined, true)),
      button("Show all", ICONS.fit, () => this.fit()),
    );
  }

  /**
   * Shows another scene; the card nearest the middle stays where it is on the screen.
   * @param {Scene} scene
   */
  take(scene) {
    const before = this.scene;
    const anchor = before ? this._anchor(before, scene) : null;
    this.scene = scene;
    this.cards.forget();
    this.select(this.cards.selected);
    this.minimap.take(scene);
    if (before && anchor) {
      const [then, now] = [before.at(anchor), scene.at(anchor)];
      const right = (scene.x[now] ?? 0) - (before.x[then] ?? 0);
      const down = (scene.y[now] ?? 0) - (before.y[then] ?? 0);
      const { x, y, k } = this.camera;
      if (right || down) this.camera.show({ x: x + right, y: y + down, k });
    }
    this.redraw(false);
  }

  /** @param {Scene} before @param {Scene} after @returns {string | null} a card of both */
  _anchor(before, after) {
    if (after.index.has(this.cards.selected) && before.index.has(this.cards.selected)) return this.cards.selected;
    const { camera } = this;
    const [x, y] = camera.world(camera.width / 2, camera.height / 2);
    let [found, least] = [/** @type {string | null} */ (null), Infinity];
    for (let n = 0; n < before.size; n += 1) {
      const far = Math.abs((before.x[n] ?? 0) + WIDTH / 2 - x) + Math.abs((before.y[n] ?? 0) - y);
      if (far < least && after.index.has(before.keys[n] ?? "")) [found, least] = [before.keys[n] ?? null, far];
    }
    return found;
  }

  /** @param {string} key marks a card and its ways; empty for none */
  select(key) {
    const { scene, cards, painter } = this;
    const card = scene?.at(key) ?? -1;
    cards.selected = card >= 0 ? key : "";
    painter.strong = null;
    cards.related = new Set();
    if (scene && card >= 0) {
      cards.current = key;
      const [up, down] = [scene.reach(card, "upstream"), scene.reach(card, "downstream")];
      painter.strong = /** @type {Set<number>} */ (new Set([...up.arrows, ...down.arrows]));
      cards.related = new Set([...up.cards, ...down.cards]);
    }
    this.redraw(false);
  }

  /** @param {number} card @returns {import("./camera.js").Box} */
  box(card) {
    const { scene } = this;
    return { x: scene?.x[card] ?? 0, y: scene?.y[card] ?? 0, width: WIDTH, height: scene?.h[card] ?? 0 };
  }

  /** Shows a card in the middle, large enough to be read. @param {number} card @param {boolean} [fly] */
  visit(card, fly = true) {
    this.camera.show(this.camera.centred(this.box(card), Math.max(this.camera.k, 0.8)), fly);
  }

  /** Shows all of it. @param {boolean} [fly] */
  fit(fly = true) {
    if (this.scene)
      this.camera.show(this.camera.fitting({ x: 0, y: 0, width: this.scene.width, height: this.scene.height }), fly);
  }

  /** Where a person begins: all of it if that can be read, else the card they came from. */
  begin() {
    const { scene, camera } = this;
    if (!scene) return;
    const all = camera.fitting({ x: 0, y: 0, width: scene.width, height: scene.height });
    if (all.k >= 0.6 || scene.entry < 0) return camera.show(all);
    const box = this.box(scene.entry);
    const view = camera.centred(box, Math.min(1, Math.max(all.k, camera.width < 700 ? 0.75 : 0.8)));
    // what the graph has no more of beyond an edge is no reason for an empty half of the screen
    const clamp = (
      /** @type {number} */ at,
      /** @type {number} */ room,
      /** @type {number} */ whole,
      /** @type {number} */ edge,
    ) => (whole + 2 * edge <= room ? (whole - room) / 2 : Math.min(Math.max(at, -edge), whole + edge - room));
    view.x = clamp(view.x, camera.width / view.k, scene.width, ASIDE / view.k);
    view.y = clamp(view.y, camera.height / view.k, scene.height, 40);
    return camera.show(view);
  }

  /** @param {boolean} moved whether the camera did */
  redraw(moved) {
    if (moved) {
      clearTimeout(this.resting);
      this.resting = window.setTimeout(() => {
        this.moved();
        void this._words();
      }, WORDS_WAIT);
    }
    if (this.frameAsked) return;
    this.frameAsked = requestAnimationFrame(() => {
      this.frameAsked = 0;
      this._draw();
    });
  }

  _draw() {
    const { scene, camera } = this;
    if (!scene || !camera.width) return;
    if (this.painter.draw(scene, scene.at(this.cards.selected))) this.redraw(false);
    this.missing = this.cards.draw(scene, camera.k >= READABLE);
    this.minimap.draw();
    if (this.scaleShown) this.scaleShown.textContent = `${Math.round(camera.k * 100)}%`;
    this.frame.classList.toggle("far", camera.k < READABLE);
    if (this.missing.length && !this.resting) this.redraw(true);
  }

  async _words() {
    this.resting = 0;
    const { scene, camera } = this;
    if (!scene || scene.words.size >= scene.size) return;
    let wanted = this.missing ?? [];
    if (camera.k < READABLE && camera.k >= FAR) {
      const [left, top] = camera.world(0, 0);
      const [right, low] = camera.world(camera.width, camera.height);
      wanted = [...scene.keys.keys()].filter(
        (n) =>
          (scene.x[n] ?? 0) + WIDTH > left &&
          (scene.x[n] ?? 0) < right &&
          (scene.y[n] ?? 0) < low &&
          (scene.y[n] ?? 0) + (scene.h[n] ?? 0) > top,
      );
    }
    const selected = scene.at(this.cards.selected);
    if (selected >= 0) wanted = [selected, ...wanted];
    if (await scene.tell(wanted).catch(() => false)) this.redraw(false);
  }

  /** @param {MouseEvent} event @param {(key: string) => void} picked */
  _clicked(event, picked) {
    const target = event.target instanceof Element ? event.target : null;
    if (!target || target.closest("a, button")) return;
    const card = target.closest("article");
    if (card instanceof HTMLElement) return picked(card.dataset.key ?? "");
    const frame = this.stage.getBoundingClientRect();
    const at =
      this.scene && this.camera.k < READABLE
        ? cardAt(this.scene, ...this.camera.world(event.clientX - frame.left, event.clientY - frame.top))
        : -1;
    return picked(at >= 0 ? (this.scene?.keys[at] ?? "") : "");
  }

  /** The arrows of the card under the pointer stand out, while none is selected. @param {EventTarget | null} target */
  _hover(target) {
    const { scene, painter, cards } = this;
    if (!scene || cards.selected) return;
    const article = target instanceof Element ? target.closest("article") : null;
    const card = article instanceof HTMLElement ? scene.at(article.dataset.key) : -1;
    const strong = card >= 0 ? new Set([...(scene.into[card] ?? []), ...(scene.out[card] ?? [])]) : null;
    if (strong === painter.strong || (!strong?.size && !painter.strong)) return;
    painter.strong = strong?.size ? strong : null;
    this.redraw(false);
  }

  _recolour() {
    this.painter.colours();
    if (this.scene) this.minimap.take(this.scene);
    this.redraw(false);
  }
}
