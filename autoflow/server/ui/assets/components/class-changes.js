// @ts-check
/** The table of classes of two versions: labels and images of each, before and after. */

import { call } from "../api.js";
import { element } from "../dom.js";
import { colourSwatch, panel } from "./widgets.js";

/** @import { ClassCounts, ClassCountsResponse, UseCounts } from "../contract.js" */
/** @import { VersionPair } from "./version-diff.js" */

const AUTOMATIC_BATCHES = 20; // of a thousand images, counted without a click

/**
 * Make the panel, and count batch by batch.
 * @param {VersionPair} pair
 * @param {AbortSignal} signal
 */
export function classChanges(pair, signal) {
  const body = element("tbody");
  const progress = element("p", { class: "muted class-progress", role: "status" }, "Counting labels …");
  const heads = ["Class", "Labels", "Images"].map((name) =>
    element("th", { scope: "col", colspan: name === "Class" ? 1 : 2 }, name),
  );
  const table = element(
    "table",
    { class: "class-changes", "aria-label": "Labels and images of each class" },
    element("thead", {}, element("tr", {}, ...heads)),
    body,
  );
  const section = panel("Classes before → after", element("div", { class: "scroll" }, table), progress);
  /** @type {Map<number, ClassCounts>} */
  const totals = new Map();
  let after = /** @type {number | null} */ (0);
  let showsAll = false;
  const render = () => {
    const classes = [...totals.values()];
    const changed = classes.filter(isChanged);
    body.replaceChildren(...(showsAll || !changed.length ? classes : changed).map(classRow));
    section.hidden = !classes.length;
    progress.replaceChildren();
    const equal = classes.length - changed.length;
    if (after !== null) progress.append("Counting labels …");
    else if (!changed.length) progress.append("Every class has as many labels and images as before.");
    else if (equal && !showsAll) {
      const more = element("button", { type: "button" }, `Show ${equal} unchanged`);
      more.addEventListener("click", () => {
        showsAll = true;
        render();
      });
      progress.append(more);
    }
  };
  const load = async (/** @type {number} */ batches) => {
    try {
      for (let batch = 0; after !== null && batch < batches; batch += 1) {
        const response = await call("autoflow.versions.classes", { from: pair.from, to: pair.to, after }, signal);
        add(totals, response);
        after = response.after;
        render();
      }
    } catch {
      if (!signal.aborted) progress.textContent = "The labels of each class could not be counted. Reload the page.";
      return;
    }
    if (after === null) return;
    const rest = element("button", { type: "button" }, "Count the rest");
    rest.addEventListener("click", () => void load(Infinity));
    progress.replaceChildren("Counted in a part of the images. ", rest);
  };
  void load(AUTOMATIC_BATCHES);
  return section;
}

/**
 * Add the counts of a batch.
 * @param {Map<number, ClassCounts>} totals
 * @param {ClassCountsResponse} response
 */
function add(totals, response) {
  for (const row of response.classes) {
    const total = totals.get(row.id);
    if (total) {
      row.before = sum(total.before, row.before);
      row.after = sum(total.after, row.after);
    }
    totals.set(row.id, row);
  }
}

/**
 * @param {UseCounts | null} first
 * @param {UseCounts | null} second
 */
function sum(first, second) {
  return first && second
    ? { objects: first.objects + second.objects, images: first.images + second.images }
    : (first ?? second);
}

/** @param {ClassCounts} row */
function isChanged({ before, after }) {
  return !before || !after || before.objects !== after.objects || before.images !== after.images;
}

/** @param {ClassCounts} row */
function classRow(row) {
  const note = row.before ? (row.after ? "" : "removed") : "new";
  return element(
    "tr",
    {},
    element(
      "th",
      { scope: "row" },
      element("span", { class: "label" }, colourSwatch(row.color), element("span", { class: "name" }, row.title)),
      note ? element("span", { class: `change ${note === "new" ? "added" : "removed"}` }, note) : "",
    ),
    ...countCells(row, "objects"),
    ...countCells(row, "images"),
  );
}

/**
 * @param {ClassCounts} row
 * @param {"objects" | "images"} name
 */
function countCells({ before, after }, name) {
  const [first, second] = [before?.[name] ?? 0, after?.[name] ?? 0];
  const difference = second - first;
  const status = difference > 0 ? "added" : "removed";
  const sides = `${first.toLocaleString("en")} → ${second.toLocaleString("en")}`;
  const text = `${difference > 0 ? "+" : "−"}${Math.abs(difference).toLocaleString("en")}`;
  return [
    element("td", { class: "number" }, difference ? sides : first.toLocaleString("en")),
    element("td", { class: "number" }, difference ? element("span", { class: `change ${status}` }, text) : ""),
  ];
}
