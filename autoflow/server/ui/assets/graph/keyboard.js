// @ts-check
/** The keyboard's ways through the graph. */
import { address } from "./card-element.js";
import { isArrow, step } from "./navigation.js";

/** @typedef {import("./viewport.js").View} View */
/** @typedef {import("./graph-view.js").Scene} Scene */

const FAR = 80; // pixels of a step of the empty stage

/**
 * Listens to the keyboard.
 * @param {object} page
 * @param {View} page.view
 * @param {{focus: () => void}} page.finder
 * @param {() => Scene | null} page.scene
 * @param {(key: string, step: boolean) => void} page.select
 * @param {(key: string, side: "both") => void} page.focus
 * @param {() => void} page.unfocus
 */
export function keys({ view, finder, scene, select, focus, unfocus }) {
  const { camera, cards, stage } = view;

  /** @type {Record<string, () => void>} */
  const anywhere = {
    "+": () => camera.zoom(1.4, undefined, undefined, true),
    "=": () => camera.zoom(1.4, undefined, undefined, true),
    "-": () => camera.zoom(1 / 1.4, undefined, undefined, true),
    0: () => view.fit(),
    1: () => camera.zoom(1 / camera.k, undefined, undefined, true),
  };

  /** @param {string} key of the keyboard @param {string} card @returns {boolean} whether it meant anything */
  const onCard = (key, card) => {
    const shown = scene();
    const number = shown?.at(card) ?? -1;
    if (!shown || number < 0) return false;
    if (isArrow(key)) {
      const next = step(shown, number, key);
      if (next >= 0) walk(shown.keys[next] ?? "", next);
      return true;
    }
    const words = shown.of(number);
    if (key === " ") select(card, true);
    else if (key === "f" || key === "F") focus(card, "both");
    else if (key === "Enter" && words && !words.members && address(words)) location.assign(address(words) ?? "");
    else if (key === "Enter") select(card, true);
    else return false;
    return true;
  };

  /** @param {string} key @param {number} card */
  const walk = (key, card) => {
    cards.current = key;
    if (cards.selected) select(key, false);
    camera.reveal(view.box(card));
    view.redraw(true);
    requestAnimationFrame(() => requestAnimationFrame(() => cards.focus(key)));
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest("input, select, textarea, details[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      finder.focus();
      return;
    }
    if (event.key === "Escape") {
      if (cards.selected) {
        const key = cards.selected;
        select("", true);
        cards.focus(key);
      } else unfocus();
      return;
    }
    const inside = stage.contains(target) || target === document.body;
    if (!inside) return;
    const card = target.closest("article")?.getAttribute("data-key");
    const onFace = target.matches("article");
    if (card && (onFace || isArrow(event.key)) && onCard(event.key, card)) event.preventDefault();
    else if (isArrow(event.key)) {
      event.preventDefault();
      const [right, down] = { ArrowRight: [FAR, 0], ArrowLeft: [-FAR, 0], ArrowDown: [0, FAR], ArrowUp: [0, -FAR] }[
        event.key
      ];
      camera.pan(right ?? 0, down ?? 0);
    } else if (anywhere[event.key]) {
      event.preventDefault();
      anywhere[event.key]?.();
    }
  });

  // Tab into a card out of sight brings it into sight
  stage.addEventListener("focusin", (event) => {
    const card = event.target instanceof Element ? event.target.closest("article")?.getAttribute("data-key") : null;
    const number = scene()?.at(card) ?? -1;
    if (number < 0 || !card) return;
    cards.current = card;
    if (event.target instanceof Element && event.target.matches(":focus-visible")) camera.reveal(view.box(number));
    view.redraw(false);
  });
}
