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
function toggleChosen(chosen, key, title) {
  if (chosen.includes(key)) {
    const rest = chosen.filter((other) => other !== key);
    return { chosen: rest, message: `${title} left out. ${rest.length} selected to compare.` };
  }
  if (chosen.length === MAX_CHOSEN) return { chosen, message: `At most ${MAX_CHOSEN} cards are compared.` };
  const all = [...chosen, key];
  return { chosen: all, message: `${title} selected to compare: ${all.length} of at most ${MAX_CHOSEN}.` };
}

/** @param {string} key */
function isComparable(key) {
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
function compareBar(remove, clear) {
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

/**
 * Make the choice of cards to compare: its bar, and the button after which clicks choose cards.
 * @param {object} page
 * @param {() => string[]} page.chosen keys of the chosen cards
 * @param {() => string} page.selected key of the selected card, empty for none
 * @param {(key: string) => string} page.titleOf
 * @param {(chosen: string[], push: boolean) => void} page.show marks the cards; push: into the browser's history
 * @param {(message: string) => void} page.announce to screen readers
 */
export function cardChoice({ chosen, selected, titleOf, show, announce }) {
  const button = element(
    "button",
    {
      type: "button",
      class: "choose",
      "aria-pressed": "false",
      title: "Choose runs or models to compare by clicks; Shift or Ctrl and a click does so, too",
    },
    "Select",
  );
  const isOn = () => button.getAttribute("aria-pressed") === "true";
  button.addEventListener("click", () => button.setAttribute("aria-pressed", String(!isOn())));

  /** @param {string[]} keys @param {boolean} push */
  const set = (keys, push) => {
    bar.show(keys, titleOf);
    show(keys, push);
  };
  /** Choose a card, or not any more; the first one together with the card that is selected. @param {string} key */
  const toggle = (key) => {
    const before = chosen();
    if (!isComparable(key)) return announce(`${titleOf(key)} is no run or file: only these are compared.`);
    const first = before.length || selected() === key || !isComparable(selected()) ? before : [selected()];
    const result = toggleChosen(first, key, titleOf(key));
    set(result.chosen, true);
    announce(result.message);
  };
  /** @returns {boolean} whether any were chosen */
  const clear = () => {
    const any = chosen().length > 0;
    if (any) set([], true);
    return any;
  };
  const bar = compareBar(toggle, clear);
  return { button, bar: bar.element, takes: (/** @type {boolean} */ adds) => adds || isOn(), set, toggle, clear };
}
