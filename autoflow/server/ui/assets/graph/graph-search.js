// @ts-check
/** The search box of the workflow page; by keyboard: `/`, type, arrow keys, Enter. */
import { element } from "../dom.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */

const MAX_HITS = 12;

/**
 * Make the search box.
 * @param {() => GraphView | null} current
 * @param {(key: string) => void} onChoose
 */
export function graphSearch(current, onChoose) {
  const input = element("input", {
    type: "search",
    placeholder: "Find in the graph  /",
    "aria-label": "Find in the graph",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": "hits",
    "aria-autocomplete": "list",
    autocomplete: "off",
  });
  const list = element("ul", { id: "hits", role: "listbox", "aria-label": "Cards found", hidden: true });
  const status = element("p", { class: "visually-hidden", role: "status" });
  const container = element("div", { class: "finder" }, input, list, status);
  /** @type {string[]} keys of cards, which name them also in the next graph */
  let hits = [];
  let active = -1;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const setActive = (/** @type {number} */ next) => {
    active = next;
    [...list.children].forEach((option, n) => {
      option.setAttribute("aria-selected", String(n === active));
      if (n !== active) return;
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    });
  };
  const choose = (/** @type {string} */ key) => {
    close();
    input.value = "";
    onChoose(key);
  };
  const show = async () => {
    const graph = current();
    const text = input.value.trim().toLowerCase();
    if (!graph || !text) return close();
    await graph.loadAllDetails();
    if (input.value.trim().toLowerCase() !== text) return undefined;
    const matches = find(graph, text);
    const shown = matches.slice(0, MAX_HITS);
    hits = shown.map((card) => graph.keys[card] ?? "");
    list.replaceChildren(
      ...shown.map((card, n) => {
        const details = graph.detailsOf(card);
        const type = element("span", { class: "muted" }, graph.typeOf(card).label);
        const option = element(
          "li",
          { id: `hit-${n}`, role: "option" },
          element("span", { class: "text" }, details?.title ?? ""),
          type,
        );
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          choose(graph.keys[card] ?? "");
        });
        return option;
      }),
    );
    if (!hits.length)
      list.append(element("li", { class: "none", role: "option", "aria-disabled": "true" }, "No matching card"));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    status.textContent = `${matches.length} found`;
    setActive(hits.length ? 0 : -1);
    return undefined;
  };
  input.addEventListener("input", show);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (hits.length) setActive((active + (event.key === "ArrowDown" ? 1 : hits.length - 1)) % hits.length);
    } else if (event.key === "Enter") {
      const key = hits[active];
      if (!list.hidden && key !== undefined) choose(key);
    } else if (event.key === "Escape") {
      input.value = "";
      close();
    }
  });
  return { element: container, focus: () => input.focus() };
}

/**
 * @param {GraphView} graph
 * @param {string} text in lower case
 * @returns {number[]} matching cards, first those whose title starts with the text
 */
function find(graph, text) {
  const [prefixed, others] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  for (let n = 0; n < graph.size; n += 1) {
    const details = graph.detailsOf(n);
    if (!details) continue;
    const title = details.title.toLowerCase();
    if (title.startsWith(text)) prefixed.push(n);
    else if (
      [title, details.name, details.description ?? "", String(details.id)].some((value) =>
        value.toLowerCase().includes(text),
      )
    )
      others.push(n);
  }
  return [...prefixed, ...others];
}
