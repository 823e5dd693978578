// @ts-check
/** The search page: results while one types, grouped by kind; the arrow keys move through them. */

import { call } from "../api.js";
import { announce, internalLink, timeElement } from "../components/widgets.js";
import { element } from "../dom.js";
import { capitalize, count, errorMessage } from "../format.js";
import { emptyState, initPage, showContent, showCrumbs } from "../header.js";

/** @import { SearchRequest, SearchResult } from "../contract.js" */
/** @typedef {NonNullable<SearchRequest["kinds"]>[number]} Kind */

/** @type {Record<Kind, string>} */
const GROUPS = {
  project: "Projects",
  dataset: "Datasets",
  run: "Runs",
  file: "Files",
  model: "Models",
  version: "Versions",
  job: "Labeling jobs",
  note: "Notes",
  image: "Images",
};
const INPUT_DELAY = 150; // milliseconds without a key before the search runs
const GROUP_LIMIT = 100; // results of a single kind
const MIXED_LIMIT = 8; // results of each kind when several are searched

const { query } = initPage();
showCrumbs([{ text: "Start", href: "/" }, { text: "Search" }], "Search");

const input = element("input", {
  type: "search",
  id: "query",
  autocomplete: "off",
  spellcheck: "false",
  placeholder: "A name, a path, a number, or project:7",
  "aria-describedby": "how",
  maxlength: 300,
});
const results = element("div", { id: "results" });
const groups = /** @type {[Kind, string][]} */ (Object.entries(GROUPS));
const requested = query.getAll("kind");
const chosen = new Set(groups.map(([kind]) => kind).filter((kind) => requested.includes(kind)));
const kinds = element("fieldset", { class: "row kinds" }, element("legend", { class: "visually-hidden" }, "Kinds"));
for (const [kind, title] of groups) {
  const checkbox = element("input", { type: "checkbox", value: kind });
  checkbox.checked = chosen.has(kind);
  checkbox.addEventListener("change", () => {
    if (checkbox.checked) chosen.add(kind);
    else chosen.delete(kind);
    runSearch();
  });
  kinds.append(element("label", { class: "chip" }, checkbox, title));
}
input.value = query.get("q") ?? "";

showContent(
  element(
    "div",
    { class: "page search" },
    element("h1", {}, "Search"),
    element("label", { class: "visually-hidden", for: "query" }, "Search everything"),
    input,
    kinds,
    element("p", { class: "muted", id: "how" }, "The arrow keys move through the results, Enter opens one."),
    results,
  ),
);
document.getElementById("find")?.closest("form")?.setAttribute("hidden", "");
input.focus();
input.setSelectionRange(input.value.length, input.value.length);

let timer = 0;
let request = new AbortController();
input.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(runSearch, INPUT_DELAY);
});

async function runSearch() {
  clearTimeout(timer);
  request.abort();
  request = new AbortController();
  const { signal } = request;
  const q = input.value.trim();
  const params = new URLSearchParams(q ? { q } : {});
  for (const kind of chosen) params.append("kind", kind);
  history.replaceState(null, "", params.size ? `/search?${params}` : "/search");
  if (!q) {
    results.replaceChildren(
      emptyState(
        "What are you looking for?",
        "Type a part of the name of a project, dataset, image, file, run, version or job, or a word of a note.",
      ),
    );
    return;
  }
  try {
    const response = await call(
      "autoflow.search",
      { q, kinds: [...chosen], limit: chosen.size === 1 ? GROUP_LIMIT : MIXED_LIMIT },
      signal,
    );
    render(q, response.results, new Set(response.more));
  } catch (error) {
    if (signal.aborted) return;
    results.replaceChildren(element("p", { class: "notice bad", role: "alert" }, capitalize(errorMessage(error))));
  }
}

/**
 * @param {string} q
 * @param {SearchResult[]} matches
 * @param {Set<string>} more
 */
function render(q, matches, more) {
  announce(count(matches.length, "result"));
  if (!matches.length) {
    results.replaceChildren(emptyState("No matches", `No name contains “${q}”. Try a shorter part of it.`));
    return;
  }
  const sections = [];
  for (const [kind, title] of groups) {
    const group = matches.filter((result) => result.kind === kind);
    if (!group.length) continue;
    const list = element("ul", { class: "results card flush" }, ...group.map((result) => resultItem(result, q)));
    const section = element("section", {}, element("h2", {}, title), list);
    if (more.has(kind) && chosen.size !== 1) section.append(moreButton(kind, title));
    else if (more.has(kind))
      section.append(element("p", { class: "muted" }, "There are more results. Type more of the name to see fewer."));
    sections.push(section);
  }
  results.replaceChildren(...sections);
}

/**
 * @param {Kind} kind
 * @param {string} title
 */
function moreButton(kind, title) {
  const button = element("button", { type: "button", class: "plain" }, `More ${title.toLowerCase()}`);
  button.addEventListener("click", () => {
    for (const checkbox of kinds.querySelectorAll("input")) checkbox.checked = checkbox.value === kind;
    chosen.clear();
    chosen.add(kind);
    runSearch();
    input.focus();
  });
  return button;
}

/**
 * @param {SearchResult} result
 * @param {string} q
 */
function resultItem(result, q) {
  const name = internalLink(result.link, ...highlighted(result.title, q));
  name.classList.add("name");
  return element(
    "li",
    {},
    name,
    element("span", { class: "muted detail" }, ...highlighted(result.detail, q)),
    element("span", { class: "muted" }, timeElement(result.at)),
  );
}

/**
 * @param {string} text
 * @param {string} q
 * @returns {(Node | string)[]} the text with its first match highlighted
 */
function highlighted(text, q) {
  const at = text.toLowerCase().indexOf(q.toLowerCase());
  if (at < 0) return [text];
  return [text.slice(0, at), element("mark", {}, text.slice(at, at + q.length)), text.slice(at + q.length)];
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.activeElement !== input) input.focus();
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...results.querySelectorAll("a.name")];
  const current = links.indexOf(/** @type {Element} */ (document.activeElement));
  if (current < 0 && document.activeElement !== input) return;
  event.preventDefault();
  const index = current + (event.key === "ArrowDown" ? 1 : -1);
  const next = index < 0 ? input : links[Math.min(index, links.length - 1)];
  if (next instanceof HTMLElement) next.focus();
});

await runSearch();
