// @ts-check
/** The bar of the cards that were chosen to be compared: runs, and files by the runs that wrote them. */
import { element } from "../dom.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */

const MAX_CHOSEN = 8; // runs that the comparison has room for
const COMPARABLE = /^(task|file|model_weight):(\d+)$/; // keys of cards

/**
 * Return the choice with a card added, or removed if it was chosen; with a message for screen readers.
 * @param {string[]} chosen keys of cards
 * @param {string} key
 * @param {string} title of the card
 * @returns {{chosen: string[], message: string}}
 */
export function toggleChosen(chosen, key, title) {
  if (!isComparable(key)) return { chosen, message: `${title} is no run or file: only these are compared.` };
  if (chosen.includes(key)) {
    const rest = chosen.filter((other) => other !== key);
    return { chosen: rest, message: `${title} left out. ${rest.length} selected to compare.` };
  }
  if (chosen.length === MAX_CHOSEN) return { chosen, message: `At most ${MAX_CHOSEN} cards are compared.` };
  const all = [...chosen, key];
  return { chosen: all, message: `${title} selected to compare: ${all.length} of at most ${MAX_CHOSEN}.` };
}

/** @param {string} key */
export function isComparable(key) {
  return COMPARABLE.test(key);
}

/** @param {string[]} chosen @returns {string} the address of their comparison */
function comparisonUrl(chosen) {
  const ids = (/** @type {string[]} */ types) =>
    chosen.flatMap((key) => {
      const [, type = "", id = ""] = COMPARABLE.exec(key) ?? [];
      return types.includes(type) ? [id] : [];
    });
  const lists = { runs: ids(["task"]), files: ids(["file", "model_weight"]) };
  const query = Object.entries(lists).flatMap(([name, values]) => (values.length ? `${name}=${values.join(",")}` : []));
  return `/runs/compare?${query.join("&")}`;
}

/**
 * Make the bar; hidden while nothing is chosen.
 * @param {(key: string) => void} remove leaves a card out
 * @param {() => void} clear leaves all of them out
 */
export function compareBar(remove, clear) {
  const bar = element("div", { class: "compare-bar row", role: "group", "aria-label": "Compare", hidden: true });

  /** @param {string[]} chosen @param {(key: string) => string} titleOf */
  const show = (chosen, titleOf) => {
    bar.hidden = !chosen.length;
    const text = chosen.length === 1 ? "1 selected. Select another run or model." : `${chosen.length} selected:`;
    const cards = chosen.map((key) => {
      const drop = element("button", { type: "button", class: "chip", title: "Leave it out" }, `${titleOf(key)} `);
      drop.append(
        element("span", { "aria-hidden": "true" }, "×"),
        element("span", { class: "visually-hidden" }, "leave out"),
      );
      drop.addEventListener("click", () => remove(key));
      return drop;
    });
    const compare =
      chosen.length > 1 ? element("a", { class: "button primary", href: comparisonUrl(chosen) }, "Compare") : "";
    const none = element("button", { type: "button", class: "plain" }, "Clear");
    none.addEventListener("click", clear);
    bar.replaceChildren(element("span", {}, text), element("span", { class: "row chosen" }, ...cards), compare, none);
  };
  return { element: bar, show };
}
