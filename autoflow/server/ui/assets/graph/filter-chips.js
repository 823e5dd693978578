// @ts-check
/** The line of active filters: a chip each, which removes it, and how many cards of all are shown. */
import { element } from "../dom.js";
import { entityType } from "../entity-types.js";
import { capitalize } from "../format.js";

/** @typedef {import("./url-state.js").GraphQuery} GraphQuery */
/** @typedef {(change: Partial<GraphQuery>) => void} Change */

/**
 * @param {string} text
 * @param {() => void} remove
 */
function chip(text, remove) {
  const button = element(
    "button",
    { type: "button", class: "chip", "aria-label": `Remove the filter ${text}` },
    text,
    element("span", { "aria-hidden": "true" }, "×"),
  );
  button.addEventListener("click", remove);
  return button;
}

/**
 * Make a chip for each active filter.
 * @param {() => GraphQuery} query the current one, which changes while a graph is being loaded
 * @param {Change} onChange
 * @returns {HTMLElement[]} empty without filters
 */
export function filterChips(query, onChange) {
  const { kinds, apps, since, until } = query();
  return [
    ...kinds.map((kind) =>
      chip(capitalize(entityType(kind).plural), () =>
        onChange({ kinds: query().kinds.filter((other) => other !== kind) }),
      ),
    ),
    ...apps.map((app) => chip(app, () => onChange({ apps: query().apps.filter((other) => other !== app) }))),
    ...(since ? [chip(`From ${since}`, () => onChange({ since: "" }))] : []),
    ...(until ? [chip(`To ${until}`, () => onChange({ until: "" }))] : []),
  ];
}
