// @ts-check
/** The page's state in its address: what is asked for, what is selected, where the camera stands. */

/** @typedef {import("./camera.js").View} View */
/** @typedef {{card: string, side: "upstream" | "downstream" | "both"}} Focus */
/**
 * @typedef {object} Wish what is asked of the server
 * @property {Focus | null} focus
 * @property {{card: string, side: string}[]} expand
 * @property {string[]} opened clusters
 * @property {boolean} clusters whether like cards are taken together
 * @property {number | null} depth hops around the entry; null for the usual
 * @property {string[]} kinds
 * @property {string[]} apps
 * @property {string} since
 * @property {string} until
 */
/** @typedef {{wish: Wish, card: string, table: boolean, camera: View | null}} State */

const SIDES = ["upstream", "downstream", "both"];

/** @param {string} text @returns {{card: string, side: any} | null} ``upstream~task:5`` */
function side(text) {
  const [named, ...rest] = text.split("~");
  return named !== undefined && SIDES.includes(named) && rest.length ? { card: rest.join("~"), side: named } : null;
}

/** @returns {State} what the address says */
export function read() {
  const query = new URLSearchParams(location.search);
  const numbers = (query.get("at") ?? "").split(",").map(Number);
  const [x = NaN, y = NaN, k = NaN] = numbers;
  const depth = query.get("depth");
  return {
    wish: {
      focus: side(query.get("focus") ?? ""),
      expand: query.getAll("expand").flatMap((text) => side(text) ?? []),
      opened: query.getAll("open"),
      clusters: query.get("clusters") !== "no",
      depth: depth && /^\d{1,2}$/.test(depth) ? Number(depth) : null,
      kinds: query.getAll("kind"),
      apps: query.getAll("app"),
      since: query.get("since") ?? "",
      until: query.get("until") ?? "",
    },
    card: query.get("card") ?? "",
    table: query.get("view") === "table",
    camera: numbers.length === 3 && numbers.every(Number.isFinite) && k > 0 ? { x, y, k: Math.min(k, 2) } : null,
  };
}

/**
 * Puts the state into the address.
 * @param {State} state
 * @param {boolean} step whether the back button leads to the state before
 */
export function write({ wish, card, table, camera }, step) {
  const query = new URLSearchParams();
  const path = new URLSearchParams(location.search).get("path");
  if (path) query.set("path", path);
  if (wish.focus) query.set("focus", `${wish.focus.side}~${wish.focus.card}`);
  for (const one of wish.expand) query.append("expand", `${one.side}~${one.card}`);
  for (const key of wish.opened) query.append("open", key);
  if (!wish.clusters) query.set("clusters", "no");
  if (wish.depth !== null) query.set("depth", String(wish.depth));
  for (const kind of wish.kinds) query.append("kind", kind);
  for (const app of wish.apps) query.append("app", app);
  if (wish.since) query.set("since", wish.since);
  if (wish.until) query.set("until", wish.until);
  if (card) query.set("card", card);
  if (table) query.set("view", "table");
  if (camera) query.set("at", `${Math.round(camera.x)},${Math.round(camera.y)},${Number(camera.k.toFixed(3))}`);
  const text = query.toString();
  const address = location.pathname + (text ? `?${text}` : "");
  if (address === location.pathname + location.search) return;
  if (step) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

/**
 * A wish as the wire takes it.
 * @param {Wish} wish
 */
export function asBody(wish) {
  const day = /^\d{4}-\d{2}-\d{2}$/;
  return {
    focus: wish.focus,
    expand: wish.expand,
    opened: wish.opened,
    clusters: wish.clusters,
    depth: wish.depth,
    kinds: wish.kinds,
    apps: wish.apps,
    // days are the reader's own
    since: day.test(wish.since) ? new Date(`${wish.since}T00:00:00`).toISOString() : null,
    until: day.test(wish.until) ? new Date(`${wish.until}T23:59:59.999`).toISOString() : null,
  };
}

/** @param {Wish} wish @returns {boolean} whether anything is left out on purpose */
export function narrows(wish) {
  return Boolean(wish.kinds.length || wish.apps.length || wish.since || wish.until);
}
