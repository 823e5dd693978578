// @ts-check
/** The workflow page: loads the graph that the address asks for, and keeps the address and the viewport in step. */

import { ApiError, call } from "../api.js";
import { pollChanges } from "../components/change-polling.js";
import { projectTabs } from "../components/project-tabs.js";
import { element } from "../dom.js";
import { capitalize, errorMessage } from "../format.js";
import { fillCardTable } from "../graph/card-table.js";
import { cardChoice } from "../graph/compare-bar.js";
import { depthSlider } from "../graph/depth-slider.js";
import { fillDetailsPanel } from "../graph/details-panel.js";
import { noMatches, noRuns } from "../graph/empty-states.js";
import { exportMenu } from "../graph/export-menu.js";
import { filterChips } from "../graph/filter-chips.js";
import { filterMenu } from "../graph/filter-menu.js";
import { graphSearch } from "../graph/graph-search.js";
import { GraphView } from "../graph/graph-view.js";
import { groupMenu, withGroup } from "../graph/group-menu.js";
import { handleKeyboard } from "../graph/keyboard.js";
import { legend } from "../graph/legend.js";
import { handlePrinting } from "../graph/print.js";
import { timeScrubber } from "../graph/time-scrubber.js";
import { filterKey, isFiltered, isGroup, readState, requestBody, writeState } from "../graph/url-state.js";
import { Viewport } from "../graph/viewport.js";
import { viewsMenu } from "../graph/views-menu.js";
import { initPage, showContent, showCrumbs, showError } from "../header.js";

/** @typedef {import("../graph/url-state.js").State} State */
/** @typedef {import("../graph/url-state.js").GraphQuery} GraphQuery */

const { facts, query } = initPage();
const entry = facts.entry ?? "workspace";
// a folder has a path in the query instead of a number; with neither, it is the first workspace
const number = facts[entry] ? Number(facts[entry]) : query.get("path");

const SLOW = 400; // milliseconds after which the page says that it waits
const narrow = matchMedia("(max-width: 700px)");

let state = readState();
/** whether a graph was requested that could not be loaded */
let isPending = false;
/** @type {ReturnType<typeof pollChanges> | null} */
let polling = null;
/** whether the camera is to show all of the graph that is being loaded */
let refit = false;
/** whether the graph that is being loaded is laid out anew, whatever stood where */
let relayout = false;
/** @type {GraphView | null} */
let graph = null;
/** @type {AbortController | null} of the request for a graph */
let pending = null;

const viewport = new Viewport(
  (key, adds) => (key && comparison.takes(adds) ? comparison.toggle(key) : select(key, true)),
  (key) => void go(key),
  // the camera's position belongs to the old graph while another is being loaded
  () => pending || saveState(false),
);
const mapLegend = legend();
const depth = depthSlider((chosen) => update({ ...state.query, depth: chosen }));
const comparison = cardChoice({
  chosen: () => state.chosen,
  selected: () => state.card,
  titleOf,
  show: (chosen, push) => {
    state.chosen = chosen;
    viewport.choose(chosen);
    if (push) saveState(true);
  },
  announce: announceStatus,
});
viewport.frame.append(
  comparison.button,
  comparison.bar,
  mapLegend.element,
  ...(entry === "workspace" ? [] : [depth.element]),
);
const aside = element("aside", { class: "side", "aria-label": "Selected card", hidden: true });
const tableSection = element("section", { class: "table-view", hidden: true });
const blank = element("div", { class: "blank", hidden: true });
const notice = element("div", { class: "focus-bar row", role: "status" });
const status = element("p", { class: "visually-hidden", role: "status" });
const lost = element(
  "p",
  { class: "notice lost-server", role: "status", hidden: true },
  element("span", {}, "The server cannot be reached. This page shows what was last loaded, and tries again."),
);
const tryNow = element("button", { type: "button" }, "Try now");
tryNow.addEventListener("click", () => polling?.now());
lost.append(tryNow);
const failure = element("p", { class: "notice failed-request", role: "alert", hidden: true });
const filter = filterMenu(() => state.query, changeFilter);
const groups = groupMenu(foldGroup, (folding) => {
  refit = true;
  void update({ ...state.query, ...folding }).catch(handleError);
});
const search = graphSearch(
  () => graph,
  (key) => go(key),
);
const scrubber = timeScrubber(() => graph, showTime);
const toggle = element("button", { type: "button", "aria-pressed": "false" }, "Table");
toggle.addEventListener("click", () => showTable(!state.table));
const heading = element("h1", {}, "Workflow");
const bar = element(
  "div",
  { class: "bar" },
  heading,
  ...(entry === "project" ? [projectTabs(Number(number), "workflow")] : []),
  search.element,
  filter.menu,
  groups.menu,
  scrubber.toggle,
  exportMenu(
    () => graph,
    () => ({ [entry]: number, ...requestBody(state.query) }),
    handleError,
  ),
  viewsMenu(() => saveState(false), handleError),
  toggle,
);
const body = element("div", { class: "body" }, viewport.frame, tableSection, blank, aside);

/** Announce a change to screen readers. @param {string} message */
function announceStatus(message) {
  status.textContent = message;
}

/** @param {string} key of a card */
function titleOf(key) {
  const card = graph?.details.get(key);
  return card ? [card.title, card.type === "task" ? card.id : card.badge].filter(Boolean).join(" ") : key;
}

/** Write the state into the address. @param {boolean} push whether the back button returns to the one before */
function saveState(push) {
  state.camera = graph ? viewport.camera.transform : state.camera;
  writeState(state, push);
}

/**
 * Load the graph of another query.
 * @param {GraphQuery} query
 * @param {boolean} [push] whether the back button returns to the query before
 */
async function update(query, push = true) {
  const isOther = (/** @type {GraphQuery} */ { focus, depth }) => JSON.stringify([focus, depth]);
  refit ||= filterKey(query) !== filterKey(state.query) || isOther(query) !== isOther(state.query);
  // a focused graph is shown as a whole: the current camera does not apply to it
  state = { ...state, query, camera: graph && !query.focus ? viewport.camera.transform : null };
  if (push) writeState(state, true);
  await loadRequested();
}

/** Load what was requested; if the server cannot be reached, again as soon as it can. */
async function loadRequested() {
  try {
    await load("requested");
    isPending = false;
  } catch (error) {
    if (!graph || !(error instanceof ApiError && error.status === 0)) return handleError(error);
    isPending = true;
    lost.hidden = false;
    polling?.now();
  }
}

/** Load what has changed; a person's own request goes first. @returns {Promise<boolean>} whether it was loaded */
async function refresh() {
  if (pending) return false;
  try {
    await load("changed");
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return false;
    throw error;
  }
  return true;
}

/** @param {"first" | "requested" | "changed" | "back"} reason */
async function load(reason) {
  pending?.abort();
  const request = new AbortController();
  pending = request;
  const keep = state.card ? [state.card] : [];
  const have = reason === "changed" && graph ? graph.digest : "";
  const slow = window.setTimeout(() => showWaiting(reason !== "changed"), SLOW);
  const response = await call(
    "autoflow.scene",
    {
      [entry]: number,
      ...requestBody(state.query),
      keep,
      have,
      positions: refit || relayout || reason === "back" || !graph ? {} : graph.positions,
    },
    request.signal,
  ).finally(() => {
    clearTimeout(slow);
    if (pending !== request) return;
    pending = null;
    viewport.frame.classList.remove("waiting");
  });
  failure.hidden = true;
  if (response.same) return;
  const first = !graph;
  const fit = refit;
  refit = false;
  relayout = false;
  graph = new GraphView(/** @type {import("../graph/graph-view.js").Scene} */ (response));
  render(graph, first, reason, fit);
  if (first) followChanges(response.changes);
}

/** Say that a request takes long. @param {boolean} isRequested by a person */
function showWaiting(isRequested) {
  if (!isRequested) return;
  viewport.frame.classList.add("waiting");
  announceStatus("Loading …");
}

/** @param {GraphView} shown @param {boolean} first @param {string} reason @param {boolean} fit show all of it */
function render(shown, first, reason, fit) {
  heading.textContent = shown.title;
  heading.title = shown.title;
  filter.show(shown.facets);
  groups.show(shown.foldable);
  mapLegend.show(shown.facets.kinds);
  depth.show(state.query.depth);
  depth.element.hidden = Boolean(state.query.focus);
  showNotice();
  const empty = !shown.facets.cards || !shown.size;
  blank.hidden = !empty;
  viewport.frame.classList.toggle("gone", empty || state.table);
  if (empty)
    blank.replaceChildren(isFiltered(state.query) && shown.facets.cards ? noMatches(clearButton("primary")) : noRuns());
  if (first) {
    showContent(bar, notice, lost, failure, body, scrubber.element, status);
    showHeader(shown);
  }
  scrubber.show(state.time);
  viewport.setGraph(shown);
  if (first || reason === "back") restoreCamera();
  // on a phone a large graph would be specks: its list says more
  if (first && narrow.matches && shown.entry < 0 && !state.camera && !viewport.canShowAll()) showTable(true, false);
  else if (reason === "requested" && (state.query.focus || fit)) viewport.fit();
  if (reason !== "first") announceStatus(`${shown.size} cards`);
  select(shown.index.has(state.card) ? state.card : "", false);
  comparison.set(state.chosen, false);
  if (state.table) showRows(shown);
}

/** Set the camera that the address holds, else the initial one. */
function restoreCamera() {
  viewport.camera.measure();
  const card = graph?.indexOf(state.card) ?? -1;
  if (state.camera) viewport.camera.show(state.camera);
  else if (state.query.focus) viewport.fit(false);
  else if (card >= 0) viewport.centreOn(card, false);
  else viewport.showEntry();
}

/** @param {GraphView} shown */
function showHeader(shown) {
  const name = shown.title.replace(/^Workflow for \w+ /, "").replace(/^"|"$/g, "");
  /** @type {Record<string, string>} */
  const pages = { project: `/projects/${number}`, task: `/apps/sessions/${number}`, file: `/files/${number}` };
  const href = typeof number === "number" ? pages[entry] : undefined;
  showCrumbs(
    [{ text: "Start", href: "/" }, href ? { text: name, href } : { text: name }, { text: "Workflow" }],
    shown.title,
  );
  showTable(state.table, false);
}

/** @param {Partial<GraphQuery>} change */
function changeFilter(change) {
  void update({ ...state.query, ...change });
}

function clearButton(className = "plain") {
  const clear = element("button", { type: "button", class: className }, "Clear filters");
  clear.addEventListener("click", filter.clear);
  return clear;
}

/** Show what the graph is limited to, with a button that removes the limit. */
function showNotice() {
  const { focus } = state.query;
  notice.replaceChildren();
  if (graph && isFiltered(state.query)) {
    const of = element("strong", {}, `${graph.memberCount} of ${graph.facets.cards}`);
    notice.append(element("span", {}, of, " cards"), ...filterChips(() => state.query, changeFilter), clearButton());
  }
  if (focus) {
    const limit = { upstream: "Only upstream of", downstream: "Only downstream of", both: "Only paths through" };
    const name = graph?.details.get(focus.card)?.title ?? focus.card;
    const back = element("button", { type: "button" }, "Show the whole graph");
    back.addEventListener("click", () => update({ ...state.query, focus: null }));
    notice.append(element("span", {}, `${limit[focus.side]} “${name}”`), back);
  } else if (graph?.entry === 0 && graph.size === 1 && graph.facets.cards === 1) {
    const isRun = graph.typeOf(0).name === "task";
    const message = isRun
      ? "No inputs or outputs of this run were recorded."
      : "No recorded run has read or written it.";
    notice.append(element("span", {}, message));
  }
  if (graph?.truncated)
    notice.append(element("span", {}, "The graph is too large to be shown at once. Use filters to see the rest."));
  notice.hidden = !notice.childElementCount;
}

/**
 * Select a card.
 * @param {string} key empty for none
 * @param {boolean} push whether the back button returns to the selection before
 */
function select(key, push) {
  const changed = state.card !== key;
  state.card = key;
  viewport.select(key);
  aside.hidden = !key;
  body.classList.toggle("with-side", Boolean(key));
  if (graph && key) {
    const [shown, card] = [graph, graph.indexOf(key)];
    const fill = () => {
      if (state.card === key && graph === shown)
        fillDetailsPanel(aside, shown, card, { go, close: () => select("", true), focus, open, fold });
    };
    fill();
    // on narrow screens the panel may cover the card
    requestAnimationFrame(() => {
      viewport.camera.measure();
      const covered = getComputedStyle(aside).position === "absolute" ? aside.offsetHeight : 0;
      if (push || covered) viewport.camera.reveal(viewport.box(card), covered);
    });
    void shown
      .loadDetails([card, ...shown.predecessors(card).slice(0, 12), ...shown.successors(card).slice(0, 12)])
      .then((loaded) => loaded && fill());
  }
  if (changed && key) announceStatus(`${titleOf(key)} selected. Tab leads to its panel.`);
  if (changed) saveState(push);
}

/** Fill the table with the cards of a graph. @param {GraphView} shown */
function showRows(shown) {
  void fillCardTable(tableSection, shown, go, () => graph === shown).catch(handleError);
}

/** Show a card, out of its group and cluster, and select it, unless there is none. @param {string} key */
async function go(key) {
  for (let nesting = 0; nesting < 2; nesting += 1) {
    const cluster = graph?.index.has(key) ? "" : graph?.clusterOf(key);
    if (cluster) await update(withOpened(cluster));
  }
  const card = graph?.indexOf(key) ?? -1;
  if (card < 0) return;
  showTable(false);
  select(key, true);
  viewport.camera.measure(); // the panel has made the stage narrower
  viewport.centreOn(card);
  const before = document.activeElement;
  // a person who went on meanwhile keeps the focus
  setTimeout(() => document.activeElement === before && viewport.cards.focus(key), 50);
}

/** @param {string} key of a cluster or a folded group @returns {GraphQuery} one that shows its cards */
function withOpened(key) {
  relayout ||= isGroup(key);
  if (isGroup(key)) return { ...state.query, ...withGroup(state.query, key, false) };
  return { ...state.query, opened: [...state.query.opened, key] };
}

/** Limit the graph to one side of a card. @param {string} card @param {"upstream" | "downstream" | "both"} side */
function focus(card, side) {
  void update({ ...state.query, focus: { card, side } }).catch(handleError);
}

/** Show the members of a cluster or a folded group. @param {string} key */
function open(key) {
  if (isGroup(key)) foldGroup(key, false);
  else void update(withOpened(key)).catch(handleError);
}

/** Fold the group of a card. @param {string} key of the card */
function fold(key) {
  const group = graph?.groupOf(graph.indexOf(key));
  if (group && !group.folded) foldGroup(group.key, true);
}

/**
 * Fold a group and select its card, or show its cards.
 * @param {string} key of the group
 * @param {boolean} isFolded
 */
function foldGroup(key, isFolded) {
  relayout = true;
  if (!isFolded && state.card === key) state.card = "";
  void update({ ...state.query, ...withGroup(state.query, key, isFolded) })
    .then(() => {
      if (!graph || (isFolded && !graph.index.has(key))) return;
      if (isFolded) return void go(key);
      viewport.fitGroup(key);
    })
    .catch(handleError);
}

/** @param {string} time as of which the graph is now shown, empty for now @param {boolean} isResting */
function showTime(time, isResting) {
  state.time = time;
  viewport.onTime();
  if (!isResting) return;
  if (graph && state.card && !graph.isShown(graph.indexOf(state.card))) select("", false);
  if (graph && state.table) showRows(graph);
  saveState(false);
}

/** Switch between table and graph. @param {boolean} asTable @param {boolean} [push] into the browser's history */
function showTable(asTable, push = true) {
  const changed = state.table !== asTable;
  state.table = asTable;
  toggle.setAttribute("aria-pressed", String(asTable));
  tableSection.hidden = !asTable;
  viewport.frame.classList.toggle("gone", asTable || !graph?.size);
  if (asTable && graph) showRows(graph);
  if (changed && push) saveState(true);
}

/** @param {unknown} error */
function handleError(error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  if (!graph) return showError(error, start);
  failure.textContent = capitalize(errorMessage(error));
  failure.hidden = false;
  return undefined;
}

viewport.stage.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  const card = button?.closest("article")?.dataset.key;
  if (!button || !card) return;
  if (button.dataset.open) open(button.dataset.open);
  const { more } = button.dataset;
  if (more === "upstream" || more === "downstream")
    void update({ ...state.query, expand: [...state.query.expand, { card, side: more }] }).catch(handleError);
});

addEventListener("popstate", () => {
  const before = JSON.stringify(state.query);
  state = readState();
  if (JSON.stringify(state.query) !== before) return void load("back").catch(handleError);
  scrubber.show(state.time);
  viewport.onTime();
  showTable(state.table, false);
  select(state.card, false);
  comparison.set(state.chosen, false);
  restoreCamera();
  return undefined;
});

handlePrinting(() => graph);

handleKeyboard({
  viewport,
  search,
  graph: () => graph,
  select,
  choose: comparison.toggle,
  clearChosen: comparison.clear,
  focus,
  fold,
  open,
  unfocus: () => state.query.focus && update({ ...state.query, focus: null }),
});

/** Keep the graph current. @param {number} known the counter of changes that the first graph was read at */
function followChanges(known) {
  polling = pollChanges({
    known,
    onChange: refresh,
    onReachable: (reachable) => {
      lost.hidden = reachable;
      if (reachable && isPending) void loadRequested();
    },
  });
}

function start() {
  void load("first").catch(handleError);
}

start();
