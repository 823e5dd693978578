// @ts-check
/** The start: workspaces, the projects changed last, the latest runs; it follows what is recorded. */

import { call } from "../api.js";
import { follow } from "../components/change-polling.js";
import { preview } from "../components/thumbnails.js";
import { goingOn, lasting, stateBadge, time, waiting } from "../components/widgets.js";
import { count, element } from "../dom.js";
import { begin, crumbs, emptyState, failed, show } from "../header.js";

/**
 * @typedef {{id: number, name: string, description: string, team: string, projects: number, runs: number}} Workspace
 * @typedef {{id: number, name: string, description: string, images: number, datasets: number, versions: number,
 *   updatedAt: string, previews: number[], type: string}} Project
 * @typedef {{id: number, name: string, state: string, startedAt: string, finishedAt: string | null, inputs: number,
 *   outputs: number}} Run
 * @typedef {{projects: Project[], next: object | null}} Projects
 * @typedef {{runs: Run[], next: number | null}} Runs
 */

const SHOWN = 12; // projects and runs at first

begin();
crumbs([{ text: "Start" }], "Start");

/** @param {Workspace} one */
function workspaceCard(one) {
  return element(
    "li",
    { class: "card workspace" },
    element("h3", {}, element("a", { href: `/workspace/${one.id}` }, one.name)),
    element("p", { class: "quiet" }, one.team),
    element("p", {}, `${count(one.projects, "project")} · ${count(one.runs, "run")}`),
    element("span", { class: "quiet" }, "Open the workflow"),
  );
}

/** @param {Project} one */
function projectCard(one) {
  const pictures = element("div", { class: `mosaic of-${Math.max(1, one.previews.length)}` });
  for (const number of one.previews) pictures.append(preview(number, ""));
  if (!one.previews.length) pictures.append(element("span", { class: "quiet" }, "No pictures"));
  const facts = [count(one.images, "image"), count(one.datasets, "dataset")];
  if (one.versions) facts.push(count(one.versions, "version"));
  return element(
    "li",
    { class: "card project" },
    pictures,
    element("h3", {}, element("a", { href: `/projects/${one.id}` }, one.name)),
    element("p", {}, facts.join(" · ")),
    element("p", { class: "quiet" }, "Changed ", time(one.updatedAt)),
  );
}

/** @param {Run} one */
function runRow(one) {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("a", { href: `/apps/sessions/${one.id}` }, one.name)),
    element("td", {}, stateBadge(one.state)),
    element("td", {}, time(one.startedAt)),
    element("td", { class: "wide" }, one.state === "lost" ? "" : lasting(one.startedAt, one.finishedAt)),
    element("td", { class: "number" }, String(one.inputs)),
    element("td", { class: "number" }, String(one.outputs)),
    element(
      "td",
      { class: "wide" },
      element("a", { href: `/task/${one.id}`, "aria-label": `Workflow of ${one.name}, run ${one.id}` }, "Workflow"),
    ),
  );
}

/** @param {Projects} first */
function projectPart(first) {
  const list = element("ul", { class: "cards" }, ...first.projects.map(projectCard));
  let next = first.next;
  const load = async () => {
    const part = /** @type {Projects} */ (await call("autoflow.overview.projects", { after: next }));
    list.append(...part.projects.map(projectCard));
    next = part.next;
    return next !== null;
  };
  return goingOn(list, load, next !== null);
}

/** @param {Runs} first */
function runPart(first) {
  const body = element("tbody", {}, ...first.runs.map(runRow));
  const head = [
    ["Run", ""],
    ["Status", ""],
    ["Started", ""],
    ["Took", "wide"],
    ["Inputs", "number"],
    ["Outputs", "number"],
    ["Workflow", "wide"],
  ].map(([name, kind]) => element("th", { scope: "col", class: kind || null }, name ?? ""));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...head)), body);
  let next = first.next;
  const load = async () => {
    const part = /** @type {Runs} */ (await call("autoflow.overview.runs", { before: next }));
    body.append(...part.runs.map(runRow));
    next = part.next;
    return next !== null;
  };
  return goingOn(element("div", { class: "scroll card flush" }, table), load, next !== null);
}

/** @param {{workspaces: Workspace[], projects: Projects, runs: Runs}} shown */
function draw(shown) {
  const nothing = !shown.projects.projects.length && !shown.runs.runs.length;
  const parts = [
    element("h1", {}, "Start"),
    element(
      "section",
      { "aria-labelledby": "workspaces" },
      element("h2", { id: "workspaces" }, "Workspaces"),
      element("ul", { class: "cards small" }, ...shown.workspaces.map(workspaceCard)),
    ),
  ];
  if (nothing) {
    const words =
      "Run an app with @workflow_input and @workflow_output, or with the Supervisely SDK, against this server: its data and its runs stand here.";
    const example = element(
      "pre",
      { class: "card" },
      element("code", {}, `AUTOFLOW_SERVER=${location.origin} python train.py`),
    );
    parts.push(emptyState("Nothing was recorded yet", words, example));
  } else {
    parts.push(
      element(
        "section",
        { "aria-labelledby": "projects" },
        element("h2", { id: "projects" }, "Projects"),
        some(shown.projects.projects.length, projectPart(shown.projects), "No projects yet."),
      ),
      element(
        "section",
        { "aria-labelledby": "runs" },
        element("h2", { id: "runs" }, "Recent runs"),
        some(shown.runs.runs.length, runPart(shown.runs), "No app has run yet."),
      ),
    );
  }
  show(element("div", { class: "page start" }, ...parts));
}

/**
 * @param {number} many
 * @param {HTMLElement} part
 * @param {string} nothing
 */
function some(many, part, nothing) {
  return many ? part : element("p", { class: "quiet" }, nothing);
}

async function load() {
  draw(await call("autoflow.overview.start", { limit: SHOWN }));
}

show(waiting(4));
try {
  await load();
  follow(async () => {
    // who works on the page, or has gone further down a list, is left alone
    const busy = document.activeElement && document.activeElement !== document.body;
    if (!busy && scrollY === 0) await load();
  });
} catch (error) {
  failed(error);
}
