// @ts-check
/** The cards of a graph as a table that is sorted by any column, for screen readers and for lists. */
import { element } from "../dom.js";
import { count, dateTime, isRunState } from "../format.js";
import { linkTarget } from "./card-element.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */

const PAGE_SIZE = 200;
const MAX_NAMES = 3; // of neighbours in a cell

// what a person has chosen holds for the graphs that follow
let [sortColumn, descending, limit] = [3, true, PAGE_SIZE];

/** @type {[string, (graph: GraphView, card: number) => string | number][]} */
const COLUMNS = [
  ["Name", (graph, card) => graph.detailsOf(card)?.title.toLowerCase() ?? ""],
  ["Kind", (graph, card) => graph.typeOf(card).label],
  ["Status", (graph, card) => graph.detailsOf(card)?.state ?? ""],
  ["Time", (graph, card) => graph.detailsOf(card)?.at ?? ""],
  ["Before", (graph, card) => graph.predecessors(card).length],
  ["After", (graph, card) => graph.successors(card).length],
];

/**
 * @param {GraphView} graph
 * @param {number} card
 * @param {(key: string) => void} go
 */
function row(graph, card, go) {
  const details = graph.detailsOf(card);
  const name = element("button", { type: "button", class: "plain", title: "Show in the graph" }, details?.title ?? "");
  name.addEventListener("click", () => go(graph.keys[card] ?? ""));
  const neighbours = (/** @type {number[]} */ cards) => {
    const names = cards.slice(0, MAX_NAMES).map((n) => graph.detailsOf(n)?.title ?? graph.typeOf(n).label);
    if (cards.length > MAX_NAMES) names.push(`${cards.length - MAX_NAMES} more`);
    return element("td", { class: "neighbours" }, names.join(", "));
  };
  const url = details ? linkTarget(details) : null;
  const about = details?.description ?? (details?.members ? details.summary : undefined);
  return element(
    "tr",
    {},
    element(
      "th",
      { scope: "row" },
      name,
      ...(details?.badge ? [" ", element("span", { class: "badge" }, details.badge)] : []),
      ...(details?.unattributed ? [" ", element("span", { class: "badge" }, "unattributed")] : []),
      ...(details?.members ? [" ", element("span", { class: "badge" }, count(details.members.length, "card"))] : []),
      ...(about ? [element("span", { class: "about" }, about)] : []),
    ),
    element("td", {}, graph.typeOf(card).label),
    element(
      "td",
      {},
      ...(isRunState(details?.state)
        ? [element("span", { class: `status ${details?.state}` }, details?.state ?? "")]
        : []),
    ),
    element("td", {}, dateTime(details?.at)),
    neighbours(graph.predecessors(card)),
    neighbours(graph.successors(card)),
    element("td", {}, ...(url && details?.link ? [element("a", { href: url }, details.link.title || "Open")] : [])),
  );
}

/**
 * Fill an element with the table.
 * @param {HTMLElement} section
 * @param {GraphView} graph
 * @param {(key: string) => void} go shows a card in the graph
 * @param {() => boolean} isCurrent whether the graph is still the one to show
 */
export async function fillCardTable(section, graph, go, isCurrent) {
  await graph.loadAllDetails();
  if (!isCurrent()) return;
  const cards = [...graph.keys.keys()].filter((card) => graph.isShown(card));
  const body = element("tbody");
  const more = element("button", { type: "button" }, "Show more rows");
  const fill = () => {
    const value = COLUMNS[sortColumn]?.[1] ?? (() => "");
    const order = cards.map((card) => /** @type {const} */ ([value(graph, card), card]));
    order.sort(([a, first], [b, second]) => (a < b ? -1 : a > b ? 1 : first - second) * (descending ? -1 : 1));
    body.replaceChildren(...order.slice(0, limit).map(([, card]) => row(graph, card, go)));
    more.hidden = limit >= order.length;
    for (const [n, header] of headers.entries()) {
      header.setAttribute("aria-sort", n === sortColumn ? (descending ? "descending" : "ascending") : "none");
    }
  };
  const headers = COLUMNS.map(([name], n) => {
    const button = element("button", { type: "button", class: "plain" }, name);
    button.addEventListener("click", () => {
      [sortColumn, descending] = [n, n === sortColumn ? !descending : false];
      fill();
    });
    return element("th", { scope: "col" }, button);
  });
  more.addEventListener("click", () => {
    limit += PAGE_SIZE * 5;
    fill();
  });
  fill();
  const head = element("thead", {}, element("tr", {}, ...headers, element("th", { scope: "col" }, "Link")));
  const caption = element("caption", {}, `${graph.title}: ${cards.length} cards`);
  section.replaceChildren(
    element(
      "div",
      { class: "scroll", role: "region", tabindex: 0, "aria-label": "Cards" },
      element("table", {}, caption, head, body),
    ),
    more,
  );
}
