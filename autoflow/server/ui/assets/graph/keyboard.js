// @ts-check
/** Handles the keyboard on the workflow page. */
import { linkTarget } from "./card-element.js";
import { isArrowKey, nextCard } from "./navigation.js";

/** @typedef {import("./viewport.js").Viewport} Viewport */
/** @typedef {import("./graph-view.js").GraphView} GraphView */

const PAN_STEP = 80; // pixels an arrow key pans the camera by

/**
 * Handle the keyboard.
 * @param {object} page
 * @param {Viewport} page.viewport
 * @param {{focus: () => void}} page.search
 * @param {() => GraphView | null} page.graph
 * @param {(key: string, push: boolean) => void} page.select
 * @param {(key: string) => void} page.choose for the comparison, or not any more
 * @param {() => boolean} page.clearChosen whether any were chosen
 * @param {(key: string, side: "both") => void} page.focus
 * @param {() => void} page.unfocus
 * @param {(key: string) => void} page.fold folds the group of a card
 * @param {(key: string) => void} page.open shows the cards of a cluster or a folded group
 */
export function handleKeyboard(page) {
  const { viewport, search, graph, select, choose, clearChosen, focus, unfocus, fold, open } = page;
  const { camera, cards, stage } = viewport;

  /** @type {Record<string, () => void>} */
  const shortcuts = {
    "+": () => camera.zoom(1.4, undefined, undefined, true),
    "=": () => camera.zoom(1.4, undefined, undefined, true),
    "-": () => camera.zoom(1 / 1.4, undefined, undefined, true),
    0: () => viewport.fit(),
    1: () => camera.zoom(1 / camera.k, undefined, undefined, true),
  };

  /** @param {KeyboardEvent} event @param {string} card its key @returns {boolean} whether it was handled */
  const handleCardKey = ({ key, shiftKey }, card) => {
    const view = graph();
    const index = view?.indexOf(card) ?? -1;
    if (!view || index < 0) return false;
    if (isArrowKey(key)) {
      const next = nextCard(view, index, key);
      if (next >= 0) moveTo(view.keys[next] ?? "", next);
      return true;
    }
    const details = view.detailsOf(index);
    if (key === " " && shiftKey) choose(card);
    else if (key === " ") select(card, true);
    else if (key === "f" || key === "F") focus(card, "both");
    else if (key === "g" || key === "G") fold(card);
    else if (key === "Enter" && details?.members) open(card);
    else if (key === "Enter" && details && linkTarget(details)) location.assign(linkTarget(details) ?? "");
    else if (key === "Enter") select(card, true);
    else return false;
    return true;
  };

  /** @param {string} key @param {number} card */
  const moveTo = (key, card) => {
    cards.current = key;
    if (cards.selected) select(key, false);
    camera.reveal(viewport.box(card));
    viewport.redraw(true);
    requestAnimationFrame(() => requestAnimationFrame(() => cards.focus(key)));
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest("input, select, textarea, details[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      search.focus();
      return;
    }
    if (event.key === "Escape") {
      if (cards.selected) {
        const key = cards.selected;
        select("", true);
        cards.focus(key);
      } else if (!clearChosen()) unfocus();
      return;
    }
    // the panel of the selected card is one Tab away, and Shift+Tab leads back
    if (event.key === "Tab" && !event.shiftKey && cards.selected && target.closest("article.selected")) {
      const panel = document.querySelector(".side:not([hidden]) h2");
      if (panel instanceof HTMLElement) {
        event.preventDefault();
        panel.focus();
      }
      return;
    }
    if (event.key === "Tab" && event.shiftKey && cards.selected && target.matches(".side h2")) {
      event.preventDefault();
      cards.focus(cards.selected);
      return;
    }
    const inside = stage.contains(target) || target === document.body;
    if (!inside) return;
    const card = target.closest("article")?.getAttribute("data-key");
    const isCard = target.matches("article");
    if (card && (isCard || isArrowKey(event.key)) && handleCardKey(event, card)) event.preventDefault();
    else if (isArrowKey(event.key)) {
      event.preventDefault();
      const [right, down] = {
        ArrowRight: [PAN_STEP, 0],
        ArrowLeft: [-PAN_STEP, 0],
        ArrowDown: [0, PAN_STEP],
        ArrowUp: [0, -PAN_STEP],
      }[event.key];
      camera.pan(right ?? 0, down ?? 0);
    } else if (shortcuts[event.key]) {
      event.preventDefault();
      shortcuts[event.key]?.();
    }
  });

  // a card that Tab reaches is brought into sight
  stage.addEventListener("focusin", (event) => {
    const card = event.target instanceof Element ? event.target.closest("article")?.getAttribute("data-key") : null;
    const number = graph()?.indexOf(card) ?? -1;
    if (number < 0 || !card) return;
    cards.current = card;
    if (event.target instanceof Element && event.target.matches(":focus-visible")) camera.reveal(viewport.box(number));
    viewport.redraw(false);
  });
}
