// @ts-check
/** What changed between two versions: the counts in a line, then items, each with its picture before and after. */

import { call } from "../api.js";
import { count, element } from "../dom.js";
import { overlay } from "./label-drawing.js";
import { missing, preview } from "./thumbnails.js";
import { goingOn, link } from "./widgets.js";

/**
 * @typedef {{added: number, removed: number, changed: number}} Counts
 * @typedef {{id: number, name: string, hash: string | null, width: number | null, height: number | null, labels: number,
 *   dataset: string[], datasetId: number}} Item
 * @typedef {{status: "added" | "removed" | "changed", aspects: string[], before: Item | null, after: Item | null,
 *   labels: Counts}} Change
 * @typedef {{projectId: number, counts: {items: Counts & Record<string, number>, labels: {before: number, after: number},
 *   classes: Counts, tags: Counts, datasets: Counts}, classes: Names, tags: Names, datasets: Names, changes: Change[],
 *   after: number | null}} Difference
 * @typedef {{added: string[], removed: string[], changed: string[]}} Names
 * @typedef {{from: number, to: number | null}} Pair versions; to none is the project as it is now
 */

const SIGNS = { added: "+", removed: "−", changed: "±" };
const SAYS = { added: "added", removed: "removed", changed: "changed" };
const ASPECTS = {
  bytes: "other bytes",
  name: "renamed",
  dataset: "moved",
  meta: "other meta",
  tags: "other tags",
  labels: "other labels",
  description: "other description",
};
const PART = 24;

/**
 * Asks what changed.
 * @param {Pair} pair
 * @param {number} limit items
 * @param {number | null} [after]
 * @returns {Promise<Difference>}
 */
export function difference(pair, limit, after = null) {
  return call("autoflow.versions.diff", { from: pair.from, to: pair.to, limit, after });
}

/**
 * The counts in a line of badges.
 * @param {Difference} found
 */
export function countLine(found) {
  const line = element("ul", { class: "counts", "aria-label": "What changed" });
  const { counts } = found;
  /** @type {[string, Counts][]} */
  const kinds = [
    ["image", counts.items],
    ["class", counts.classes],
    ["tag", counts.tags],
    ["dataset", counts.datasets],
  ];
  for (const [word, of] of kinds) {
    for (const how of /** @type {const} */ (["added", "removed", "changed"])) {
      if (!of[how]) continue;
      const words = word === "class" && of[how] !== 1 ? `${of[how]} classes` : count(of[how], word);
      line.append(
        element(
          "li",
          { class: `change ${how}` },
          element("span", { "aria-hidden": "true" }, SIGNS[how]),
          ` ${words} ${SAYS[how]}`,
        ),
      );
    }
  }
  const { before, after } = counts.labels;
  if (before !== after)
    line.append(
      element("li", { class: "change changed" }, `${before.toLocaleString("en")} → ${count(after, "label")} on them`),
    );
  if (!line.childElementCount) line.append(element("li", { class: "quiet" }, "Nothing that is shown here changed"));
  return line;
}

/**
 * The names of what changed among classes, tags and datasets.
 * @param {Difference} found
 */
function names(found) {
  const parts = [];
  for (const [title, of] of /** @type {[string, Names][]} */ ([
    ["Classes", found.classes],
    ["Tags", found.tags],
    ["Datasets", found.datasets],
  ])) {
    const all = /** @type {const} */ (["added", "removed", "changed"]).flatMap((how) =>
      of[how].map((name) => ({ how, name })),
    );
    if (!all.length) continue;
    const list = element(
      "ul",
      { class: "counts" },
      ...all.map(({ how, name }) =>
        element(
          "li",
          { class: `change ${how}` },
          element("span", { "aria-hidden": "true" }, SIGNS[how]),
          ` ${name} `,
          element("span", { class: "unseen" }, SAYS[how]),
        ),
      ),
    );
    parts.push(element("section", {}, element("h3", {}, title), list));
  }
  return parts;
}

/**
 * All that changed, a part at a time.
 * @param {Pair} pair
 * @param {Difference} first
 * @param {Set<string>} [wanted] what became of the images that are shown; all by default
 */
export function changeList(pair, first, wanted = new Set(["added", "removed", "changed"])) {
  const list = element("ul", { class: "changes" });
  /** @param {Difference} found */
  const put = async (found) => {
    const changes = found.changes.filter((one) => wanted.has(one.status));
    if (!changes.length) return;
    const [before, after] = await Promise.all([
      drawnAt(
        pair.from,
        found.projectId,
        changes.map((one) => one.before),
      ),
      drawnAt(
        pair.to,
        found.projectId,
        changes.map((one) => one.after),
      ),
    ]);
    list.append(...changes.map((one) => changeRow(one, pair, before, after)));
  };
  let { after } = first;
  const load = async () => {
    const part = await difference(pair, PART, after);
    await put(part);
    after = part.after;
    return after !== null;
  };
  const part = element("div", { class: "compared" }, ...names(first), goingOn(list, load, after !== null));
  put(first).catch((error) =>
    list.replaceWith(element("p", { class: "notice bad" }, error instanceof Error ? error.message : String(error))),
  );
  return part;
}

/** @typedef {{images: Map<number, any>, classes: Map<number, import("./label-drawing.js").Class>}} Drawn */

/**
 * @param {number | null} version
 * @param {number} project
 * @param {(Item | null)[]} items
 * @returns {Promise<Drawn>}
 */
async function drawnAt(version, project, items) {
  const images = items.flatMap((one) => (one ? [one.id] : []));
  if (!images.length) return { images: new Map(), classes: new Map() };
  const place = version === null ? { project } : { version };
  const found = await call("autoflow.overview.drawn", { ...place, images });
  return {
    images: new Map(found.images.map((/** @type {any} */ one) => [one.id, one])),
    classes: new Map(found.classes.map((/** @type {any} */ one) => [one.id, one])),
  };
}

/**
 * @param {Change} change
 * @param {Pair} pair
 * @param {Drawn} before
 * @param {Drawn} after
 */
function changeRow(change, pair, before, after) {
  const item = /** @type {Item} */ (change.after ?? change.before);
  const aspects = change.aspects.map((name) => /** @type {Record<string, string>} */ (ASPECTS)[name] ?? name);
  const labels = /** @type {const} */ (["added", "removed", "changed"])
    .filter((how) => change.labels[how])
    .map((how) => `${SIGNS[how]} ${count(change.labels[how], "label")}`);
  const said = change.status === "changed" ? [...aspects, ...labels].join(", ") : count(item.labels, "label");
  const place = [...item.dataset, item.name].join(" / ");
  return element(
    "li",
    { class: `card changed-item ${change.status}` },
    element(
      "div",
      { class: "row" },
      element("span", { class: `change ${change.status}` }, SAYS[change.status]),
      change.after && pair.to === null ? link(`/images/${item.id}`, place) : element("span", { class: "place" }, place),
      element("span", { class: "quiet" }, said),
    ),
    element(
      "div",
      { class: "pair" },
      ...[side("Before", change.before, pair.from, before), side("After", change.after, pair.to, after)].flatMap(
        (one) => one ?? [],
      ),
    ),
  );
}

/**
 * @param {string} title
 * @param {Item | null} item
 * @param {number | null} version
 * @param {Drawn} drawn
 */
function side(title, item, version, drawn) {
  const words = element("figcaption", { class: "quiet" }, title);
  if (!item) return null;
  const address = version === null ? undefined : `/storage/versions/${version}/images/${item.id}`;
  const name = `${item.name} ${title.toLowerCase()}`;
  const picture = element(
    "div",
    { class: "picture" },
    item.hash === null ? missing(name) : preview(item.id, name, address),
  );
  const image = drawn.images.get(item.id);
  if (image) requestAnimationFrame(() => overlay(picture, image, image.objects, drawn.classes));
  words.textContent = `${title} · ${count(item.labels, "label")}`;
  return element("figure", {}, picture, words);
}
