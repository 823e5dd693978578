// @ts-check
/** The page that compares runs with the first of them: their data, results, parameters, code and packages. */

import { call } from "../api.js";
import { comparisonTable, runTable } from "../components/comparison-tables.js";
import { dataPanel, verdict, versionChanges } from "../components/data-change.js";
import { resultPlot, runLetter } from "../components/result-plot.js";
import { loadingSkeleton, panel } from "../components/widgets.js";
import { element } from "../dom.js";
import { count } from "../format.js";
import { emptyState, initPage, showContent, showCrumbs, showError } from "../header.js";

/** @import { CompareRunsResponse, ScoredRun } from "../contract.js" */
/** @typedef {import("../components/data-change.js").Verdict} Verdict */
/** @typedef {import("../components/data-change.js").VersionChange} VersionChange */

const MAX_RUNS = 8; // columns that can be read
const MAX_OFFERED = 100; // runs in the list to choose from

const { query } = initPage();
showContent(loadingSkeleton(3));
try {
  await load(await requestedRuns());
} catch (error) {
  showError(error);
}

/** Return the numbers of the runs in the address: those of runs=, and those that wrote the files of files=. */
async function requestedRuns() {
  const files = await Promise.all(numbers("files").map((id) => call("autoflow.overview.file", { id })));
  const writers = files.flatMap(({ users }) => {
    const writer = users.runs.find(({ directions }) => directions.includes("output"));
    return writer ? [writer.id] : [];
  });
  return [...new Set([...numbers("runs"), ...writers])].slice(0, MAX_RUNS);
}

/** @param {string} name of a list in the address, as 1,2,3 */
function numbers(name) {
  const words = (query.get(name) ?? "").split(",");
  return words.map(Number).filter((number) => Number.isInteger(number) && number > 0);
}

/** @param {number[]} ids of the runs; a single one is compared with the one before it of the same name */
async function load(ids) {
  const offered = (await call("autoflow.runs.search", { limit: MAX_OFFERED })).runs;
  const [only] = ids;
  if (only !== undefined && ids.length === 1) {
    const name = (await call("autoflow.overview.run", { id: only })).name;
    const earlier = offered.find((run) => run.name === name && run.id < only);
    if (earlier) ids = [earlier.id, only];
  }
  history.replaceState(null, "", ids.length ? `?runs=${ids.join(",")}` : location.pathname);
  const [first, ...others] = ids;
  const comparisons = await Promise.all(
    others.map((second) => call("autoflow.runs.compare", { first: first ?? 0, second })),
  );
  const changes = await Promise.all(comparisons.map((comparison) => versionChanges(comparison)));
  render(ids, comparisons, changes, offered);
}

/**
 * @param {number[]} ids
 * @param {CompareRunsResponse[]} comparisons of the first run with each of the others
 * @param {VersionChange[][]} changes of their data
 * @param {ScoredRun[]} offered
 */
function render(ids, comparisons, changes, offered) {
  showCrumbs([{ text: "Start", href: "/" }, { text: "Compare runs" }]);
  const baseline = comparisons[0]?.first;
  const title = baseline ? `${count(ids.length, "run")} compared` : "Compare runs";
  const head = element("header", { class: "head row" }, element("h1", {}, title), runSelect(ids, offered));
  if (!baseline) {
    const hint = "Choose a run above, or tick runs on the start page. They are compared with the first one chosen.";
    showContent(element("div", { class: "page" }, head, emptyState("Choose two runs", hint)));
    return;
  }
  const runs = [baseline, ...comparisons.map(({ second }) => second)];
  const verdicts = comparisons.map((comparison, index) => verdict(comparison, changes[index] ?? []));
  const comparable = verdicts.every((each) => each.comparable !== false);
  const results = runs.some((run) => Object.keys(run.results).length)
    ? resultPlot(runs, comparable)
    : element("p", { class: "muted" }, "None of them recorded results: return them, or report them by run.result().");
  showContent(
    element(
      "div",
      { class: "page comparison" },
      head,
      runTable(runs, (id) => load(ids.filter((other) => other !== id)).catch(showError)),
      ...verdicts.map((each, index) => verdictNotice(each, index + 1, runs.length)),
      panel("Results", results),
      panel("Data", ...comparisons.map((comparison, index) => dataOf(comparison, changes[index] ?? [], index + 1))),
      ...comparisonTable("Parameters", runs, comparisons, "parameters"),
      ...comparisonTable("Code", runs, comparisons, "code"),
      ...comparisonTable("Packages", runs, comparisons, "packages"),
    ),
  );
}

/**
 * @param {Verdict} each
 * @param {number} index of the run
 * @param {number} total
 */
function verdictNotice(each, index, total) {
  const kind = each.comparable === true ? "good" : each.comparable === false ? "bad" : "";
  const runs = total > 2 ? `${runLetter(0)} and ${runLetter(index)}: ` : "";
  return element("p", { class: `notice ${kind}` }, runs, each.text);
}

/**
 * @param {CompareRunsResponse} comparison
 * @param {VersionChange[]} changes
 * @param {number} index of the run
 */
function dataOf(comparison, changes, index) {
  const title = element("h3", {}, `${runLetter(0)} → ${runLetter(index)}`);
  const nothing = comparison.same.length + comparison.onlyFirst.length + comparison.onlySecond.length === 0;
  const content = nothing
    ? element("p", { class: "muted" }, "Neither recorded the data that it read.")
    : dataPanel(comparison, changes, index);
  return element("section", {}, title, content);
}

/**
 * Make the list that adds a run.
 * @param {number[]} ids of those compared
 * @param {ScoredRun[]} offered
 */
function runSelect(ids, offered) {
  const select = element("select", { "aria-label": "Add a run" }, element("option", { value: "" }, "Add a run …"));
  for (const run of offered)
    if (!ids.includes(run.id)) select.append(element("option", { value: run.id }, `${run.name} · run ${run.id}`));
  select.disabled = ids.length >= MAX_RUNS;
  select.addEventListener("change", () => {
    load([...ids, Number(select.value)]).catch(showError);
  });
  return select;
}
