// @ts-check
/** Tables of compared runs: one of the runs themselves, and one a kind of values, of those that differ. */

import { drawnIcon, element } from "../dom.js";
import { duration } from "../format.js";
import { runLetter } from "./result-plot.js";
import { panel, stateBadge, timeElement } from "./widgets.js";

/** @import { CompareRunsResponse, ScoredRun } from "../contract.js" */

const COMMIT_LENGTH = 12; // digits that tell commits apart

/**
 * Make the table of the compared runs.
 * @param {ScoredRun[]} runs
 * @param {(id: number) => void} remove leaves a run out
 */
export function runTable(runs, remove) {
  const rows = runs.map((run, index) => {
    const drop = element(
      "button",
      { type: "button", class: "plain", "aria-label": `Leave out run ${run.id}` },
      drawnIcon("M6 6l12 12M18 6L6 18"),
    );
    drop.addEventListener("click", () => remove(run.id));
    const link = element("a", { href: `/apps/sessions/${run.id}` }, run.name);
    return element(
      "tr",
      {},
      element(
        "th",
        { scope: "row" },
        element("span", { class: index ? "letter" : "letter first" }, runLetter(index)),
        " ",
        link,
        element("span", { class: "muted" }, ` run ${run.id}`),
      ),
      element("td", {}, stateBadge(run.state)),
      element("td", {}, timeElement(run.startedAt)),
      element("td", { class: "wide" }, run.finishedAt ? duration(run.startedAt, run.finishedAt) : ""),
      element("td", { class: "wide" }, run.createdBy ?? ""),
      element("td", {}, runs.length > 2 ? drop : ""),
    );
  });
  const names = ["Run", "Status", "Started", "Took", "By"];
  const head = names.map((name) =>
    element("th", { scope: "col", class: ["Took", "By"].includes(name) ? "wide" : null }, name),
  );
  return element(
    "div",
    { class: "scroll card flush panel" },
    element(
      "table",
      { "aria-label": "Compared runs" },
      element("thead", {}, element("tr", {}, ...head, element("td", {}))),
      element("tbody", {}, ...rows),
    ),
  );
}

/**
 * Make the panel of values that differ, with a column for each run; values unlike the first run's are marked.
 * @param {string} title
 * @param {ScoredRun[]} runs
 * @param {CompareRunsResponse[]} comparisons of the first run with each of the others
 * @param {"parameters" | "code" | "packages"} kind
 */
export function comparisonTable(title, runs, comparisons, kind) {
  const names = [...new Set(comparisons.flatMap((comparison) => comparison[kind].map(({ name }) => name)))].sort();
  if (!names.length) return [panel(title, element("p", { class: "muted" }, "The same, or not recorded."))];
  const rows = names.map((name) => {
    const different = comparisons.map((comparison) => comparison[kind].find((value) => value.name === name));
    const first = different.find((value) => value !== undefined)?.first ?? null;
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", {}, valueText(name, first)),
      ...different.map((value) =>
        element(
          "td",
          {},
          value ? element("mark", {}, valueText(name, value.second)) : element("span", { class: "muted" }, "same"),
        ),
      ),
    );
  });
  const letters = runs.map((_, index) => element("th", { scope: "col" }, runLetter(index)));
  const table = element(
    "table",
    { "aria-label": title },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Name"), ...letters)),
    element("tbody", {}, ...rows),
  );
  return [panel(title, element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title }, table))];
}

/**
 * @param {string} name
 * @param {string | number | null} value
 */
function valueText(name, value) {
  if (value === null) return "none";
  return name === "commit" ? String(value).slice(0, COMMIT_LENGTH) : String(value);
}
