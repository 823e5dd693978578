// @ts-check
/** Finding a card in the scene by its words; the keyboard's way is `/`, type, arrows, Enter. */
import { element } from "../dom.js";
import { KINDS } from "./entity-types.js";

/** @typedef {import("./graph-view.js").Scene} Scene */

const SHOWN = 12;

/**
 * @param {() => Scene | null} current
 * @param {(card: number) => void} go
 */
export function search(current, go) {
  const input = element("input", {
    type: "search",
    class: "seek",
    placeholder: "Find in the graph  /",
    "aria-label": "Find in the graph",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": "hits",
    "aria-autocomplete": "list",
    autocomplete: "off",
  });
  const list = element("ul", { id: "hits", role: "listbox", "aria-label": "Cards found", hidden: true });
  const said = element("p", { class: "unseen", role: "status" });
  const made = element("div", { class: "finder" }, input, list, said);
  /** @type {number[]} */
  let hits = [];
  let active = -1;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (/** @type {number} */ next) => {
    active = next;
    [...list.children].forEach((option, n) => {
      option.setAttribute("aria-selected", String(n === active));
      if (n !== active) return;
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    });
  };
  const choose = (/** @type {number} */ card) => {
    close();
    input.value = "";
    go(card);
  };
  const show = async () => {
    const scene = current();
    const wanted = input.value.trim().toLowerCase();
    if (!scene || !wanted) return close();
    await scene.tellAll();
    if (input.value.trim().toLowerCase() !== wanted) return undefined;
    const all = find(scene, wanted);
    hits = all.slice(0, SHOWN);
    list.replaceChildren(
      ...hits.map((card, n) => {
        const words = scene.of(card);
        const kind = element("span", { class: "quiet" }, KINDS[scene.type(card)]);
        const option = element(
          "li",
          { id: `hit-${n}`, role: "option" },
          element("span", { class: "words" }, words?.title ?? ""),
          kind,
        );
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          choose(card);
        });
        return option;
      }),
    );
    if (!hits.length)
      list.append(element("li", { class: "none", role: "option", "aria-disabled": "true" }, "No card is called that"));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    said.textContent = `${all.length} found`;
    mark(hits.length ? 0 : -1);
    return undefined;
  };
  input.addEventListener("input", show);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (hits.length) mark((active + (event.key === "ArrowDown" ? 1 : hits.length - 1)) % hits.length);
    } else if (event.key === "Enter") {
      const card = hits[active];
      if (!list.hidden && card !== undefined) choose(card);
    } else if (event.key === "Escape") {
      input.value = "";
      close();
    }
  });
  return { search: made, focus: () => input.focus() };
}

/**
 * @param {Scene} scene
 * @param {string} wanted in lower case
 * @returns {number[]} those whose title begins with it first
 */
function find(scene, wanted) {
  const [first, rest] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  for (let n = 0; n < scene.size; n += 1) {
    const words = scene.of(n);
    if (!words) continue;
    const title = words.title.toLowerCase();
    if (title.startsWith(wanted)) first.push(n);
    else if (
      [title, words.name.toLowerCase(), words.description?.toLowerCase() ?? "", String(words.id).toLowerCase()].some(
        (text) => text.includes(wanted),
      )
    )
      rest.push(n);
  }
  return [...first, ...rest];
}
