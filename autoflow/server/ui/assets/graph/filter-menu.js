// @ts-check
/** What the graph is narrowed by: kinds of cards, apps, days; a choice is asked for at once. */
import { element } from "../dom.js";
import { KINDS } from "./entity-types.js";
import { TYPES } from "./graph-view.js";
import { menu } from "./menu.js";
import { narrows } from "./url-state.js";

/** @typedef {import("./url-state.js").Wish} Wish */
/** @typedef {import("./graph-view.js").Facets} Facets */

const NOTHING = { kinds: [], apps: [], since: "", until: "" };

/**
 * @param {string} name
 * @param {[string, string, number][]} choices value, label, how many
 * @param {string[]} chosen none means all
 * @param {(chosen: string[]) => void} changed
 */
function group(name, choices, chosen, changed) {
  const boxes = choices.map(([value, label, number]) => {
    const box = element("input", { type: "checkbox", value, checked: chosen.includes(value) });
    const words = element("span", { class: "words", title: label }, label);
    return {
      box,
      line: element("label", { class: "choice" }, box, words, element("span", { class: "quiet" }, String(number))),
    };
  });
  const set = element("fieldset", {}, element("legend", {}, name), ...boxes.map(({ line }) => line));
  set.addEventListener("change", () => changed(boxes.filter(({ box }) => box.checked).map(({ box }) => box.value)));
  return set;
}

/**
 * @param {string} label
 * @param {string} value
 * @param {(value: string) => void} changed
 */
function day(label, value, changed) {
  const input = element("input", { type: "date", value });
  input.addEventListener("change", () => changed(input.value));
  return element("label", { class: "day" }, label, input);
}

/**
 * The filter's menu.
 * @param {() => Wish} wish what is asked for now
 * @param {(change: Partial<Wish>) => void} ask
 */
export function filters(wish, ask) {
  const { menu: made, button, sheet } = menu("Filter");
  made.classList.add("filters");

  /** @param {Facets} facets */
  const show = (facets) => {
    const now = wish();
    /** @type {[string, string, number][]} */
    const kinds = TYPES.filter((type) => facets.kinds[type]).map((type) => [
      type,
      `${KINDS[type]}s`,
      facets.kinds[type] ?? 0,
    ]);
    /** @type {[string, string, number][]} */
    const apps = Object.entries(facets.apps).map(([app, number]) => [app, app, number]);
    const together = element("input", { type: "checkbox", checked: now.clusters });
    together.addEventListener("change", () => ask({ clusters: together.checked, opened: [] }));
    const clear = element("button", { type: "button", disabled: !narrows(now) }, "Clear filters");
    clear.addEventListener("click", () => ask(NOTHING));
    const held =
      document.activeElement instanceof HTMLInputElement && sheet.contains(document.activeElement)
        ? document.activeElement.value
        : null;
    sheet.replaceChildren(
      group("Kinds", kinds, now.kinds, (chosen) => ask({ kinds: chosen })),
      group("Apps", apps, now.apps, (chosen) => ask({ apps: chosen })),
      element(
        "fieldset",
        { class: "days" },
        element("legend", {}, "Runs begun"),
        day("From", now.since, (since) => ask({ since })),
        day("To", now.until, (until) => ask({ until })),
      ),
      element(
        "label",
        { class: "choice" },
        together,
        element("span", { class: "words" }, "Take five or more alike together"),
      ),
      clear,
    );
    // the choice that was made keeps the keyboard's place
    if (held) for (const input of sheet.querySelectorAll("input")) if (input.value === held) input.focus();
    button.textContent = narrows(now) ? "Filter (on)" : "Filter";
    button.classList.toggle("on", narrows(now));
  };
  return { menu: made, show, clear: () => ask(NOTHING) };
}
