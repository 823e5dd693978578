// @ts-check
/** The filter menu: types of cards, apps and days; a choice takes effect at once. */
import { element } from "../dom.js";
import { ENTITY_TYPES } from "../entity-types.js";
import { popoverMenu } from "./menu.js";
import { isFiltered } from "./url-state.js";

/** @typedef {import("./url-state.js").GraphQuery} GraphQuery */
/** @import { Facets } from "../contract.js" */

/** @type {[string, number][]} label, and days before today */
const PRESETS = [
  ["Today", 0],
  ["7 days", 6],
  ["30 days", 29],
];
const NO_FILTERS = { kinds: [], apps: [], since: "", until: "" };

/**
 * @param {string} name
 * @param {[string, string, number][]} choices value, label and count of cards
 * @param {string[]} chosen empty for all
 * @param {(chosen: string[]) => void} changed
 */
function checkboxGroup(name, choices, chosen, changed) {
  const boxes = choices.map(([value, label, number]) => {
    const box = element("input", { type: "checkbox", value, checked: chosen.includes(value) });
    const text = element("span", { class: "text", title: label }, label);
    return {
      box,
      line: element("label", { class: "choice" }, box, text, element("span", { class: "muted" }, String(number))),
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
function dateInput(label, value, changed) {
  const input = element("input", { type: "date", value });
  input.addEventListener("change", () => changed(input.value));
  return element("label", { class: "day" }, label, input);
}

/**
 * Make buttons that choose the last days, up to now.
 * @param {(change: Partial<GraphQuery>) => void} onChange
 */
function presets(onChange) {
  const buttons = PRESETS.map(([label, days]) => {
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", () => {
      const first = new Date();
      first.setDate(first.getDate() - days);
      const [month, day] = [first.getMonth() + 1, first.getDate()].map((part) => String(part).padStart(2, "0"));
      onChange({ since: `${first.getFullYear()}-${month}-${day}`, until: "" });
    });
    return button;
  });
  return element("p", { class: "presets" }, ...buttons);
}

/**
 * Make the menu.
 * @param {() => GraphQuery} query the current one
 * @param {(change: Partial<GraphQuery>) => void} onChange
 */
export function filterMenu(query, onChange) {
  const { menu, button, popover } = popoverMenu("Filter");
  menu.classList.add("filters");

  /** @param {Facets} facets */
  const show = (facets) => {
    const current = query();
    /** @type {[string, string, number][]} */
    const kinds = ENTITY_TYPES.filter((type) => facets.kinds[type.name]).map((type) => [
      type.name,
      type.plural,
      facets.kinds[type.name] ?? 0,
    ]);
    /** @type {[string, string, number][]} */
    const apps = Object.entries(facets.apps).map(([app, number]) => [app, app, number]);
    const grouping = element("input", { type: "checkbox", checked: current.clusters });
    grouping.addEventListener("change", () => onChange({ clusters: grouping.checked, opened: [] }));
    const clear = element("button", { type: "button", disabled: !isFiltered(current) }, "Clear filters");
    clear.addEventListener("click", () => onChange(NO_FILTERS));
    const focused =
      document.activeElement instanceof HTMLInputElement && popover.contains(document.activeElement)
        ? document.activeElement.value
        : null;
    popover.replaceChildren(
      checkboxGroup("Kinds", kinds, current.kinds, (chosen) => onChange({ kinds: chosen })),
      checkboxGroup("Apps", apps, current.apps, (chosen) => onChange({ apps: chosen })),
      element(
        "fieldset",
        { class: "days" },
        element("legend", {}, "Run started"),
        presets(onChange),
        dateInput("From", current.since, (since) => onChange({ since })),
        dateInput("To", current.until, (until) => onChange({ until })),
      ),
      element("label", { class: "choice" }, grouping, element("span", { class: "text" }, "Group similar cards")),
      clear,
    );
    // the checkbox that was clicked keeps the focus
    if (focused) for (const input of popover.querySelectorAll("input")) if (input.value === focused) input.focus();
    button.textContent = isFiltered(current) ? "Filter (on)" : "Filter";
    button.classList.toggle("on", isFiltered(current));
  };
  return { menu, show, clear: () => onChange(NO_FILTERS) };
}
