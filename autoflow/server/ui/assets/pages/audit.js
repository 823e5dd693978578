// @ts-check
/** The audit log, for the admins of a team: who did what, the newest first, by action, entity and person. */

import { call } from "../api.js";
import { announce, infiniteList, internalLink, timeElement } from "../components/widgets.js";
import { element } from "../dom.js";
import { capitalize, count, errorMessage } from "../format.js";
import { emptyState, initPage, showContent, showCrumbs } from "../header.js";

/** @import { AuditEntry, ListAuditRequest, ListAuditResponse } from "../contract.js" */
/** @typedef {"action" | "entity" | "who"} Filter */

const PAGE_SIZE = 50; // entries
const ACTIONS = {
  "": "All actions",
  "alias.": "Aliases of models",
  "token.": "Tokens",
  "team.": "Teams",
  "member.": "Members",
  "project.": "Projects",
  "dataset.": "Datasets",
  "version.": "Versions",
  "file.": "Files",
  "run.": "Runs",
  "item.": "Images",
  "retention.": "Rules of retention",
  "webhook.": "Webhooks",
};
const ENTITY = /^(project|task|file|image|model):([^#]+)$/;
/** @type {Record<string, string>} */
const ADDRESSES = { project: "/projects/", task: "/apps/sessions/", file: "/files/", image: "/images/" };
const COLUMNS = ["When", "Who", "Action", "What", "Change", "Why"];

const { query } = initPage();
showCrumbs([{ text: "Start", href: "/" }, { text: "Audit log" }], "Audit log");

const action = element("select", { id: "action", name: "action" });
for (const [value, title] of Object.entries(ACTIONS)) action.append(element("option", { value }, title));
const requestedAction = query.get("action") ?? "";
if (requestedAction && !(requestedAction in ACTIONS))
  action.append(element("option", { value: requestedAction }, requestedAction));
action.value = requestedAction;
const entity = filterInput("entity", "project:7 or model:lemons");
const who = filterInput("who", "anna, or anna@laptop");
const filters = element(
  "form",
  { class: "row filters", role: "search", "aria-label": "Filter the audit log" },
  labelled("Action", action),
  labelled("Entity", entity),
  labelled("Person", who),
  element("button", { type: "submit" }, "Filter"),
);
const entries = element("div", { id: "entries" });
action.addEventListener("change", () => load());
filters.addEventListener("submit", (event) => {
  event.preventDefault();
  load();
});
showContent(element("div", { class: "page audit" }, element("h1", {}, "Audit log"), filters, entries));

/**
 * @param {Filter} name
 * @param {string} placeholder
 */
function filterInput(name, placeholder) {
  const input = element("input", { id: name, name, placeholder, autocomplete: "off", spellcheck: "false" });
  input.maxLength = 300;
  input.value = query.get(name) ?? "";
  return input;
}

/**
 * @param {string} text
 * @param {HTMLElement} field
 */
function labelled(text, field) {
  return element("label", { for: field.id }, text, field);
}

/** Return the filters that are set. */
function chosenFilters() {
  /** @type {Partial<Record<Filter, string>>} */
  const chosen = {};
  for (const field of [action, entity, who]) {
    const value = field.value.trim();
    if (value) chosen[/** @type {Filter} */ (field.name)] = value;
  }
  return chosen;
}

let request = new AbortController();

async function load() {
  request.abort();
  request = new AbortController();
  const { signal } = request;
  const chosen = chosenFilters();
  const params = new URLSearchParams(chosen);
  history.replaceState(null, "", params.size ? `/audit?${params}` : "/audit");
  try {
    render(await call("autoflow.audit.list", { ...chosen, limit: PAGE_SIZE }, signal), chosen);
  } catch (error) {
    if (signal.aborted) return;
    entries.replaceChildren(element("p", { class: "notice bad", role: "alert" }, capitalize(errorMessage(error))));
  }
}

/**
 * @param {ListAuditResponse} first
 * @param {ListAuditRequest} chosen
 */
function render(first, chosen) {
  announce(count(first.entries.length, "result"));
  if (!first.entries.length) {
    const hint = "Aliases, tokens, members, deletions, restores and erasures are logged here.";
    entries.replaceChildren(emptyState("No entries", Object.keys(chosen).length ? "No entry fits the filters." : hint));
    return;
  }
  const body = element("tbody", {}, ...first.entries.map(row));
  const head = COLUMNS.map((name) => element("th", { scope: "col" }, name));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), body);
  let { next } = first;
  const loadMore = async () => {
    const page = await call("autoflow.audit.list", { ...chosen, limit: PAGE_SIZE, ...(next ? { before: next } : {}) });
    body.append(...page.entries.map(row));
    next = page.next;
    return next !== null;
  };
  entries.replaceChildren(infiniteList(element("div", { class: "scroll card flush" }, table), loadMore, next !== null));
}

/** @param {AuditEntry} entry */
function row(entry) {
  return element(
    "tr",
    {},
    element("td", {}, timeElement(entry.at)),
    element("td", {}, filterLink("who", entry.who)),
    element("td", {}, filterLink("action", entry.action)),
    element(
      "td",
      {},
      entityLink(entry.entity),
      ...(entry.name ? [element("div", { class: "muted" }, entry.name)] : []),
    ),
    element("td", {}, change(entry)),
    element("td", {}, entry.reason),
  );
}

/**
 * Make a link to the entries with the same value.
 * @param {Filter} name
 * @param {string} value
 */
function filterLink(name, value) {
  return internalLink(`/audit?${new URLSearchParams({ ...chosenFilters(), [name]: value })}`, value);
}

/** @param {string} reference */
function entityLink(reference) {
  const [, kind, rest] = ENTITY.exec(reference) ?? [];
  if (kind === "model") return internalLink(`/file?${new URLSearchParams({ path: reference })}`, reference);
  const isNumber = /^\d+$/.test(rest ?? "");
  return internalLink(kind && isNumber ? `${ADDRESSES[kind]}${rest}` : null, reference);
}

/** @param {AuditEntry} entry */
function change({ before, after }) {
  if (before === null) return after ?? "";
  return after === null ? `${before} removed` : `${before} → ${after}`;
}

await load();
