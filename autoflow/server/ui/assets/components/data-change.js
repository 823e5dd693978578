// @ts-check
/** The data of two compared runs: what differs, and whether that leaves their results comparable. */

import { call } from "../api.js";
import { element } from "../dom.js";
import { count } from "../format.js";
import { runLetter } from "./result-plot.js";
import { countLine } from "./version-diff.js";

/** @import { CompareRunsResponse, ComparedData, VersionDiffResponse } from "../contract.js" */
/** @typedef {{from: ComparedData, to: ComparedData, diff: VersionDiffResponse}} VersionChange of a project */
/** @typedef {{comparable: boolean | null, text: string}} Verdict */

const MAX_CHANGES = 1000; // of a diff, read to see which datasets changed
const SCORED_ON = /^(val|valid|validation|test|testing|eval|evaluation|holdout)\b/i; // datasets that scores are made on

/**
 * Load what changed between versions of one project that the runs read.
 * @param {CompareRunsResponse} comparison
 * @returns {Promise<VersionChange[]>}
 */
export function versionChanges({ onlyFirst, onlySecond }) {
  const pairs = onlyFirst.flatMap((from) => {
    const to = onlySecond.find((read) => read.projectId !== null && read.projectId === from.projectId);
    return to && from.number !== null && to.number !== null ? [{ from, to }] : [];
  });
  return Promise.all(
    pairs.map(async ({ from, to }) => {
      const ids = { from: versionId(from), to: versionId(to) };
      return { from, to, diff: await call("autoflow.versions.diff", { ...ids, limit: MAX_CHANGES }) };
    }),
  );
}

/** @param {ComparedData} read a version, whose reference is version:12 */
function versionId(read) {
  return Number(read.ref.slice(read.ref.indexOf(":") + 1));
}

/**
 * Count the changed items of each dataset that scores are made on.
 * @param {VersionDiffResponse} diff
 * @returns {Map<string, number>}
 */
function scoredChanges(diff) {
  const changed = new Map();
  for (const { before, after } of diff.changes) {
    const names = new Set([before, after].flatMap((item) => (item ? [item.dataset.join(" / ")] : [])));
    for (const name of names)
      if (name.split(" / ").some((part) => SCORED_ON.test(part))) changed.set(name, (changed.get(name) ?? 0) + 1);
  }
  return changed;
}

/**
 * Say whether the results of two runs can be compared.
 * @param {CompareRunsResponse} comparison
 * @param {VersionChange[]} changes
 * @returns {Verdict}
 */
export function verdict(comparison, changes) {
  if (comparison.comparable) return { comparable: true, text: "Both read the same data: scores are comparable." };
  if (comparison.comparable === null)
    return { comparable: null, text: `It is unknown whether scores are comparable: ${comparison.reason ?? ""}.` };
  const names = changes.flatMap(({ diff }) => {
    const least = diff.after === null ? "" : "at least ";
    return [...scoredChanges(diff)].map(([name, items]) => `${name} changed too (${least}${count(items, "image")})`);
  });
  if (names.length) {
    return { comparable: false, text: `${names.join(", ")}: scores are not comparable.` };
  }
  return {
    comparable: false,
    text: "The data differs: scores are comparable only if both were made on the same images.",
  };
}

/**
 * Show the data of a run beside that of the first.
 * @param {CompareRunsResponse} comparison
 * @param {VersionChange[]} changes
 * @param {number} index of the other run
 */
export function dataPanel(comparison, changes, index) {
  const inPair = new Set(changes.flatMap(({ from, to }) => [from.ref, to.ref]));
  const single = (/** @type {ComparedData[]} */ rows) => rows.filter(({ ref }) => !inPair.has(ref));
  return element(
    "div",
    { class: "data-changes" },
    ...changes.map(versionChange),
    ...readers(single(comparison.onlyFirst), `Only ${runLetter(0)}`),
    ...readers(single(comparison.onlySecond), `Only ${runLetter(index)}`),
    ...readers(comparison.same, "Both"),
  );
}

/** @param {VersionChange} change */
function versionChange({ from, to, diff }) {
  const query = `from=${versionId(from)}&to=${versionId(to)}`;
  const link = element("a", { href: `/projects/${diff.projectId}/versions/compare?${query}` }, "See the images");
  return element(
    "div",
    { class: "row" },
    dataLink(from),
    element("span", { "aria-label": "became" }, "→"),
    dataLink(to, `V${to.number}`),
    countLine(diff),
    link,
  );
}

/**
 * @param {ComparedData[]} rows
 * @param {string} title
 */
function readers(rows, title) {
  return rows.map((read) =>
    element("div", { class: "row" }, element("span", { class: "muted" }, `${title}:`), dataLink(read)),
  );
}

/**
 * @param {ComparedData} read
 * @param {string} [text]
 */
function dataLink(read, text) {
  const name = text ?? (read.number === null ? read.name : `${read.name} V${read.number}`);
  if (read.projectId === null) return element("span", {}, name);
  const versions = read.number === null ? "" : `/versions#v${read.number}`;
  return element("a", { href: `/projects/${read.projectId}${versions}` }, name);
}
