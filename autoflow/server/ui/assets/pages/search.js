// @ts-check
/** Search over everything: results as one writes, by kind, walked by the arrow keys. */

import { call } from "../api.js";
import { announce, link, time } from "../components/widgets.js";
import { count, element } from "../dom.js";
import { begin, crumbs, emptyState, failed, show } from "../header.js";

/** @typedef {{kind: string, id: number, title: string, detail: string, link: string, at: string}} Result */

const WORDS = {
  project: "Projects",
  dataset: "Datasets",
  run: "Runs",
  file: "Files",
  version: "Versions",
  job: "Labeling jobs",
  image: "Images",
};
const PAUSE = 150; // milliseconds without a key before it is asked
const MORE = 100;

const { query } = begin();
crumbs([{ text: "Start", href: "/" }, { text: "Search" }], "Search");

const box = element("input", {
  type: "search",
  id: "query",
  autocomplete: "off",
  spellcheck: "false",
  placeholder: "A name, a path, a number, or project:7",
  "aria-describedby": "how",
  maxlength: 300,
});
const results = element("div", { id: "results" });
const chosen = new Set(query.getAll("kind").filter((kind) => kind in WORDS));
const kinds = element("fieldset", { class: "row kinds" }, element("legend", { class: "unseen" }, "Kinds"));
for (const [kind, words] of Object.entries(WORDS)) {
  const check = element("input", { type: "checkbox", value: kind });
  check.checked = chosen.has(kind);
  check.addEventListener("change", () => {
    if (check.checked) chosen.add(kind);
    else chosen.delete(kind);
    ask();
  });
  kinds.append(element("label", { class: "chip" }, check, words));
}
box.value = query.get("q") ?? "";

show(
  element(
    "div",
    { class: "page search" },
    element("h1", {}, "Search"),
    element("label", { class: "unseen", for: "query" }, "Search everything"),
    box,
    kinds,
    element("p", { class: "quiet", id: "how" }, "The arrow keys go through what is found, Enter opens it."),
    results,
  ),
);
document.getElementById("find")?.closest("form")?.setAttribute("hidden", "");
box.focus();
box.setSelectionRange(box.value.length, box.value.length);

let timer = 0;
let asking = new AbortController();
box.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
});

async function ask() {
  clearTimeout(timer);
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const q = box.value.trim();
  const state = new URLSearchParams(q ? { q } : {});
  for (const kind of chosen) state.append("kind", kind);
  history.replaceState(null, "", state.size ? `/search?${state}` : "/search");
  if (!q) {
    results.replaceChildren(
      emptyState(
        "What are you looking for?",
        "Projects, datasets, images, files, runs, versions and labeling jobs are found by any part of their names.",
      ),
    );
    return;
  }
  try {
    const found = await call("autoflow.search", { q, kinds: [...chosen], limit: chosen.size === 1 ? MORE : 8 }, signal);
    draw(q, found.results, new Set(found.more));
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
}

/**
 * @param {string} q
 * @param {Result[]} found
 * @param {Set<string>} more
 */
function draw(q, found, more) {
  announce(count(found.length, "result"));
  if (!found.length) {
    results.replaceChildren(emptyState("Nothing is called so", `No name holds “${q}”.`));
    return;
  }
  const parts = [];
  for (const [kind, words] of Object.entries(WORDS)) {
    const mine = found.filter((one) => one.kind === kind);
    if (!mine.length) continue;
    const list = element("ul", { class: "found card flush" }, ...mine.map((one) => line(one, q)));
    const part = element("section", {}, element("h2", {}, words), list);
    if (more.has(kind) && chosen.size !== 1) part.append(only(kind, words));
    else if (more.has(kind)) part.append(element("p", { class: "quiet" }, "There are more: write more of the name."));
    parts.push(part);
  }
  results.replaceChildren(...parts);
}

/**
 * @param {string} kind
 * @param {string} words
 */
function only(kind, words) {
  const button = element("button", { type: "button", class: "plain" }, `More ${words.toLowerCase()}`);
  button.addEventListener("click", () => {
    for (const check of kinds.querySelectorAll("input")) check.checked = check.value === kind;
    chosen.clear();
    chosen.add(kind);
    ask();
    box.focus();
  });
  return button;
}

/**
 * @param {Result} one
 * @param {string} q
 */
function line(one, q) {
  const name = link(one.link, ...marked(one.title, q));
  name.classList.add("name");
  return element(
    "li",
    {},
    name,
    element("span", { class: "quiet detail" }, ...marked(one.detail, q)),
    element("span", { class: "quiet" }, time(one.at)),
  );
}

/**
 * @param {string} text
 * @param {string} q
 * @returns {(Node | string)[]} the text with what was looked for marked
 */
function marked(text, q) {
  const at = text.toLowerCase().indexOf(q.toLowerCase());
  if (at < 0) return [text];
  return [text.slice(0, at), element("mark", {}, text.slice(at, at + q.length)), text.slice(at + q.length)];
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.activeElement !== box) box.focus();
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...results.querySelectorAll("a.name")];
  const here = links.indexOf(/** @type {Element} */ (document.activeElement));
  if (here < 0 && document.activeElement !== box) return;
  event.preventDefault();
  const to = here + (event.key === "ArrowDown" ? 1 : -1);
  const next = to < 0 ? box : links[Math.min(to, links.length - 1)];
  if (next instanceof HTMLElement) next.focus();
});

await ask();
