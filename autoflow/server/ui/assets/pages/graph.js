// @ts-check
/** The workflow's page: asks for the scene the address wishes for, shows it, and keeps address and picture together. */

import { call } from "../api.js";
import { projectTabs } from "../components/project-tabs.js";
import { element } from "../dom.js";
import { table } from "../graph/card-table.js";
import { panel } from "../graph/details-panel.js";
import { exportsMenu } from "../graph/export-menu.js";
import { filters } from "../graph/filter-menu.js";
import { search } from "../graph/graph-search.js";
import { Scene } from "../graph/graph-view.js";
import { keys } from "../graph/keyboard.js";
import { live } from "../graph/live.js";
import { asBody, narrows, read, write } from "../graph/url-state.js";
import { View } from "../graph/viewport.js";
import { begin, crumbs, emptyState, failed, show } from "../header.js";

/** @typedef {import("../graph/url-state.js").State} State */
/** @typedef {import("../graph/url-state.js").Wish} Wish */

const { facts, query } = begin();
const entry = facts.entry ?? "workspace";
// a folder has no number, its path is in the query; without any, the first workspace is meant
const number = facts[entry] ? Number(facts[entry]) : query.get("path");

let state = read();
/** @type {Scene | null} */
let scene = null;
/** @type {AbortController | null} the scene that is on its way */
let asking = null;

const view = new View(
  (key) => select(key, true),
  // where the camera came to rest is no place in a scene that is still on its way
  () => asking || remember(false),
);
const side = element("aside", { class: "side", "aria-label": "Selected card", hidden: true });
const sheet = element("section", { class: "sheet-table", hidden: true });
const blank = element("div", { class: "blank", hidden: true });
const focused = element("div", { class: "focused row", role: "status" });
const status = element("p", { class: "unseen", role: "status" });
const lost = element(
  "p",
  { class: "notice lost-server", role: "status", hidden: true },
  "The server cannot be reached; this is what was last seen.",
);
const filter = filters(
  () => state.wish,
  (change) => ask({ ...state.wish, ...change }),
);
const finder = search(
  () => scene,
  (card) => go(card),
);
const toggle = element("button", { type: "button", "aria-pressed": "false" }, "Table");
toggle.addEventListener("click", () => flip(!state.table));
const heading = element("h1", {}, "Workflow");
const bar = element(
  "div",
  { class: "bar" },
  heading,
  ...(entry === "project" ? [projectTabs(Number(number), "workflow")] : []),
  finder.search,
  filter.menu,
  exportsMenu(
    () => scene,
    () => ({ [entry]: number, ...asBody(state.wish) }),
    (error) => say(error instanceof Error ? error.message : String(error)),
  ),
  toggle,
);
const body = element("div", { class: "body" }, view.frame, sheet, blank, side);

/** @param {string} words for who does not see the picture change */
function say(words) {
  status.textContent = words;
}

/** @param {boolean} step whether the back button should lead here */
function remember(step) {
  state.camera = scene ? view.camera.view : state.camera;
  write(state, step);
}

/**
 * Asks for a scene.
 * @param {Wish} wish
 * @param {boolean} [step] whether the back button leads to the one before
 */
async function ask(wish, step = true) {
  // a focus is shown whole when it comes: where the camera is now says nothing of it
  state = { ...state, wish, camera: scene && !wish.focus ? view.camera.view : null };
  if (step) write(state, true);
  await load("wished").catch(wrong);
}

/** @returns {Promise<boolean>} whether what changed is shown; what a person wished for goes first */
async function refresh() {
  if (asking) return false;
  try {
    await load("changed");
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return false;
    throw error;
  }
  return true;
}

/** @param {"first" | "wished" | "changed" | "back"} why */
async function load(why) {
  asking?.abort();
  const waiting = new AbortController();
  asking = waiting;
  const keep = state.card ? [state.card] : [];
  const have = why === "changed" && scene ? scene.digest : "";
  const told = await call(
    "autoflow.scene",
    { [entry]: number, ...asBody(state.wish), keep, have },
    waiting.signal,
  ).finally(() => {
    if (asking === waiting) asking = null;
  });
  if (told.same) return told;
  const first = !scene;
  scene = new Scene(told);
  paint(first, why);
  return told;
}

/** @param {boolean} first @param {string} why */
function paint(first, why) {
  const shown = /** @type {Scene} */ (scene);
  heading.textContent = shown.title;
  heading.title = shown.title;
  filter.show(shown.facets);
  showFocus();
  const nothing = !shown.facets.cards || !shown.size;
  blank.hidden = !nothing;
  view.frame.classList.toggle("gone", nothing || state.table);
  if (nothing) blank.replaceChildren(narrows(state.wish) && shown.facets.cards ? nothingFits() : nothingYet());
  if (first) {
    show(bar, focused, lost, body, status);
    place(shown);
  }
  view.take(shown);
  if (first || why === "back") settle();
  else if (why === "wished" && state.wish.focus) view.fit();
  if (why !== "first") say(`${shown.size} cards`);
  select(shown.index.has(state.card) ? state.card : "", false);
  if (state.table) void table(sheet, shown, (card) => go(card));
}

/** Puts the camera where the address says, else where one begins. */
function settle() {
  view.camera.measure();
  const card = scene?.at(state.card) ?? -1;
  if (state.camera) view.camera.show(state.camera);
  else if (state.wish.focus) view.fit(false);
  else if (card >= 0) view.visit(card, false);
  else view.begin();
}

/** @param {Scene} shown */
function place(shown) {
  const name = shown.title.replace(/^Workflow for \w+ /, "").replace(/^"|"$/g, "");
  /** @type {Record<string, string>} */
  const homes = { project: `/projects/${number}`, task: `/apps/sessions/${number}`, file: `/files/${number}` };
  const home = typeof number === "number" ? homes[entry] : undefined;
  crumbs(
    [{ text: "Start", href: "/" }, home ? { text: name, href: home } : { text: name }, { text: "Workflow" }],
    shown.title,
  );
  flip(state.table, false);
}

function nothingYet() {
  const code = element(
    "pre",
    {},
    'from autoflow import workflow, workflow_input, workflow_output\n\n@workflow_input("project")\ndef load(project_id): ...\n\nwith workflow("Train") as run:\n    load(7)',
  );
  return emptyState(
    "No runs yet",
    "Nothing here was read or written by a run that was recorded. A run is recorded as below; `autoflow doctor` says where records go, and `make demo` keeps its own store in .demo.",
    code,
  );
}

function nothingFits() {
  const clear = element("button", { type: "button", class: "primary" }, "Clear filters");
  clear.addEventListener("click", filter.clear);
  return emptyState(
    "No card fits the filters",
    "There are cards, but none of those kinds, apps and days.",
    element("p", { class: "row" }, clear),
  );
}

/** Says what the graph is limited to, with the way back. */
function showFocus() {
  const { focus } = state.wish;
  focused.replaceChildren();
  if (focus) {
    const words = { upstream: "Only what led to", downstream: "Only what came of", both: "Only the ways through" }[
      focus.side
    ];
    const name = scene?.words.get(focus.card)?.title ?? focus.card;
    const back = element("button", { type: "button" }, "Show the whole graph");
    back.addEventListener("click", () => ask({ ...state.wish, focus: null }));
    focused.append(element("span", {}, `${words} “${name}”`), back);
  } else if (scene?.entry === 0 && scene.size === 1 && scene.facets.cards === 1) {
    const words =
      scene.type(0) === "task"
        ? "Nothing that it read or wrote was recorded."
        : "No run that was recorded has read or written it yet.";
    focused.append(element("span", {}, words));
  }
  if (scene?.cut)
    focused.append(element("span", {}, "There is more than can be shown at once; filters show the rest."));
  focused.hidden = !focused.childElementCount;
}

/**
 * Selects a card.
 * @param {string} key empty for none
 * @param {boolean} step
 */
function select(key, step) {
  const changed = state.card !== key;
  state.card = key;
  view.select(key);
  side.hidden = !key;
  body.classList.toggle("with-side", Boolean(key));
  if (scene && key) {
    const [shown, card] = [scene, scene.at(key)];
    const fill = () => {
      if (state.card === key && scene === shown)
        panel(side, shown, card, { go, close: () => select("", true), focus, open });
    };
    fill();
    // the panel may have come to lie over the card
    requestAnimationFrame(() => {
      view.camera.measure();
      const covered = getComputedStyle(side).position === "absolute" ? side.offsetHeight : 0;
      if (step || covered) view.camera.reveal(view.box(card), covered);
    });
    void shown
      .tell([card, ...shown.before(card).slice(0, 12), ...shown.after(card).slice(0, 12)])
      .then((came) => came && fill());
  }
  if (changed) remember(step);
}

/** Shows a card in the graph and selects it. @param {number} card */
function go(card) {
  const key = scene?.keys[card];
  if (!key) return;
  flip(false);
  select(key, true);
  view.visit(card);
  setTimeout(() => view.cards.focus(key), 50);
}

/** @param {string} card @param {"upstream" | "downstream" | "both"} side */
function focus(card, side) {
  void ask({ ...state.wish, focus: { card, side } }).catch(wrong);
}

/** @param {string} cluster */
function open(cluster) {
  void ask({ ...state.wish, opened: [...state.wish.opened, cluster] }).catch(wrong);
}

/** @param {boolean} asTable @param {boolean} [step] */
function flip(asTable, step = true) {
  const changed = state.table !== asTable;
  state.table = asTable;
  toggle.setAttribute("aria-pressed", String(asTable));
  sheet.hidden = !asTable;
  view.frame.classList.toggle("gone", asTable || !scene?.size);
  if (asTable && scene) void table(sheet, scene, go).catch(wrong);
  if (changed && step) remember(true);
}

/** @param {unknown} error */
function wrong(error) {
  if (error instanceof DOMException && error.name === "AbortError") return;
  if (scene) say(error instanceof Error ? error.message : String(error));
  else failed(error, start);
}

view.stage.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  const card = button?.closest("article")?.dataset.key;
  if (!button || !card) return;
  if (button.dataset.open) open(button.dataset.open);
  const more = button.dataset.more;
  if (more) void ask({ ...state.wish, expand: [...state.wish.expand, { card, side: more }] }).catch(wrong);
});

addEventListener("popstate", () => {
  const before = JSON.stringify(state.wish);
  state = read();
  if (JSON.stringify(state.wish) !== before) return void load("back").catch(wrong);
  flip(state.table, false);
  select(state.card, false);
  settle();
  return undefined;
});

keys({
  view,
  finder,
  scene: () => scene,
  select,
  focus,
  unfocus: () => state.wish.focus && ask({ ...state.wish, focus: null }),
});

async function start() {
  try {
    const told = await load("first");
    live(told.changes, refresh, (reached) => (lost.hidden = reached));
  } catch (error) {
    wrong(error);
  }
}

void start();
