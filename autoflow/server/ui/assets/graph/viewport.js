// @ts-check
/** The viewport: puts camera, cards, canvas and minimap together, and draws at most once a frame. */
import { drawnIcon, element } from "../dom.js";
import { onThemeChange } from "../theme.js";
import { arrowAt, arrowText, farEnd } from "./arrow-pointer.js";
import { Camera, SIDE_MARGIN } from "./camera.js";
import { Painter } from "./canvas.js";
import { Cards } from "./cards.js";
import { cardsInSight, detailLevel, hasTitles, TITLE_SIZE, titleLines } from "./detail-level.js";
import { handleGestures } from "./gestures.js";
import { WIDTH } from "./graph-view.js";
import { groupsInSight } from "./group-labels.js";
import { Minimap } from "./minimap.js";
import { cardAt } from "./navigation.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */

const ZOOM_ICONS = { in: "M12 5v14M5 12h14", out: "M5 12h14", fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" };
const DETAILS_DELAY = 120; // milliseconds of rest before the details of cards in sight are loaded

/** Shows a graph that can be panned and zoomed. */
export class Viewport {
  /**
   * @param {(key: string, adds: boolean) => void} onPick called with the key of a clicked card, empty for none, and
   *   whether Shift, Ctrl or Cmd was held
   * @param {(key: string) => void} onFollow called with the key of the card at the far end of a clicked arrow
   * @param {() => void} onRest called when the camera has come to rest
   */
  constructor(onPick, onFollow, onRest) {
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
    this.frame = element("div", { class: "frame" }, this.stage, map, this._zoomButtons());
    this.onRest = onRest;
    /** @type {GraphView | null} */
    this.graph = null;
    /** @type {import("./detail-level.js").DetailLevel} */
    this.level = "full";
    this.titleSize = 0;
    this.pendingFrame = 0;
    this.restTimer = 0;
    this.camera = new Camera(this.stage, () => this.redraw(true));
    this.cards = new Cards(this.world, this.camera);
    this.painter = new Painter(this.canvas, this.camera);
    this.minimap = new Minimap(map, this.camera);
    handleGestures(this.stage, this.camera);
    onThemeChange(() => this._updateColours());
    this.arrowLabel = element("div", { class: "arrow-label", "aria-hidden": "true", hidden: true });
    this.frame.append(this.arrowLabel);
    this.hoveredArrow = -1;
    this.stage.addEventListener("click", (event) => this._onClick(event, onPick, onFollow));
    // Shift would select the texts between two cards
    this.stage.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
    this.stage.addEventListener("dblclick", (event) => {
      if (!(event.target instanceof Element) || event.target.closest("a, button, article")) return;
      const frame = this.stage.getBoundingClientRect();
      this.camera.zoom(2, event.clientX - frame.left, event.clientY - frame.top, true);
    });
    this.stage.addEventListener("pointerover", (event) => this._onHover(event.target));
    this.stage.addEventListener("pointermove", (event) => this._onPointerMove(event));
    this.stage.addEventListener("pointerleave", () => this._hoverArrow(-1));
    // some browsers scroll the stage to a focused card; only the camera may move the world
    this.stage.addEventListener("scroll", () => this.stage.scrollTo(0, 0));
  }

  _zoomButtons() {
    const button = (/** @type {string} */ label, /** @type {string} */ icon, /** @type {() => void} */ action) => {
      const created = element(
        "button",
        { type: "button", class: "plain", "aria-label": label, title: label },
        drawnIcon(icon),
      );
      created.addEventListener("click", action);
      return created;
    };
    this.scaleLabel = element("span", {}, "100%");
    const fullSize = element(
      "button",
      { type: "button", class: "plain scale", title: "Full size" },
      this.scaleLabel,
      element("span", { class: "visually-hidden" }, ", full size"),
    );
    fullSize.addEventListener("click", () => this.camera.zoom(1 / this.camera.k, undefined, undefined, true));
    return element(
      "div",
      { class: "zooms", role: "group", "aria-label": "Zoom" },
      button("Zoom in", ZOOM_ICONS.in, () => this.camera.zoom(1.4, undefined, undefined, true)),
      fullSize,
      button("Zoom out", ZOOM_ICONS.out, () => this.camera.zoom(1 / 1.4, undefined, undefined, true)),
      button("Show all", ZOOM_ICONS.fit, () => this.fit()),
    );
  }

  /**
   * Show another graph; the card nearest the centre keeps its position on the screen.
   * @param {GraphView} graph
   */
  setGraph(graph) {
    const previous = this.graph;
    const anchor = previous ? this._anchor(previous, graph) : null;
    this.graph = graph;
    this.cards.invalidate();
    this.select(this.cards.selected);
    this.minimap.setGraph(graph);
    if (previous && anchor) {
      const [then, now] = [previous.indexOf(anchor), graph.indexOf(anchor)];
      const right = (graph.x[now] ?? 0) - (previous.x[then] ?? 0);
      const down = (graph.y[now] ?? 0) - (previous.y[then] ?? 0);
      const { x, y, k } = this.camera;
      if (right || down) this.camera.show({ x: x + right, y: y + down, k });
    }
    this.redraw(false);
  }

  /**
   * Choose the card of both graphs that is nearest the centre.
   * @param {GraphView} before
   * @param {GraphView} after
   * @returns {string | null} its key
   */
  _anchor(before, after) {
    if (after.index.has(this.cards.selected) && before.index.has(this.cards.selected)) return this.cards.selected;
    const { camera } = this;
    const [x, y] = camera.toWorld(camera.width / 2, camera.height / 2);
    let [nearest, shortest] = [/** @type {string | null} */ (null), Infinity];
    for (let n = 0; n < before.size; n += 1) {
      const distance = Math.abs((before.x[n] ?? 0) + WIDTH / 2 - x) + Math.abs((before.y[n] ?? 0) - y);
      if (distance < shortest && after.index.has(before.keys[n] ?? ""))
        [nearest, shortest] = [before.keys[n] ?? null, distance];
    }
    return nearest;
  }

  /** Select a card, and highlight what is upstream and downstream. @param {string} key empty for none */
  select(key) {
    const { graph, cards, painter } = this;
    const card = graph?.indexOf(key) ?? -1;
    cards.selected = card >= 0 ? key : "";
    painter.highlighted = null;
    cards.related = new Set();
    if (graph && card >= 0) {
      cards.current = key;
      const [up, down] = [graph.reachable(card, "upstream"), graph.reachable(card, "downstream")];
      painter.highlighted = /** @type {Set<number>} */ (new Set([...up.arrows, ...down.arrows]));
      cards.related = new Set([...up.cards, ...down.cards]);
    }
    this.redraw(false);
  }

  /** Mark the cards that were chosen to be compared. @param {string[]} keys */
  choose(keys) {
    this.cards.chosen = new Set(keys);
    this.painter.chosen = keys.map((key) => this.graph?.indexOf(key) ?? -1);
    this.redraw(false);
  }

  /** @param {number} card @returns {import("./camera.js").Box} */
  box(card) {
    const { graph } = this;
    return { x: graph?.x[card] ?? 0, y: graph?.y[card] ?? 0, width: WIDTH, height: graph?.heights[card] ?? 0 };
  }

  /** Move the camera to a card, at a scale at which it can be read. @param {number} card @param {boolean} [animate] */
  centreOn(card, animate = true) {
    this.camera.show(this.camera.centredOn(this.box(card), Math.max(this.camera.k, 0.8)), animate);
  }

  /** Show the whole graph. @param {boolean} [animate] */
  fit(animate = true) {
    if (this.graph)
      this.camera.show(
        this.camera.fitting({ x: 0, y: 0, width: this.graph.width, height: this.graph.height }),
        animate,
      );
  }

  /** Show all cards of a group. @param {string} key */
  fitGroup(key) {
    const box = this.graph?.boxOfGroup(key);
    if (!box) return;
    this.camera.show(this.camera.fitting(box), true);
  }

  /** @returns {boolean} whether the whole graph can be shown on the stage so that titles can be read */
  canShowAll() {
    const { graph, camera } = this;
    if (!graph) return true;
    return hasTitles(camera.fitting({ x: 0, y: 0, width: graph.width, height: graph.height }).k);
  }

  /** Set the initial camera: the whole graph if it can be read at that scale, else the entry card. */
  showEntry() {
    const { graph, camera } = this;
    if (!graph) return;
    const all = camera.fitting({ x: 0, y: 0, width: graph.width, height: graph.height });
    if (all.k >= 0.4 || graph.entry < 0) return camera.show(all);
    const box = this.box(graph.entry);
    const transform = camera.centredOn(box, Math.min(1, Math.max(all.k, camera.width < 700 ? 0.75 : 0.8)));
    // do not leave half of the screen empty beyond the edge of the graph
    const clamp = (
      /** @type {number} */ position,
      /** @type {number} */ visible,
      /** @type {number} */ total,
      /** @type {number} */ margin,
    ) =>
      total + 2 * margin <= visible
        ? (total - visible) / 2
        : Math.min(Math.max(position, -margin), total + margin - visible);
    transform.x = clamp(transform.x, camera.width / transform.k, graph.width, SIDE_MARGIN / transform.k);
    transform.y = clamp(transform.y, camera.height / transform.k, graph.height, 40);
    return camera.show(transform);
  }

  /** Draw the graph as of another time. */
  onTime() {
    if (this.graph) this.minimap.setGraph(this.graph);
    this.select(this.cards.selected);
  }

  /** Draw in the next frame. @param {boolean} moved whether the camera moved */
  redraw(moved) {
    if (moved) {
      clearTimeout(this.restTimer);
      this.restTimer = window.setTimeout(() => {
        this.onRest();
        void this._loadDetails();
      }, DETAILS_DELAY);
    }
    if (this.pendingFrame) return;
    this.pendingFrame = requestAnimationFrame(() => {
      this.pendingFrame = 0;
      this._draw();
    });
  }

  _draw() {
    const { graph, camera } = this;
    if (!graph || !camera.width) return;
    this.level = detailLevel(cardsInSight(graph, camera).length, camera.k);
    const asElements = this.level === "full" || this.level === "compact";
    if (this.painter.draw(graph, graph.indexOf(this.cards.selected), this.level)) this.redraw(false);
    this.missing = this.cards.draw(graph, asElements);
    this.minimap.draw();
    if (this.scaleLabel) this.scaleLabel.textContent = `${Math.round(camera.k * 100)}%`;
    this.frame.classList.toggle("far", !asElements);
    this.frame.classList.toggle("compact", this.level === "compact");
    if (this.level === "compact") this._sizeTitles(camera.k);
    if (this.missing.length && !this.restTimer) this.redraw(true);
  }

  /** Keep the titles of compact cards at their size on the screen, in steps. @param {number} k the scale */
  _sizeTitles(k) {
    const size = Math.ceil(Math.max(15, TITLE_SIZE / k));
    if (size === this.titleSize) return;
    this.titleSize = size;
    this.world.style.setProperty("--title-size", `${size}px`);
    const lines = titleLines(k);
    this.world.style.setProperty("--title-lines", String(lines));
    this.frame.classList.toggle("wrapped", lines > 1);
    this.world.style.setProperty("--edge", `${Math.max(4, Math.ceil(3 / k))}px`);
  }

  async _loadDetails() {
    this.restTimer = 0;
    const { graph, camera } = this;
    if (!graph || graph.details.size >= graph.size) return;
    let needed = this.missing ?? [];
    if (this.level === "painted") needed = cardsInSight(graph, camera);
    else if (this.level === "labels") needed = groupsInSight(graph.groups, camera).map((group) => group.card);
    const selected = graph.indexOf(this.cards.selected);
    if (selected >= 0) needed = [selected, ...needed];
    if (await graph.loadDetails(needed).catch(() => false)) this.redraw(false);
  }

  /**
   * @param {MouseEvent} event
   * @param {(key: string, adds: boolean) => void} onPick
   * @param {(key: string) => void} onFollow
   */
  _onClick(event, onPick, onFollow) {
    const target = event.target instanceof Element ? event.target : null;
    if (!target || target.closest("a, button")) return;
    const adds = event.shiftKey || event.ctrlKey || event.metaKey;
    const card = target.closest("article");
    if (card instanceof HTMLElement) return onPick(card.dataset.key ?? "", adds);
    const frame = this.stage.getBoundingClientRect();
    const at =
      this.graph && this.frame.classList.contains("far")
        ? cardAt(this.graph, ...this.camera.toWorld(event.clientX - frame.left, event.clientY - frame.top))
        : -1;
    if (at < 0 && this.graph && this.hoveredArrow >= 0) {
      const [x] = this.camera.toWorld(event.clientX - frame.left, 0);
      return onFollow(this.graph.keys[farEnd(this.graph, this.hoveredArrow, x)] ?? "");
    }
    return onPick(at >= 0 ? (this.graph?.keys[at] ?? "") : "", adds);
  }

  /** Find the arrow under a mouse; a finger or a drag points at none. @param {PointerEvent} event */
  _onPointerMove(event) {
    const { graph, camera } = this;
    if (!graph || event.pointerType !== "mouse") return;
    const onStage = event.target === this.stage && !event.buttons;
    const frame = this.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    this._hoverArrow(onStage ? arrowAt(graph, ...camera.toWorld(x, y), camera.k) : -1, x, y);
  }

  /** @param {number} arrow @param {number} [x] pixels of the stage @param {number} [y] */
  _hoverArrow(arrow, x = 0, y = 0) {
    const { graph, painter, arrowLabel } = this;
    arrowLabel.hidden = arrow < 0;
    if (graph && arrow >= 0) {
      arrowLabel.style.transform = `translate(${x + 14}px, ${y + 14}px)`;
      arrowLabel.textContent = arrowText(graph, arrow);
    }
    if (arrow === this.hoveredArrow) return;
    this.hoveredArrow = arrow;
    this.stage.classList.toggle("on-arrow", arrow >= 0);
    if (this.cards.selected) return;
    painter.highlighted = arrow >= 0 ? new Set([arrow]) : null;
    this.redraw(false);
  }

  /** Highlight the arrows of the card under the pointer, unless one is selected. @param {EventTarget | null} target */
  _onHover(target) {
    const { graph, painter, cards } = this;
    if (!graph || cards.selected) return;
    const article = target instanceof Element ? target.closest("article") : null;
    const card = article instanceof HTMLElement ? graph.indexOf(article.dataset.key) : -1;
    const arrows = card >= 0 ? new Set([...(graph.incoming[card] ?? []), ...(graph.outgoing[card] ?? [])]) : null;
    if (arrows === painter.highlighted || (!arrows?.size && !painter.highlighted)) return;
    painter.highlighted = arrows?.size ? arrows : null;
    this.redraw(false);
  }

  _updateColours() {
    this.painter.readColours();
    if (this.graph) this.minimap.setGraph(this.graph);
    this.redraw(false);
  }
}
