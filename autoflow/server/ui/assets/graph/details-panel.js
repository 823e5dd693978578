// @ts-check
/** The panel of the selected card: its details, its neighbours upstream and downstream, and what can be done. */
import { drawnIcon, element } from "../dom.js";
import { entityType, iconTile, workflowUrl } from "../entity-types.js";
import { byteSize, count, dateTime, isRunState } from "../format.js";
import { linkTarget } from "./card-element.js";
import { cardNotes } from "./card-notes.js";
import { recordedFacts } from "./recorded-facts.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */
/** @import { CardTexts } from "../contract.js" */
/**
 * @typedef {object} PanelActions
 * @property {(key: string) => void} go to another card
 * @property {() => void} close
 * @property {(key: string, side: "upstream" | "downstream" | "both") => void} focus
 * @property {(key: string) => void} open a cluster or a folded group
 * @property {(key: string) => void} fold the group of a card
 */

const MAX_LISTED = 12;
const HEADINGS = { upstream: "Upstream", downstream: "Downstream" };

/** @param {[string, Node | string][]} rows */
function detailList(rows) {
  const parts = rows
    .filter(([, value]) => value !== "")
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element("dl", { class: "facts" }, ...parts);
}

/** @param {CardTexts} card @returns {[string, Node | string][]} */
function detailRows(card) {
  const state = isRunState(card.state) ? element("span", { class: `status ${card.state}` }, card.state) : "";
  const time = dateTime(card.at);
  return [
    ["Kind", entityType(card.type).label],
    ["Name", card.name === card.title ? "" : card.name],
    ["About", card.description ?? ""],
    ["Contents", card.members ? (card.summary ?? "") : ""],
    ["Status", state],
    ["Last activity", card.seen ? element("time", { datetime: card.seen }, dateTime(card.seen)) : ""],
    ["Attributed", card.unattributed ? "No: it holds records whose run is unknown" : ""],
    ["Version", card.badge ?? ""],
    ["Time", time ? element("time", { datetime: card.at ?? "" }, time) : ""],
    ["Size", byteSize(card.size)],
    ["By", card.author ?? ""],
    [card.type === "folder" ? "Path" : "Number", card.members ? "" : String(card.id)],
    ["Server", card.origin ?? ""],
  ];
}

/** @param {CardTexts} card */
function links(card) {
  const buttons = [];
  const url = linkTarget(card);
  if (url && card.link?.title) buttons.push(element("a", { class: "button primary", href: url }, card.link.title));
  const workflow = workflowUrl(card);
  if (workflow && workflow !== location.pathname)
    buttons.push(element("a", { class: "button", href: workflow }, "Start from this card"));
  if (card.type === "task" && !card.members && !card.origin)
    buttons.push(element("a", { class: "button", href: `/runs/compare?runs=${card.id}` }, "Compare"));
  return buttons;
}

/**
 * @param {GraphView} graph
 * @param {number} card
 * @param {"upstream" | "downstream"} side
 * @param {PanelActions} actions
 */
function neighbourSection(graph, card, side, actions) {
  const neighbours = side === "upstream" ? graph.predecessors(card) : graph.successors(card);
  const total = graph.reachable(card, side).cards.size;
  const hidden = graph.hiddenNeighbours.get(card)?.[side === "upstream" ? 0 : 1] ?? 0;
  const summary = [count(total, "card"), hidden ? `${hidden} more not shown` : ""].filter(Boolean).join(", ");
  const items = neighbours.slice(0, MAX_LISTED).map((n) => {
    const title = graph.detailsOf(n)?.title ?? graph.typeOf(n).label;
    const button = element("button", { type: "button", class: "plain" }, title);
    button.addEventListener("click", () => actions.go(graph.keys[n] ?? ""));
    return element("li", {}, button);
  });
  if (neighbours.length > MAX_LISTED)
    items.push(element("li", { class: "muted" }, `and ${neighbours.length - MAX_LISTED} more`));
  const title = element("h3", {}, `${HEADINGS[side]} `, element("span", { class: "muted" }, summary));
  return element("section", {}, title, ...(items.length ? [element("ul", { class: "near" }, ...items)] : []));
}

/**
 * Fill the panel.
 * @param {HTMLElement} aside
 * @param {GraphView} graph
 * @param {number} card
 * @param {PanelActions} actions
 */
export function fillDetailsPanel(aside, graph, card, actions) {
  const details = graph.detailsOf(card);
  const key = graph.keys[card] ?? "";
  if (!details) return;
  const close = element(
    "button",
    { type: "button", class: "plain", "aria-label": "Close" },
    drawnIcon("M6 6l12 12M18 6L6 18"),
  );
  close.addEventListener("click", actions.close);
  const button = (/** @type {string} */ text, /** @type {() => void} */ action) => {
    const created = element("button", { type: "button" }, text);
    created.addEventListener("click", action);
    return created;
  };
  const focus = details.members
    ? [button(`Show all ${details.members.length}`, () => actions.open(key))]
    : [
        element(
          "span",
          { class: "segments", role: "group", "aria-label": "Show only" },
          button("Upstream", () => actions.focus(key, "upstream")),
          button("Both", () => actions.focus(key, "both")),
          button("Downstream", () => actions.focus(key, "downstream")),
        ),
      ];
  const group = details.members ? undefined : graph.groupOf(card);
  const fold = group ? [button(`Fold ${group.title} (${count(group.cards, "card")})`, () => actions.fold(key))] : [];
  const focused = document.activeElement;
  aside.replaceChildren(
    element(
      "header",
      {},
      iconTile(entityType(details.type), details.icon),
      element("h2", { tabindex: -1 }, details.title),
      close,
    ),
    detailList(detailRows(details)),
    recordedFacts(details),
    element("p", { class: "row" }, ...links(details)),
    element("p", { class: "row" }, details.members ? "" : element("span", { class: "muted" }, "Show only"), ...focus),
    ...(fold.length ? [element("p", { class: "row" }, ...fold)] : []),
    cardNotes(details),
    neighbourSection(graph, card, "upstream", actions),
    neighbourSection(graph, card, "downstream", actions),
  );
  // a panel that is filled again leaves the focus where a person types
  if (focused instanceof HTMLElement && aside.contains(focused)) focused.focus({ preventScroll: true });
}
