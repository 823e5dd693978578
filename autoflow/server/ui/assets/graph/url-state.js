// @ts-check
/** The state of the workflow page in its address: the query, the selected card, the camera. */

/** @typedef {import("./camera.js").Transform} Transform */
/** @import { CardSide } from "../contract.js" */
/**
 * @typedef {object} GraphQuery what the server is asked to lay out
 * @property {CardSide | null} focus limits the graph to one side of a card
 * @property {CardSide[]} expand cards whose hidden neighbours are shown
 * @property {string[]} opened keys of clusters that are shown as single cards
 * @property {"none" | "large" | "all"} fold which groups are shown as one card each; large: all, in a large workspace
 * @property {string[]} folded keys of groups that are shown as one card
 * @property {string[]} unfolded keys of groups that are shown as their cards
 * @property {boolean} clusters whether similar cards are grouped
 * @property {number | null} depth hops around the entry; null for the default
 * @property {string[]} kinds
 * @property {string[]} apps
 * @property {string} since
 * @property {string} until
 */
/**
 * @typedef {object} State
 * @property {GraphQuery} query
 * @property {string} card key of the selected one, empty for none
 * @property {string[]} chosen keys of cards to compare
 * @property {boolean} table
 * @property {string} time as of which the graph is shown, in ISO 8601; empty for now
 * @property {Transform | null} camera
 */

/** @type {readonly string[]} */
const SIDES = ["upstream", "downstream", "both"];

/** @param {string} text as ``upstream~task:5`` @returns {CardSide | null} */
function parseCardSide(text) {
  const [side, ...key] = text.split("~");
  if (side === undefined || !SIDES.includes(side) || !key.length) return null;
  return { card: key.join("~"), side: /** @type {CardSide["side"]} */ (side) };
}

/** @type {Readonly<Record<string, GraphQuery["fold"]>>} by the value in the address */
const FOLDS = { all: "all", no: "none" };

/** @returns {State} the state that the address holds */
export function readState() {
  const params = new URLSearchParams(location.search);
  const numbers = (params.get("at") ?? "").split(",").map(Number);
  const [x = NaN, y = NaN, k = NaN] = numbers;
  const depth = params.get("depth");
  return {
    query: {
      focus: parseCardSide(params.get("focus") ?? ""),
      expand: params.getAll("expand").flatMap((text) => parseCardSide(text) ?? []),
      opened: params.getAll("open"),
      fold: FOLDS[params.get("groups") ?? ""] ?? "large",
      folded: params.getAll("fold"),
      unfolded: params.getAll("unfold"),
      clusters: params.get("clusters") !== "no",
      depth: depth && /^\d{1,2}$/.test(depth) ? Number(depth) : null,
      kinds: params.getAll("kind"),
      apps: params.getAll("app"),
      since: params.get("since") ?? "",
      until: params.get("until") ?? "",
    },
    card: params.get("card") ?? "",
    chosen: [...new Set(params.getAll("compare"))],
    table: params.get("view") === "table",
    time: params.get("time") ?? "",
    camera: numbers.length === 3 && numbers.every(Number.isFinite) && k > 0 ? { x, y, k: Math.min(k, 2) } : null,
  };
}

/**
 * Write the state into the address.
 * @param {State} state
 * @param {boolean} push whether the back button returns to the state before
 */
export function writeState({ query, card, chosen, table, time, camera }, push) {
  const params = new URLSearchParams();
  const path = new URLSearchParams(location.search).get("path");
  if (path) params.set("path", path);
  if (query.focus) params.set("focus", `${query.focus.side}~${query.focus.card}`);
  for (const { side, card: key } of query.expand) params.append("expand", `${side}~${key}`);
  for (const key of query.opened) params.append("open", key);
  if (query.fold !== "large") params.set("groups", query.fold === "all" ? "all" : "no");
  for (const key of query.folded) params.append("fold", key);
  for (const key of query.unfolded) params.append("unfold", key);
  if (!query.clusters) params.set("clusters", "no");
  if (query.depth !== null) params.set("depth", String(query.depth));
  for (const kind of query.kinds) params.append("kind", kind);
  for (const app of query.apps) params.append("app", app);
  if (query.since) params.set("since", query.since);
  if (query.until) params.set("until", query.until);
  if (card) params.set("card", card);
  for (const key of chosen) params.append("compare", key);
  if (table) params.set("view", "table");
  if (time) params.set("time", time);
  if (camera) params.set("at", `${Math.round(camera.x)},${Math.round(camera.y)},${Number(camera.k.toFixed(3))}`);
  const search = params.toString();
  const url = location.pathname + (search ? `?${search}` : "");
  if (url === location.pathname + location.search) return;
  if (push) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}

/**
 * Return a query in the form the wire takes.
 * @param {GraphQuery} query
 */
export function requestBody(query) {
  const day = /^\d{4}-\d{2}-\d{2}$/;
  return {
    focus: query.focus,
    expand: query.expand,
    opened: query.opened,
    fold: query.fold,
    folded: query.folded,
    unfolded: query.unfolded,
    clusters: query.clusters,
    depth: query.depth,
    kinds: query.kinds,
    apps: query.apps,
    // days are in the reader's time zone
    since: day.test(query.since) ? new Date(`${query.since}T00:00:00`).toISOString() : null,
    until: day.test(query.until) ? new Date(`${query.until}T23:59:59.999`).toISOString() : null,
  };
}

/** @param {GraphQuery} query @returns {boolean} whether a filter leaves cards out */
export function isFiltered(query) {
  return Boolean(query.kinds.length || query.apps.length || query.since || query.until);
}

/** @param {GraphQuery} query @returns {string} equal for queries with equal filters */
export function filterKey({ kinds, apps, since, until }) {
  return JSON.stringify([kinds, apps, since, until]);
}

/** @param {string} key of a card @returns {boolean} whether it is a folded group's */
export function isGroup(key) {
  return key.startsWith("group:");
}
