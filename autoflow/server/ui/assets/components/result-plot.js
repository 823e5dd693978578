// @ts-check
/** A plot of the results of runs: for each result a bar a run, and the difference from the first run. */

import { element, svgElement } from "../dom.js";

/** @import { ScoredRun } from "../contract.js" */
/** @typedef {"better" | "worse" | ""} Judgement whether a difference is an improvement; empty if that is unknown */

const HIGHER_IS_BETTER = /(^|[^a-z])(map|ap|acc|accuracy|auc|f1|precision|recall|iou|miou|dice|score|psnr|ssim|r2)/i;
const LOWER_IS_BETTER = /(loss|error|(^|[^a-z])(err|mae|mse|rmse|wer|cer|fid|perplexity)([^a-z]|$))/i;
const BAR = 200; // units of the drawing, of the longest bar
const ROW = 18; // units, of a bar's height

/** The letter of a run in tables and plots. @param {number} index */
export function runLetter(index) {
  return String.fromCharCode(65 + index);
}

/** Format a result so that it can be read and compared. @param {number} value */
export function resultText(value) {
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
}

/**
 * Return whether a difference of a result is an improvement, as its name suggests.
 * @param {string} name
 * @param {number} difference
 * @returns {Judgement}
 */
export function judgement(name, difference) {
  const lower = LOWER_IS_BETTER.test(name);
  if (!difference || (!lower && !HIGHER_IS_BETTER.test(name))) return "";
  return difference > 0 !== lower ? "better" : "worse";
}

/**
 * Plot the results of runs, all names that any run has.
 * @param {ScoredRun[]} runs
 * @param {boolean} comparable whether better and worse mean anything
 */
export function resultPlot(runs, comparable) {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.results)))].sort();
  return element("ul", { class: "plots" }, ...names.map((name) => plot(name, runs, comparable)));
}

/**
 * @param {string} name
 * @param {ScoredRun[]} runs
 * @param {boolean} comparable
 */
function plot(name, runs, comparable) {
  const values = runs.map((run) => run.results[name]);
  const longest = Math.max(...values.map((value) => Math.abs(value ?? 0))) || 1;
  const first = values[0];
  const rows = values.map((value, index) => {
    const difference = index && value !== undefined && first !== undefined ? value - first : null;
    return element(
      "li",
      {},
      element("span", { class: "letter" }, runLetter(index)),
      bar(Math.abs(value ?? 0) / longest, index),
      element("strong", { class: "number" }, value === undefined ? "none" : resultText(value)),
      difference === null ? element("span", {}) : differenceText(name, difference, comparable),
    );
  });
  return element("li", { class: "plot" }, element("h3", {}, name), element("ul", { class: "bars" }, ...rows));
}

/**
 * @param {number} share of the longest bar
 * @param {number} index of the run
 */
function bar(share, index) {
  const width = Math.max(share * BAR, share ? 2 : 0);
  return svgElement(
    "svg",
    { viewBox: `0 0 ${BAR} ${ROW}`, preserveAspectRatio: "none", class: "value-bar", "aria-hidden": "true" },
    svgElement("rect", { class: "track", width: BAR, height: ROW }),
    svgElement("rect", { class: index ? "value" : "value first", width, height: ROW }),
  );
}

/**
 * @param {string} name
 * @param {number} difference
 * @param {boolean} comparable
 */
function differenceText(name, difference, comparable) {
  const judged = comparable ? judgement(name, difference) : "";
  const sign = difference > 0 ? "+" : difference < 0 ? "−" : "±";
  const text = `${sign}${resultText(Math.abs(difference))}`;
  return element("span", { class: `difference ${judged}` }, judged ? `${text} ${judged}` : text);
}
