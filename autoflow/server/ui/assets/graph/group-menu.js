// @ts-check
/** The menu of groups: which are folded to one card each, all of them, or none. */
import { element } from "../dom.js";
import { count } from "../format.js";
import { popoverMenu } from "./menu.js";

/** @typedef {import("./url-state.js").GraphQuery} GraphQuery */
/** @typedef {Pick<GraphQuery, "fold" | "folded" | "unfolded">} Folding */
/** @import { SceneGroup } from "../contract.js" */

/**
 * Return a folding with one group folded, or unfolded.
 * @param {Folding} current
 * @param {string} key of the group
 * @param {boolean} isFolded
 * @returns {Folding}
 */
export function withGroup({ fold, folded, unfolded }, key, isFolded) {
  const without = (/** @type {string[]} */ keys) => keys.filter((other) => other !== key);
  return {
    fold,
    folded: isFolded ? [...without(folded), key] : without(folded),
    unfolded: isFolded ? without(unfolded) : [...without(unfolded), key],
  };
}

/**
 * Make the menu; it is hidden while a graph has fewer than two groups.
 * @param {(key: string, fold: boolean) => void} onFold called with the key of a group
 * @param {(folding: Folding) => void} onChange called when all are to be folded, or none
 */
export function groupMenu(onFold, onChange) {
  const { menu, button, popover } = popoverMenu("Groups");
  menu.classList.add("groups");
  menu.hidden = true;

  /** @param {SceneGroup} group */
  const line = ({ key, title, cards, folded }) => {
    const box = element("input", { type: "checkbox", value: key, checked: folded });
    box.addEventListener("change", () => onFold(key, box.checked));
    const text = element("span", { class: "text", title }, title);
    return element("label", { class: "choice" }, box, text, element("span", { class: "muted" }, String(cards)));
  };
  const all = element("button", { type: "button" }, "Fold all");
  all.addEventListener("click", () => onChange({ fold: "all", folded: [], unfolded: [] }));
  const none = element("button", { type: "button" }, "Show all cards");
  none.addEventListener("click", () => onChange({ fold: "none", folded: [], unfolded: [] }));

  /** @param {SceneGroup[]} groups */
  const show = (groups) => {
    const active = document.activeElement;
    const focused = active instanceof HTMLInputElement && popover.contains(active) ? active.value : null;
    const folded = groups.filter((group) => group.folded).length;
    menu.hidden = groups.length < 2;
    button.textContent = folded ? `Groups (${folded} folded)` : "Groups";
    button.classList.toggle("on", folded > 0);
    all.disabled = folded === groups.length;
    none.disabled = !folded;
    const legend = element("legend", {}, `Fold ${count(groups.length, "group")} to one card each`);
    popover.replaceChildren(
      element("p", { class: "presets" }, all, none),
      element("fieldset", {}, legend, ...groups.map(line)),
    );
    for (const input of popover.querySelectorAll("input")) if (input.value === focused) input.focus();
  };
  return { menu, show };
}
