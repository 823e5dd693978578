// @ts-check
/** The search box of the workflow page; by keyboard: `/`, type, arrow keys, Enter. */
import { handleFileDrop } from "../components/file-drop.js";
import { element } from "../dom.js";
import { findLoaded, findOnServer } from "./graph-find.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */

const MAX_HITS = 12;
const TYPING_PAUSE = 120; // milliseconds without a key after which the server is asked

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
  let timer = 0;
  let request = new AbortController();

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
  /** @param {import("./graph-find.js").Hit[]} matches @param {boolean} complete whether the server has answered */
  const show = (matches, complete) => {
    const keep = hits[active];
    const shown = matches.slice(0, MAX_HITS);
    hits = shown.map(({ key }) => key);
    list.replaceChildren(
      ...shown.map(({ key, title, detail, type }, n) => {
        const texts = element("span", { class: "text" }, title, element("span", { class: "detail" }, detail));
        const option = element(
          "li",
          { id: `hit-${n}`, role: "option" },
          texts,
          element("span", { class: "muted" }, type),
        );
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          choose(key);
        });
        return option;
      }),
    );
    if (!hits.length) {
      const text = complete ? "No matching card" : "Searching …";
      list.append(element("li", { class: "none", role: "option", "aria-disabled": "true" }, text));
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    if (complete) status.textContent = `${matches.length} found`;
    setActive(hits.length ? Math.max(0, hits.indexOf(keep ?? "")) : -1);
  };
  const search = () => {
    clearTimeout(timer);
    request.abort();
    const graph = current();
    const text = input.value.trim();
    if (!graph || !text) return close();
    const loaded = findLoaded(graph, text.toLowerCase());
    show(loaded, false);
    request = new AbortController();
    const { signal } = request;
    timer = window.setTimeout(async () => {
      const others = await findOnServer(graph, text, signal).catch(() => []);
      if (signal.aborted || current() !== graph) return;
      const known = new Set(loaded.map(({ key }) => key));
      show([...loaded, ...others.filter(({ key }) => !known.has(key))], true);
    }, TYPING_PAUSE);
    return undefined;
  };
  input.addEventListener("input", search);
  handleFileDrop(input, (sha256) => {
    input.value = sha256;
    input.focus();
    search();
  });
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
