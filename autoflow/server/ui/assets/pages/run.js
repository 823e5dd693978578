// @ts-check
/** The page of a run: its facts, inputs and outputs, its log, and commands to trace and reproduce it. */

import { call } from "../api.js";
import { changeCounter, pollChanges } from "../components/change-polling.js";
import { resultText } from "../components/result-plot.js";
import { RunLog } from "../components/run-log.js";
import {
  commandLine,
  factList,
  internalLink,
  loadingSkeleton,
  panel,
  stateBadge,
  timeElement,
} from "../components/widgets.js";
import { element } from "../dom.js";
import { entityType } from "../entity-types.js";
import { capitalize, duration } from "../format.js";
import { initPage, showContent, showCrumbs, showError } from "../header.js";

/** @import { LinkedEntity, RunPage } from "../contract.js" */
/** @typedef {RunPage["facts"]} Facts what clients recorded: of any type */

// facts that have a place of their own; all others are listed under "More"
const SHOWN_FACTS = new Set([
  "name",
  "parameters",
  "command",
  "folder",
  "script",
  "python",
  "host",
  "machine",
  "pid",
  "commit",
  "dirty",
  "repository",
  "root",
  "folder_within",
  "script_within",
  "environment",
  "packages",
  "sources",
  "reproduces",
  "attempt",
  "output",
  "unattributed",
  "observed",
]);

const RESULT = "result."; // how the names of facts begin that are final numbers of the run
const LINK = "link."; // and those that are links to other pages about it
const OBSERVED = "observed."; // and those that are files which it opened

const page = initPage();
const id = Number(page.facts.task);
const slots = {
  head: element("header", { class: "head" }),
  notices: element("div", {}),
  left: element("div", {}),
  right: element("div", {}),
};
const log = new RunLog(id);
let shown = ""; // the run as JSON

showContent(loadingSkeleton(3));
try {
  const known = await changeCounter();
  render(await loadRun());
  showContent(
    element(
      "div",
      { class: "page run" },
      slots.head,
      slots.notices,
      element("div", { class: "columns even" }, slots.left, slots.right),
      log.element,
    ),
  );
  await log.load();
  pollChanges({
    known,
    onChange: async () => {
      await log.loadNew();
      const run = await loadRun();
      if (JSON.stringify(run) !== shown) render(run);
    },
  });
} catch (error) {
  showError(error);
}

function loadRun() {
  return call("autoflow.overview.run", { id });
}

/** @param {RunPage} run */
function render(run) {
  shown = JSON.stringify(run);
  showCrumbs([
    { text: "Start", href: "/" },
    { text: run.workspace.name, href: `/workspace/${run.workspace.id}` },
    { text: run.name },
  ]);
  const facts = run.facts;
  const reopenDetails = rememberOpenDetails();
  slots.head.replaceChildren(
    element(
      "div",
      { class: "row" },
      element("h1", {}, run.name),
      stateBadge(run.state),
      element("a", { class: "button", href: `/runs/compare?runs=${run.id}` }, "Compare with the run before"),
      element("a", { class: "button", href: `/task/${run.id}` }, "Open in the workflow"),
    ),
    element(
      "p",
      { class: "muted" },
      "Started ",
      timeElement(run.startedAt),
      ...[runTime(run)].flat(),
      run.attempts > 1 ? ` · ${run.attempts} attempts` : "",
      run.origin ? ` · task ${run.number} of ${run.origin}` : "",
    ),
  );
  slots.notices.replaceChildren(...notices(run));
  slots.left.replaceChildren(
    panel(
      "How it ran",
      factList([
        [
          "Command",
          Array.isArray(facts.command) && facts.command.length ? commandLine(shellCommand(facts.command)) : null,
        ],
        ["Folder", codeOrNull(facts.folder)],
        ["Code", gitFacts(facts)],
        ["Python", typeof facts.python === "string" ? facts.python : null],
        ["Machine", [facts.host, facts.machine].filter((part) => typeof part === "string").join(", ")],
        ["Reproduces", facts.reproduces ? reproducedRun(String(facts.reproduces)) : null],
        ["Number", run.id],
        ["By", run.createdBy],
      ]),
    ),
    ...resultsPanel(facts),
    ...observedPanel(facts),
    ...valueTable(facts.parameters, "Parameters"),
    ...valueTable(facts.environment, "Environment"),
    ...valueTable(facts.output, "Reported output"),
    ...run.otherFacts.flatMap((other) =>
      valueTable(other.facts, `Recorded at ${other.at}${other.createdBy ? ` by ${other.createdBy}` : ""}`),
    ),
    ...packagesPanel(facts),
    ...valueTable(Object.fromEntries(Object.entries(facts).filter(([name]) => !isShown(name))), "More"),
  );
  slots.right.replaceChildren(
    entityPanel("Inputs", run.inputs, run.inputsTotal, "No inputs were recorded."),
    entityPanel("Outputs", run.outputs, run.outputsTotal, "No outputs were recorded."),
    panel(
      "From the command line",
      commandLine(`autoflow trace task:${run.id}`),
      element("p", { class: "muted" }, "Prints everything this run depends on."),
      commandLine(`autoflow reproduce task:${run.id} --run`),
      element("p", { class: "muted" }, "Restores its inputs as new projects, and runs the command on them."),
    ),
  );
  reopenDetails();
}

/** @param {string} name whether a fact has a place of its own */
function isShown(name) {
  return SHOWN_FACTS.has(name) || [RESULT, LINK, OBSERVED].some((start) => name.startsWith(start));
}

/** Show the final numbers of a run and its links to other pages. @param {Facts} facts */
function resultsPanel(facts) {
  /** @type {[string, Node | string][]} */
  const rows = [];
  for (const [name, value] of Object.entries(facts)) {
    if (name.startsWith(RESULT) && typeof value === "number") rows.push([name.slice(RESULT.length), resultText(value)]);
    if (name.startsWith(LINK) && typeof value === "string" && /^https?:\/\//.test(value))
      rows.push([name.slice(LINK.length), element("a", { href: value, rel: "noopener noreferrer" }, value)]);
  }
  return rows.length ? [panel("Results", factList(rows))] : [];
}

/** List the files that a run opened and did not declare. @param {Facts} facts */
function observedPanel(facts) {
  /** @type {[string, string][]} */
  const rows = [];
  for (const [name, fact] of Object.entries(facts)) {
    if (!name.startsWith(OBSERVED) || typeof fact !== "object" || fact === null) continue;
    const { read, written } = /** @type {{ read?: boolean, written?: boolean }} */ (fact);
    rows.push([name.slice(OBSERVED.length), [read && "read", written && "written"].filter(Boolean).join(", ")]);
  }
  return rows.length ? [panel("Opened and not declared", factList(rows))] : [];
}

/** Remember which sections are open. @returns {() => void} opens them again after the page was rendered again */
function rememberOpenDetails() {
  const names = [...slots.left.querySelectorAll("details[open]")].map((section) => section.getAttribute("data-name"));
  return () => {
    for (const section of slots.left.querySelectorAll("details"))
      section.open = names.includes(section.getAttribute("data-name"));
  };
}

/** @param {RunPage} run */
function notices(run) {
  const list = [];
  if (run.error)
    list.push(
      element(
        "section",
        { class: "notice bad", "aria-label": "Error" },
        element("h2", {}, "The run failed"),
        element("pre", {}, element("code", {}, run.error)),
      ),
    );
  if (run.state === "lost")
    list.push(
      element(
        "p",
        { class: "notice" },
        "The process ended without reporting an outcome: it was killed, or its machine stopped.",
      ),
    );
  if (run.state === "ended")
    list.push(
      element("p", { class: "notice" }, "The process was terminated, or exited, before the run reported an outcome."),
    );
  if (run.facts.unattributed)
    list.push(
      element(
        "p",
        { class: "notice" },
        "Unattributed: this run holds records whose run is unknown. Submit work with propagate(fn), or open " +
          "workflow() inside the worker.",
      ),
    );
  return list;
}

/** @param {RunPage} run */
function runTime(run) {
  if (run.state === "running")
    return [
      ` · running for ${duration(run.startedAt, null)}`,
      ...(run.seenAt ? [", last activity ", timeElement(run.seenAt)] : []),
    ];
  return run.finishedAt && run.state !== "lost" ? ` · took ${duration(run.startedAt, run.finishedAt)}` : "";
}

/** @param {unknown} value */
function codeOrNull(value) {
  return typeof value === "string" && value ? element("code", {}, value) : null;
}

/** Quote a command line for a shell. @param {unknown[]} parts */
function shellCommand(parts) {
  return parts
    .map((part) =>
      /^[\w@%+=:,./-]+$/.test(String(part)) ? String(part) : `'${String(part).replaceAll("'", "'\\''")}'`,
    )
    .join(" ");
}

/** @param {Facts} facts */
function gitFacts(facts) {
  if (typeof facts.commit !== "string") return null;
  const line = element("span", {}, element("code", {}, facts.commit.slice(0, 12)));
  if (facts.dirty) line.append(" ", element("span", { class: "status lost" }, "with uncommitted changes"));
  if (typeof facts.repository === "string") line.append(element("br"), element("code", {}, facts.repository));
  return line;
}

/** @param {string} ref as task:5 */
function reproducedRun(ref) {
  const number = /^task:(\d+)$/.exec(ref)?.[1];
  return number ? element("a", { href: `/apps/sessions/${number}` }, `run ${number}`) : ref;
}

/**
 * @param {unknown} values
 * @param {string} title
 */
function valueTable(values, title) {
  if (!values || typeof values !== "object" || !Object.keys(values).length) return [];
  const rows = Object.entries(values).map(([name, value]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", {}, element("code", {}, typeof value === "string" ? value : JSON.stringify(value))),
    ),
  );
  return [
    panel(
      title,
      element("div", { class: "scroll" }, element("table", { "aria-label": title }, element("tbody", {}, ...rows))),
    ),
  ];
}

/** @param {Facts} facts */
function packagesPanel(facts) {
  const all = Object.entries(facts.packages ?? {});
  if (!all.length) return [];
  const sources = new Map(Object.entries(facts.sources ?? {}));
  const rows = all.map(([name, version]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", {}, String(version)),
      element("td", {}, sources.has(name) ? element("code", {}, String(sources.get(name))) : ""),
    ),
  );
  const table = element("table", { "aria-label": "Packages" }, element("tbody", {}, ...rows));
  return [
    element(
      "section",
      { class: "card panel" },
      element(
        "details",
        { "data-name": "packages" },
        element("summary", {}, element("h2", {}, `Packages (${all.length})`)),
        element("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Packages" }, table),
      ),
    ),
  ];
}

/**
 * @param {string} title
 * @param {LinkedEntity[]} entities
 * @param {number} total
 * @param {string} placeholder
 */
function entityPanel(title, entities, total, placeholder) {
  if (!entities.length) return panel(title, element("p", { class: "muted" }, placeholder));
  const list = element("ul", { class: "lines" });
  for (const entity of entities) {
    const type = capitalize(entityType(entity.type).label);
    const name = internalLink(
      entity.type === "folder" && !entity.origin
        ? `/files?${new URLSearchParams({ path: String(entity.id) })}`
        : entity.link,
      entity.name,
    );
    const item = element("li", {}, element("span", { class: "kind muted" }, type), name);
    if (entity.badge) item.append(element("span", { class: "badge" }, entity.badge));
    if (entity.origin) item.append(element("span", { class: "muted" }, `of ${entity.origin}`));
    list.append(item);
  }
  const section = panel(`${title} (${total})`, list);
  const more = total - entities.length;
  if (more > 0) section.append(element("p", { class: "muted" }, `and ${more.toLocaleString("en")} more`));
  return section;
}
