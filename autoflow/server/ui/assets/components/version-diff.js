// @ts-check
/** The diff of two versions: a line of counts, then the changed images, each before and after. */

import { call } from "../api.js";
import { element } from "../dom.js";
import { count, errorMessage } from "../format.js";
import { fileChange, isFile } from "./file-change.js";
import { overlay } from "./label-drawing.js";
import { pairView } from "./pair-view.js";
import { missingImage, thumbnail } from "./thumbnails.js";
import { infiniteList, internalLink } from "./widgets.js";

/** @import { ChangeCounts, ChangedNames, DiffItem, ItemDiff, LabelClass, LabeledImage } from "../contract.js" */
/** @import { VersionDiffResponse } from "../contract.js" */
/** @typedef {{from: number, to: number | null}} VersionPair versions; `to` is null for the current state */
/** @typedef {{images: Map<number, LabeledImage>, classes: Map<number, LabelClass>}} LabeledImages */

const SIGNS = { added: "+", removed: "−", changed: "±" };
const STATUS_LABELS = { added: "added", removed: "removed", changed: "changed" };
const ASPECTS = {
  bytes: "other bytes",
  name: "renamed",
  dataset: "moved",
  meta: "other meta",
  tags: "other tags",
  labels: "other labels",
  description: "other description",
};
const PAGE_SIZE = 24;

/**
 * Load the diff of two versions.
 * @param {VersionPair} pair
 * @param {number} limit of images
 * @param {number} [after] `after` of the previous page
 * @param {AbortSignal} [signal]
 */
export function loadDiff(pair, limit, after = 0, signal) {
  return call("autoflow.versions.diff", { from: pair.from, to: pair.to, limit, after }, signal);
}

/**
 * Return whether two versions differ in anything that the page shows.
 * @param {VersionDiffResponse} diff
 */
export function hasChanges(diff) {
  const names = [diff.classes, diff.tags, diff.datasets];
  return (
    diff.changes.length > 0 ||
    names.some(({ added, removed, changed }) => added.length + removed.length + changed.length > 0)
  );
}

/**
 * Make the line of counts.
 * @param {VersionDiffResponse} diff
 */
export function countLine(diff) {
  const line = element("ul", { class: "counts", "aria-label": "What changed" });
  const { counts } = diff;
  /** @type {[string, ChangeCounts][]} */
  const rows = [
    ["image", counts.items],
    ["class", counts.classes],
    ["tag", counts.tags],
    ["dataset", counts.datasets],
  ];
  for (const [noun, changes] of rows) {
    for (const status of /** @type {const} */ (["added", "removed", "changed"])) {
      if (!changes[status]) continue;
      const text =
        noun === "class" && changes[status] !== 1 ? `${changes[status]} classes` : count(changes[status], noun);
      line.append(
        element(
          "li",
          { class: `change ${status}` },
          element("span", { "aria-hidden": "true" }, SIGNS[status]),
          ` ${text} ${STATUS_LABELS[status]}`,
        ),
      );
    }
  }
  const { before, after } = counts.labels;
  if (before !== after)
    line.append(
      element(
        "li",
        { class: "change changed" },
        `Labels on changed images: ${before.toLocaleString("en")} → ${after.toLocaleString("en")}`,
      ),
    );
  if (!line.childElementCount)
    line.append(element("li", { class: "muted" }, "No images, labels, classes, tags or datasets changed"));
  return line;
}

/**
 * List the changed classes, tags and datasets by name.
 * @param {VersionDiffResponse} diff
 */
function nameSections(diff) {
  const sections = [];
  for (const [title, changes] of /** @type {[string, ChangedNames][]} */ ([
    ["Classes", diff.classes],
    ["Tags", diff.tags],
    ["Datasets", diff.datasets],
  ])) {
    const all = /** @type {const} */ (["added", "removed", "changed"]).flatMap((status) =>
      changes[status].map((name) => ({ status, name })),
    );
    if (!all.length) continue;
    const list = element(
      "ul",
      { class: "counts" },
      ...all.map(({ status, name }) =>
        element(
          "li",
          { class: `change ${status}` },
          element("span", { "aria-hidden": "true" }, SIGNS[status]),
          ` ${name} `,
          element("span", { class: "visually-hidden" }, STATUS_LABELS[status]),
        ),
      ),
    );
    sections.push(element("section", {}, element("h3", {}, title), list));
  }
  return sections;
}

/**
 * List all changes, page by page.
 * @param {VersionPair} pair
 * @param {VersionDiffResponse} first
 * @param {Set<string>} [statuses] of the images to show; all by default
 */
export function changeList(pair, first, statuses = new Set(["added", "removed", "changed"])) {
  const list = element("ul", { class: "changes" });
  /** @param {VersionDiffResponse} diff */
  const append = async (diff) => {
    const changes = diff.changes.filter(({ status }) => statuses.has(status));
    if (!changes.length) return;
    const [before, after] = await Promise.all([
      loadLabels(
        pair.from,
        diff.projectId,
        changes.map((change) => change.before),
      ),
      loadLabels(
        pair.to,
        diff.projectId,
        changes.map((change) => change.after),
      ),
    ]);
    list.append(...changes.map((change) => changeRow(change, pair, before, after)));
  };
  let { after } = first;
  const load = async () => {
    const page = await loadDiff(pair, PAGE_SIZE, after ?? 0);
    await append(page);
    after = page.after;
    return after !== null;
  };
  const container = element(
    "div",
    { class: "compared" },
    ...nameSections(first),
    infiniteList(list, load, after !== null),
  );
  append(first).catch((error) => list.replaceWith(element("p", { class: "notice bad" }, errorMessage(error))));
  return container;
}

/**
 * Load the labels of images in a version, or in the current state.
 * @param {number | null} version
 * @param {number} project
 * @param {(DiffItem | null)[]} items
 * @returns {Promise<LabeledImages>}
 */
async function loadLabels(version, project, items) {
  const images = items.flatMap((item) => (item ? [item.id] : []));
  if (!images.length) return { images: new Map(), classes: new Map() };
  const state = version === null ? { project } : { version };
  const response = await call("autoflow.overview.drawn", { ...state, images });
  return {
    images: new Map(response.images.map((row) => [row.id, row])),
    classes: new Map(response.classes.map((row) => [row.id, row])),
  };
}

/**
 * @param {ItemDiff} change
 * @param {VersionPair} pair
 * @param {LabeledImages} before
 * @param {LabeledImages} after
 */
function changeRow(change, pair, before, after) {
  const item = /** @type {DiffItem} */ (change.after ?? change.before);
  const aspects = change.aspects.map((name) => /** @type {Record<string, string>} */ (ASPECTS)[name] ?? name);
  const labels = /** @type {const} */ (["added", "removed", "changed"])
    .filter((status) => change.labels[status])
    .map((status) => `${SIGNS[status]} ${count(change.labels[status], "label")}`);
  const summary = change.status === "changed" ? [...aspects, ...labels].join(", ") : count(item.labels, "label");
  const path = [...item.dataset, item.name].join(" / ");
  return element(
    "li",
    { class: `card changed-item ${change.status}` },
    element(
      "div",
      { class: "row" },
      element("span", { class: `change ${change.status}` }, STATUS_LABELS[change.status]),
      change.after && pair.to === null
        ? internalLink(`/images/${item.id}`, path)
        : element("span", { class: "path" }, path),
      element("span", { class: "muted" }, summary),
    ),
    isFile(item) ? fileChange(change, pair) : pictures(change, pair, before, after),
  );
}

/**
 * Show the pictures of a changed image.
 * @param {ItemDiff} change
 * @param {VersionPair} pair
 * @param {LabeledImages} before
 * @param {LabeledImages} after
 */
function pictures(change, pair, before, after) {
  const first = figure("Before", change.before, pair.from, before);
  const second = figure("After", change.after, pair.to, after);
  if (first && second) return pairView(first, second, change.after?.name ?? "");
  return element("div", { class: "pair" }, first ?? "", second ?? "");
}

/**
 * @param {string} title
 * @param {DiffItem | null} item
 * @param {number | null} version
 * @param {LabeledImages} labeled
 */
function figure(title, item, version, labeled) {
  if (!item) return null;
  const src = version === null ? undefined : `/storage/versions/${version}/images/${item.id}`;
  const name = `${item.name} ${title.toLowerCase()}`;
  const picture = element(
    "div",
    { class: "picture" },
    item.hash === null ? missingImage(name) : thumbnail(item.id, name, src),
  );
  const image = labeled.images.get(item.id);
  if (image) requestAnimationFrame(() => overlay(picture, image, image.objects, labeled.classes));
  const caption = `${title} · ${count(item.labels, "label")}`;
  return element("figure", {}, picture, element("figcaption", { class: "muted" }, caption));
}
