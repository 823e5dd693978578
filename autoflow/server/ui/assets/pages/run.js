// @ts-check
/** A run: how it ran, what it read and wrote, its log, and the commands that trace it and run it again. */

import { call } from "../api.js";
import { follow } from "../components/change-polling.js";
import { RunLog } from "../components/run-log.js";
import { command, factList, lasting, link, panel, stateBadge, time, waiting } from "../components/widgets.js";
import { count, element } from "../dom.js";
import { begin, crumbs, failed, show } from "../header.js";

/**
 * @typedef {{type: string, id: number | string, origin: string, name: string, detail: string | null, badge: string | null,
 *   link: string | null, at: string, createdBy: string | null}} Thing
 * @typedef {Record<string, any>} Facts
 * @typedef {{id: number, name: string, state: string, startedAt: string, finishedAt: string | null, number: number,
 *   origin: string, seenAt: string | null, app: {id: number, name: string} | null, workspace: {id: number, name: string}, error: string | null,
 *   facts: Facts, attempts: number, inputs: Thing[], outputs: Thing[], inputsTotal: number, outputsTotal: number,
 *   log: number, createdBy: string | null,
 *   otherFacts: {at: string, createdBy: string | null, facts: Facts}[]}} Run
 */

const WORDS = {
  project: "Project",
  project_version: "Version",
  dataset: "Dataset",
  file: "File",
  model_weight: "Model weights",
  folder: "Folder",
  task: "Run",
  job: "Labeling job",
  app_session: "Session",
};
const KNOWN = new Set([
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
]);

const { facts } = begin();
const id = Number(facts.task);
const places = {
  head: element("header", { class: "head" }),
  notes: element("div", {}),
  left: element("div", {}),
  right: element("div", {}),
};
const log = new RunLog(id);

show(waiting(3));
try {
  draw(await read());
  show(
    element(
      "div",
      { class: "page run" },
      places.head,
      places.notes,
      element("div", { class: "columns even" }, places.left, places.right),
      log.element,
    ),
  );
  await log.begin();
  follow(async () => {
    if (await log.more()) return;
    draw(await read());
  });
} catch (error) {
  failed(error);
}

/** @returns {Promise<Run>} */
function read() {
  return call("autoflow.overview.run", { id });
}

/** @param {Run} run */
function draw(run) {
  crumbs([
    { text: "Start", href: "/" },
    { text: run.workspace.name, href: `/workspace/${run.workspace.id}` },
    { text: run.name },
  ]);
  const told = run.facts;
  const open = holdOpen();
  places.head.replaceChildren(
    element(
      "div",
      { class: "row" },
      element("h1", {}, run.name),
      stateBadge(run.state),
      element("a", { class: "button", href: `/task/${run.id}` }, "Open in the workflow"),
    ),
    element(
      "p",
      { class: "quiet" },
      "Started ",
      time(run.startedAt),
      ...[took(run)].flat(),
      run.attempts > 1 ? ` · ${run.attempts} attempts` : "",
      run.origin ? ` · task ${run.number} of ${run.origin}` : "",
    ),
  );
  places.notes.replaceChildren(...notes(run));
  places.left.replaceChildren(
    panel(
      "How it ran",
      factList([
        ["Command", told.command?.length ? command(words(told.command)) : null],
        ["Folder", code(told.folder)],
        ["Code", git(told)],
        ["Python", told.python],
        ["Machine", [told.host, told.machine].filter((one) => typeof one === "string").join(", ")],
        ["Run of", told.reproduces ? again(String(told.reproduces)) : null],
        ["Number", run.id],
        ["By", run.createdBy],
      ]),
    ),
    ...parameters(told.parameters, "Parameters"),
    ...parameters(told.environment, "Environment"),
    ...parameters(told.output, "Output it told"),
    ...run.otherFacts.flatMap((other) =>
      parameters(other.facts, `Said at ${other.at}${other.createdBy ? ` by ${other.createdBy}` : ""}`),
    ),
    ...packages(told),
    ...parameters(Object.fromEntries(Object.entries(told).filter(([name]) => !KNOWN.has(name))), "More"),
  );
  places.right.replaceChildren(
    things("Inputs", run.inputs, run.inputsTotal, "It read nothing that was recorded."),
    things("Outputs", run.outputs, run.outputsTotal, "It wrote nothing that was recorded."),
    panel(
      "From the command line",
      command(`autoflow trace task:${run.id}`),
      element("p", { class: "quiet" }, "prints everything this run came from;"),
      command(`autoflow reproduce task:${run.id} --run`),
      element("p", { class: "quiet" }, "restores what it read as new projects, and runs the command on them."),
    ),
  );
  open();
}

/** @returns {() => void} opens again what was open before what is shown was made anew */
function holdOpen() {
  const names = [...places.left.querySelectorAll("details[open]")].map((one) => one.getAttribute("data-name"));
  return () => {
    for (const one of places.left.querySelectorAll("details")) one.open = names.includes(one.getAttribute("data-name"));
  };
}

/** @param {Run} run */
function notes(run) {
  const found = [];
  if (run.error)
    found.push(
      element(
        "section",
        { class: "notice bad", "aria-label": "Error" },
        element("h2", {}, "It failed"),
        element("pre", {}, element("code", {}, run.error)),
      ),
    );
  if (run.state === "lost")
    found.push(
      element("p", { class: "notice" }, "Its process ended without a word: it was killed, or its machine stopped."),
    );
  if (run.state === "ended")
    found.push(element("p", { class: "notice" }, "Its process was ended, or left, before it said how it went."));
  if (run.facts.unattributed)
    found.push(
      element(
        "p",
        { class: "notice" },
        "Unattributed: it holds records of which it is not known what run caused them. Submit work with propagate(fn), or open workflow() inside the worker.",
      ),
    );
  return found;
}

/** @param {Run} run */
function took(run) {
  if (run.state === "running")
    return [
      ` · running for ${lasting(run.startedAt, null)}`,
      ...(run.seenAt ? [", last sign of life ", time(run.seenAt)] : []),
    ];
  return run.finishedAt && run.state !== "lost" ? ` · took ${lasting(run.startedAt, run.finishedAt)}` : "";
}

/** @param {unknown} value */
function code(value) {
  return typeof value === "string" && value ? element("code", {}, value) : null;
}

/** @param {unknown[]} parts of a command line, as a shell takes them */
function words(parts) {
  return parts
    .map((part) =>
      /^[\w@%+=:,./-]+$/.test(String(part)) ? String(part) : `'${String(part).replaceAll("'", "'\\''")}'`,
    )
    .join(" ");
}

/** @param {Facts} told */
function git(told) {
  if (typeof told.commit !== "string") return null;
  const part = element("span", {}, element("code", {}, told.commit.slice(0, 12)));
  if (told.dirty) part.append(" ", element("span", { class: "status lost" }, "with changes that were not committed"));
  if (typeof told.repository === "string") part.append(element("br"), element("code", {}, told.repository));
  return part;
}

/** @param {string} ref as task:5 */
function again(ref) {
  const number = /^task:(\d+)$/.exec(ref)?.[1];
  return number ? element("a", { href: `/apps/sessions/${number}` }, `run ${number}, once more`) : ref;
}

/**
 * @param {unknown} values
 * @param {string} title
 */
function parameters(values, title) {
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

/** @param {Facts} told */
function packages(told) {
  const all = Object.entries(told.packages ?? {});
  if (!all.length) return [];
  const sources = told.sources ?? {};
  const rows = all.map(([name, version]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", {}, String(version)),
      element("td", {}, sources[name] ? element("code", {}, String(sources[name])) : ""),
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
 * @param {Thing[]} found
 * @param {number} total
 * @param {string} nothing
 */
function things(title, found, total, nothing) {
  if (!found.length) return panel(title, element("p", { class: "quiet" }, nothing));
  const list = element("ul", { class: "lines" });
  for (const one of found) {
    const kind = /** @type {Record<string, string>} */ (WORDS)[one.type] ?? one.type;
    const name = link(
      one.type === "folder" && !one.origin ? `/files?${new URLSearchParams({ path: String(one.id) })}` : one.link,
      one.name,
    );
    const item = element("li", {}, element("span", { class: "kind quiet" }, kind), name);
    if (one.badge) item.append(element("span", { class: "badge" }, one.badge));
    if (one.origin) item.append(element("span", { class: "quiet" }, `of ${one.origin}`));
    list.append(item);
  }
  const part = panel(`${title} (${total})`, list);
  if (total > found.length)
    part.append(element("p", { class: "quiet" }, `and ${count(total - found.length, "more thing")}`));
  return part;
}
