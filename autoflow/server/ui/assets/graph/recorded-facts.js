// @ts-check
/** What is recorded of the selected run or file beyond its card: how it was made, and from what. */
import { call } from "../api.js";
import { resultText } from "../components/result-plot.js";
import { copyButton, factList, internalLink, timeElement } from "../components/widgets.js";
import { element } from "../dom.js";
import { duration } from "../format.js";

/** @import { CardTexts, FilePage, LinkedEntity, RunPage } from "../contract.js" */
/** @typedef {[string, Node | string | number | null | undefined]} Row */

const FILE_TYPES = ["file", "model_weight", "model"];
const RESULT = "result."; // how the names of facts begin that are final numbers of the run
const MAX_LINKS = 5; // of inputs
const MAX_PARAMETERS = 8;
const COMMIT_LENGTH = 12; // digits that tell commits apart

/** @type {{key: string, section: HTMLElement}} */
let last = { key: "", section: element("div") }; // of the card that is selected: panels are filled again when it loads

/**
 * Make the section about a card, which fills itself; empty for cards that have no more facts.
 * @param {CardTexts} card
 */
export function recordedFacts(card) {
  const key = [card.type, card.id, card.state, card.seen].join("~");
  if (last.key === key) return last.section;
  const section = element("div", { class: "recorded" });
  last = { key, section };
  const isOwn = !card.origin && !card.members && typeof card.id === "number";
  if (isOwn && card.type === "task") void fill(section, runRows(card.id));
  if (isOwn && FILE_TYPES.includes(card.type)) void fill(section, fileRows(card.id));
  return section;
}

/**
 * @param {HTMLElement} section
 * @param {Promise<Row[]>} loading
 */
async function fill(section, loading) {
  try {
    section.replaceChildren(factList(await loading));
  } catch {
    // the card shows what is known of it
  }
}

/** @param {number | string} id @returns {Promise<Row[]>} */
async function runRows(id) {
  return factsOfRun(await call("autoflow.overview.run", { id: Number(id) }));
}

/** @param {RunPage} run @returns {Row[]} */
function factsOfRun(run) {
  const { facts } = run;
  const parameters = Object.entries(facts.parameters ?? {});
  const texts = parameters.slice(0, MAX_PARAMETERS).map(([name, value]) => `${name} = ${plain(value)}`);
  if (parameters.length > MAX_PARAMETERS) texts.push("…");
  const results = Object.entries(facts).flatMap(([name, value]) =>
    name.startsWith(RESULT) && typeof value === "number" ? [`${name.slice(RESULT.length)} = ${resultText(value)}`] : [],
  );
  const commit = typeof facts.commit === "string" ? facts.commit.slice(0, COMMIT_LENGTH) : "";
  return [
    ["Error", run.error ? element("pre", { class: "bad" }, lastLine(run.error)) : null],
    ["Results", lines(results)],
    ["Took", run.finishedAt && run.state !== "lost" ? duration(run.startedAt, run.finishedAt) : ""],
    ["Made from", links(run.inputs, run.inputsTotal)],
    ["Commit", commit ? element("code", {}, `${commit}${facts.dirty ? " + changes" : ""}`) : null],
    ["Parameters", lines(texts)],
  ];
}

/** @param {number | string} id @returns {Promise<Row[]>} */
async function fileRows(id) {
  const file = await call("autoflow.overview.file", { id: Number(id) });
  const writer = file.users.runs.find(({ directions }) => directions.includes("output"));
  /** @type {Row[]} */
  const rows = [["Path", copyable(file)]];
  if (!writer) return [...rows, ["Added by", file.createdBy]];
  const run = await call("autoflow.overview.run", { id: writer.id });
  const link = element("a", { href: `/apps/sessions/${run.id}` }, run.name);
  const made = element("span", {}, link, run.createdBy ? `, ${run.createdBy}, ` : ", ", timeElement(run.finishedAt));
  return [...rows, ["Made by", made], ...factsOfRun(run)];
}

/** @param {FilePage} file */
function copyable(file) {
  return element("span", { class: "path" }, element("code", {}, file.path), copyButton(file.path, "Copy the path"));
}

/**
 * @param {LinkedEntity[]} entities
 * @param {number} total
 */
function links(entities, total) {
  if (!entities.length) return null;
  const items = entities.slice(0, MAX_LINKS).map(({ link, name, badge }) => {
    return element("li", {}, internalLink(link, [name, badge].filter(Boolean).join(" ")));
  });
  if (total > items.length) items.push(element("li", { class: "muted" }, `and ${total - items.length} more`));
  return element("ul", { class: "near" }, ...items);
}

/** @param {string[]} texts */
function lines(texts) {
  return texts.length ? element("ul", { class: "near" }, ...texts.map((text) => element("li", {}, text))) : null;
}

/** @param {unknown} value */
function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** @param {string} text */
function lastLine(text) {
  return text.trim().split("\n").pop() ?? "";
}
