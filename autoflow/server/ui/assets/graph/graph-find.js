// @ts-check
/** Finds cards of a graph: by their texts where these are loaded, and by one search on the server. */
import { call } from "../api.js";
import { entityType } from "../entity-types.js";
import { byteSize } from "../format.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */
/** @typedef {{key: string, title: string, detail: string, type: string}} Hit a card, or one in a cluster */

const MAX_RESULTS = 100; // of each kind, from the server; those that the graph lacks are left out
/** @type {Readonly<Record<string, string>>} types of cards by the kind of a result */
const CARD_TYPES = { run: "task", version: "project_version" };
/** @type {import("../contract.js").SearchRequest["kinds"]} */
const KINDS = ["project", "dataset", "run", "file", "version", "job"];

/**
 * List the cards whose loaded texts contain a text: first those whose title starts with it, then those whose title
 * contains it, and folders in clusters and folded groups.
 * @param {GraphView} graph
 * @param {string} text in lower case
 * @returns {Hit[]}
 */
export function findLoaded(graph, text) {
  /** @type {[Hit[], Hit[], Hit[]]} */
  const [prefixed, titled, others] = [[], [], []];
  for (const [n, key] of graph.keys.entries()) {
    if (!graph.isShown(n)) continue;
    const details = graph.detailsOf(n);
    const type = graph.typeOf(n);
    const title = details?.title ?? (type.name === "folder" ? key.replace(/^folder:/, "") : "");
    const words = [title, details?.name, details?.summary, details?.description, details && String(details.id)];
    if (!words.some((word) => word?.toLowerCase().includes(text))) continue;
    const detail = [details?.summary ?? details?.description, byteSize(details?.size)].filter(Boolean).join(" · ");
    const hit = { key, title, detail, type: type.label };
    const at = title.toLowerCase().indexOf(text);
    (at === 0 ? prefixed : at > 0 ? titled : others).push(hit);
  }
  // folders are not searched by the server, and their keys hold their paths
  for (const key of graph.owners.keys()) {
    if (!key.startsWith("folder:") || !key.toLowerCase().includes(text, "folder:".length)) continue;
    const holder = graph.details.get(graph.clusterOf(key))?.title ?? "";
    others.push({ key, title: key.slice("folder:".length), detail: `in ${holder}`, type: "folder" });
  }
  return [...prefixed, ...titled, ...others];
}

/**
 * Ask the server for the cards of a graph that match a text: also misspelled words, V4, task:14 and a sha256.
 * @param {GraphView} graph
 * @param {string} text
 * @param {AbortSignal} signal
 * @returns {Promise<Hit[]>}
 */
export async function findOnServer(graph, text, signal) {
  const { results } = await call("autoflow.search", { q: text, kinds: KINDS, limit: MAX_RESULTS }, signal);
  return results.flatMap(({ kind, id, title, detail }) => {
    const type = CARD_TYPES[kind] ?? kind;
    const key = `${type}:${id}`;
    if (!graph.index.has(key) && !graph.clusterOf(key)) return [];
    return [{ key, title, detail, type: entityType(type).label }];
  });
}
