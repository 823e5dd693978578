// @ts-check
/** The start page: what happened this week, workspaces, the projects changed last, the latest runs. */

import { call } from "../api.js";
import { changeCounter, pollChanges } from "../components/change-polling.js";
import { recentSection } from "../components/recent.js";
import { thumbnail } from "../components/thumbnails.js";
import { infiniteList, loadingSkeleton, stateBadge, timeElement } from "../components/widgets.js";
import { element } from "../dom.js";
import { count, duration, itemNoun } from "../format.js";
import { emptyState, initPage, showContent, showCrumbs, showError } from "../header.js";

/** @import { ListedProject, ListedRun, ListedWorkspace, ProjectList } from "../contract.js" */
/** @import { RecentResponse, RunList, StartPage } from "../contract.js" */

const PAGE_SIZE = 12; // projects and runs shown at first

initPage();
showCrumbs([{ text: "Start" }], "Start");

/** @param {ListedWorkspace} workspace */
function workspaceCard(workspace) {
  return element(
    "li",
    { class: "card workspace" },
    element("h3", {}, element("a", { href: `/workspace/${workspace.id}` }, workspace.name)),
    element("p", { class: "muted" }, workspace.team),
    element("p", {}, `${count(workspace.projects, "project")} · ${count(workspace.runs, "run")}`),
    element("span", { class: "muted" }, "Open the workflow"),
  );
}

/** @param {ListedProject} project */
function projectCard(project) {
  const pictures = element("div", { class: `mosaic count-${Math.max(1, project.previews.length)}` });
  for (const number of project.previews) pictures.append(thumbnail(number, ""));
  if (!project.previews.length) pictures.append(element("span", { class: "muted" }, "No pictures"));
  const facts = [count(project.images, itemNoun(project)), count(project.datasets, "dataset")];
  if (project.versions) facts.push(count(project.versions, "version"));
  return element(
    "li",
    { class: "card project" },
    pictures,
    element("h3", {}, element("a", { href: `/projects/${project.id}` }, project.name)),
    element("p", {}, facts.join(" · ")),
    element("p", { class: "muted" }, "Changed ", timeElement(project.updatedAt)),
  );
}

/** @param {ListedRun} run */
function runRow(run) {
  const name = `Compare ${run.name}, run ${run.id}`;
  const pick = element("input", { type: "checkbox", value: run.id, "aria-label": name });
  return element(
    "tr",
    {},
    element("td", { class: "pick" }, pick),
    element("th", { scope: "row" }, element("a", { href: `/apps/sessions/${run.id}` }, run.name)),
    element("td", {}, stateBadge(run.state)),
    element("td", {}, timeElement(run.startedAt)),
    element("td", { class: "wide" }, run.state === "lost" ? "" : duration(run.startedAt, run.finishedAt)),
    element("td", { class: "number wide" }, String(run.inputs)),
    element("td", { class: "number wide" }, String(run.outputs)),
    element(
      "td",
      { class: "wide" },
      element("a", { href: `/task/${run.id}`, "aria-label": `Workflow of ${run.name}, run ${run.id}` }, "Workflow"),
    ),
  );
}

/** @param {ProjectList} first */
function projectList(first) {
  const list = element("ul", { class: "cards" }, ...first.projects.map(projectCard));
  let next = first.next;
  const load = async () => {
    const page = await call("autoflow.overview.projects", { after: next });
    list.append(...page.projects.map(projectCard));
    next = page.next;
    return next !== null;
  };
  return infiniteList(list, load, next !== null);
}

/** @param {RunList} first */
function runTable(first) {
  const body = element("tbody", {}, ...first.runs.map(runRow));
  const head = [
    ["Run", ""],
    ["Status", ""],
    ["Started", ""],
    ["Took", "wide"],
    ["Inputs", "number wide"],
    ["Outputs", "number wide"],
    ["Workflow", "wide"],
  ].map(([name, kind]) => element("th", { scope: "col", class: kind || null }, name ?? ""));
  const pick = element("th", { scope: "col", class: "pick" }, element("span", { class: "visually-hidden" }, "Compare"));
  const table = element("table", {}, element("thead", {}, element("tr", {}, pick, ...head)), body);
  let next = first.next;
  const load = async () => {
    const page = await call("autoflow.overview.runs", { before: next });
    body.append(...page.runs.map(runRow));
    next = page.next;
    return next !== null;
  };
  const list = infiniteList(element("div", { class: "scroll card flush" }, table), load, next !== null);
  return element("div", {}, list, compareBar(table));
}

/** Make the bar that leads to the comparison of the runs ticked in a table. @param {HTMLElement} table */
function compareBar(table) {
  const link = element("a", { class: "button primary" }, "Compare");
  const text = element("span", { role: "status" });
  const bar = element("div", { class: "card row compare-bar", hidden: true }, text, link);
  table.addEventListener("change", () => {
    const boxes = [...table.querySelectorAll("input")].filter((box) => box.checked);
    const ids = boxes.map(({ value }) => Number(value)).sort((first, second) => first - second);
    bar.hidden = !ids.length;
    text.textContent = ids.length === 1 ? "Tick another run to compare them" : `${count(ids.length, "run")} ticked`;
    link.hidden = ids.length < 2;
    link.href = `/runs/compare?runs=${ids.join(",")}`;
  });
  return bar;
}

/**
 * @param {StartPage} start
 * @param {RecentResponse} recent
 */
function render(start, recent) {
  const empty = !start.projects.projects.length && !start.runs.runs.length;
  const audit = start.isAdmin ? [element("a", { class: "button", href: "/audit" }, "Audit log")] : [];
  const sections = [
    element("div", { class: "row title" }, element("h1", {}, "Start"), ...audit),
    ...(empty ? [] : [recentSection(recent)]),
    element(
      "section",
      { "aria-labelledby": "workspaces" },
      element("h2", { id: "workspaces" }, "Workspaces"),
      element("ul", { class: "cards small" }, ...start.workspaces.map(workspaceCard)),
    ),
  ];
  if (empty) {
    const hint =
      "Run an app with @workflow_input and @workflow_output, or with the Supervisely SDK, against this server. " +
      "Its runs and data then appear here.";
    const example = element(
      "pre",
      { class: "card" },
      element("code", {}, `AUTOFLOW_SERVER=${location.origin} python train.py`),
    );
    sections.push(emptyState("Nothing is recorded yet", hint, example));
  } else {
    sections.push(
      element(
        "section",
        { "aria-labelledby": "projects" },
        element("h2", { id: "projects" }, "Projects"),
        orPlaceholder(start.projects.projects.length, projectList(start.projects), "No projects yet."),
      ),
      element(
        "section",
        { "aria-labelledby": "runs" },
        element("h2", { id: "runs" }, "Recent runs"),
        orPlaceholder(start.runs.runs.length, runTable(start.runs), "No app has run yet."),
      ),
    );
  }
  showContent(element("div", { class: "page start" }, ...sections));
}

/**
 * @param {number} length of the list
 * @param {HTMLElement} list
 * @param {string} placeholder
 */
function orPlaceholder(length, list, placeholder) {
  return length ? list : element("p", { class: "muted" }, placeholder);
}

function load() {
  return Promise.all([call("autoflow.overview.start", { limit: PAGE_SIZE }), call("autoflow.overview.recent", {})]);
}

/** Return whether a person works with the page, has ticked runs, or has scrolled down a list. */
function isInUse() {
  return (
    document.querySelector(".pick :checked") !== null ||
    scrollY !== 0 ||
    (document.activeElement !== null && document.activeElement !== document.body)
  );
}

showContent(loadingSkeleton(4));
try {
  const known = await changeCounter();
  render(...(await load()));
  pollChanges({
    known,
    onChange: async () => {
      // do not replace the page while a person works with it: ask again later
      if (isInUse()) return false;
      const page = await load();
      if (isInUse()) return false;
      render(...page);
      return true;
    },
  });
} catch (error) {
  showError(error);
}
