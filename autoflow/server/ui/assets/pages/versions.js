// @ts-check
/** The page of a project's versions: a timeline with the changes of each, and buttons to create and restore one. */

import { call } from "../api.js";
import { confirmAction } from "../components/confirm.js";
import { impactLists } from "../components/impact-panel.js";
import { projectTabs } from "../components/project-tabs.js";
import { restoreVersion } from "../components/restore.js";
import { changeList, countLine, hasChanges, loadDiff } from "../components/version-diff.js";
import { announce, infiniteList, linkRun, loadingSkeleton, timeElement } from "../components/widgets.js";
import { element } from "../dom.js";
import { byteSize, count, errorMessage, itemNoun } from "../format.js";
import { emptyState, initPage, showContent, showCrumbs, showError } from "../header.js";

/** @import { ListedVersion, VersionDiffResponse, VersionList } from "../contract.js" */

const PAGE_SIZE = 24; // changed images in one request

const { facts } = initPage();
const project = Number(facts.project);
let latestLoad = 0;
/** @type {Map<number, {progress: HTMLElement, button: HTMLButtonElement}>} restores of this page, by version */
const restores = new Map();

addEventListener("hashchange", () => linkedVersion() && !document.getElementById(location.hash.slice(1)) && load());
await load();

async function load() {
  latestLoad += 1;
  const own = latestLoad;
  if (!document.querySelector(".versions")) showContent(loadingSkeleton(3));
  try {
    const timeline = await loadPage(null);
    await loadUntil(timeline, linkedVersion());
    if (own !== latestLoad) return; // a later change is being loaded
    render(timeline);
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  } catch (error) {
    if (own === latestLoad) showError(error, load);
  }
}

/** @returns {number} the number of the version that the address names, 0 for none */
function linkedVersion() {
  return Number(/^#v(\d+)$/.exec(location.hash)?.[1] ?? 0);
}

/** Load further pages until a version is among those loaded. @param {VersionList} timeline @param {number} wanted */
async function loadUntil(timeline, wanted) {
  while (wanted && timeline.next !== null && wanted < timeline.next) {
    const page = await loadPage(timeline.next);
    timeline.versions.push(...page.versions);
    timeline.next = page.next;
  }
}

/** @param {number | null} before the number of a version */
function loadPage(before) {
  return call("autoflow.overview.versions", { id: project, before, limit: 20 });
}

/** @param {VersionList} timeline */
function render(timeline) {
  const { name } = timeline.project;
  const noun = itemNoun(timeline.project);
  showCrumbs(
    [{ text: "Start", href: "/" }, { text: name, href: `/projects/${project}` }, { text: "Versions" }],
    `Versions of ${name}`,
  );
  const list = element("ol", { class: "timeline", reversed: true });
  /** @type {ListedVersion[]} */
  const all = [];
  let { next } = timeline;
  /** @param {ListedVersion[]} versions */
  const append = (versions) => {
    const last = all[all.length - 1];
    all.push(...versions);
    const start = last ? all.indexOf(last) : 0;
    for (const [n, version] of all.entries()) {
      if (n > start || !last) list.append(versionItem(version, () => previousVersion(version), noun));
    }
  };
  /** Return the version before one; it may be on a page that is not loaded yet. @param {ListedVersion} version */
  const previousVersion = async (version) => {
    const loaded = all[all.indexOf(version) + 1];
    if (loaded || next === null) return loaded ?? null;
    return (await loadPage(version.number)).versions[0] ?? null;
  };
  append(timeline.versions);
  const more = async () => {
    const page = await loadPage(next);
    next = page.next;
    append(page.versions);
    return next !== null;
  };
  const nothing = emptyState(
    "No versions yet",
    "A version saves the project's images, labels, classes and tags, to compare them and to restore them later. " +
      "Create one above, or decorate a function of an app with @versioned.",
  );
  showContent(
    element(
      "div",
      { class: "page versions" },
      element(
        "header",
        { class: "head" },
        element("h1", {}, name),
        element(
          "p",
          { class: "muted" },
          `${count(timeline.project.images, noun)} · ${byteSize(timeline.project.size)} · changed `,
          timeElement(timeline.project.updatedAt),
        ),
      ),
      projectTabs(project, "versions"),
      currentState(timeline),
      all.length ? infiniteList(list, more, next !== null) : nothing,
    ),
  );
}

/**
 * Show whether the project has changed since the last version, with a form to create one.
 * @param {VersionList} timeline
 */
function currentState(timeline) {
  const latest = timeline.versions[0];
  const state = !latest
    ? "There is no version yet."
    : timeline.changed
      ? `It has changed since V${latest.number}.`
      : `Nothing has changed since V${latest.number}.`;
  const title = element("input", { name: "title", maxlength: 200, autocomplete: "off" });
  const comment = element("input", { name: "comment", maxlength: 2000, autocomplete: "off" });
  const message = element("span", { role: "status" });
  const save = element("button", { type: "submit", class: "primary" }, "Create version");
  save.disabled = !timeline.changed;
  const form = element(
    "form",
    { class: "row create-form" },
    element("label", { class: "labeled-input" }, "Title", title),
    element("label", { class: "labeled-input" }, "Comment", comment),
    save,
    message,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = true;
    try {
      const version = await call("autoflow.versions.snapshot", {
        projectId: project,
        title: title.value.trim() || null,
        description: comment.value.trim() || null,
      });
      await load();
      announce(
        version.created
          ? `Version ${version.version} was created`
          : `Nothing has changed since version ${version.version}, so no version was created`,
      );
    } catch (error) {
      message.textContent = errorMessage(error);
      save.disabled = false;
    }
  });
  const section = element(
    "section",
    { class: "card now", "aria-label": "The project now" },
    element("div", { class: "row" }, element("strong", {}, "Now"), element("span", {}, state)),
  );
  if (latest && timeline.changed) section.append(changesSection({ from: latest.id, to: null }, `${latest.id}`));
  section.append(form);
  return section;
}

/**
 * Show what changed between two versions: the counts when they scroll into view, the images on request.
 * @param {{from: number, to: number | null}} pair
 * @param {string} name
 */
function changesSection(pair, name) {
  const counts = element("div", { class: "diff-counts" }, element("span", { class: "muted" }, "…"));
  const content = element("div", { class: "diff-details" });
  const details = element("details", { "data-name": name }, element("summary", {}, "What changed"), content);
  details.hidden = true;
  const section = element("div", {}, counts, details);
  /** @type {VersionDiffResponse | null} */
  let diff = null;
  const observer = new IntersectionObserver(async (entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    try {
      diff = await loadDiff(pair, PAGE_SIZE);
      counts.replaceChildren(countLine(diff));
      details.hidden = !hasChanges(diff);
    } catch (error) {
      counts.replaceChildren(element("span", { class: "muted" }, errorMessage(error)));
    }
  });
  observer.observe(section);
  details.addEventListener("toggle", () => {
    if (details.open && diff && !content.childElementCount) content.replaceChildren(changeList(pair, diff));
  });
  return section;
}

/** Make the button that restores a version, and the element that shows its progress. @param {number} version */
function restoreControls(version) {
  const progress = element("div", { class: "row progress", role: "status" });
  const button = element("button", { type: "button" }, "Restore as a new project");
  button.addEventListener("click", () => restoreVersion(version, progress, button));
  restores.set(version, { progress, button });
  return { progress, button };
}

/** Make the list of what was made from a version, which is loaded when it is opened. @param {number} version */
function madeFrom(version) {
  const details = element("details", { class: "made" }, element("summary", {}, "Models and data made from it"));
  details.addEventListener("toggle", () => details.append(impactLists(`version:${version}`)), { once: true });
  return details;
}

/**
 * Make the item of a version in the timeline.
 * @param {ListedVersion} version
 * @param {() => Promise<ListedVersion | null>} previousVersion
 * @param {string} noun of its items
 */
function versionItem(version, previousVersion, noun) {
  // a restore goes on while the timeline is loaded again
  const { progress, button: restore } = restores.get(version.id) ?? restoreControls(version.id);
  const remove = element(
    "button",
    { type: "button", class: "plain danger", "aria-label": `Delete version ${version.number}` },
    "Delete",
  );
  remove.addEventListener("click", async () => {
    const warning =
      "Data that is neither in another version nor in the project is lost for good. Runs that used it still name it.";
    if (!(await confirmAction(`Delete V${version.number}?`, warning, "Delete"))) return;
    remove.disabled = true;
    try {
      await call("autoflow.versions.delete", { id: version.id });
      await load();
      announce(`Version ${version.number} was deleted`);
    } catch (error) {
      progress.replaceChildren(element("span", { class: "status failed" }, errorMessage(error)));
      remove.disabled = false;
    }
  });
  const changed = element("div", {});
  previousVersion().then(
    (previous) => {
      if (previous) changed.replaceChildren(changesSection({ from: previous.id, to: version.id }, String(version.id)));
      else
        changed.replaceChildren(element("p", { class: "muted" }, `The first version: ${count(version.images, noun)}`));
    },
    () => changed.replaceChildren(),
  );
  const users = element("p", { class: "muted" });
  for (const run of version.users.runs) {
    users.append(
      users.childNodes.length ? ", " : "",
      run.direction === "output" ? "written by " : "used by ",
      element("a", { href: `/apps/sessions/${run.id}` }, run.name ?? `run ${run.id}`),
    );
  }
  if (version.users.total > version.users.runs.length)
    users.append(` and ${count(version.users.total - version.users.runs.length, "more run")}`);
  return element(
    "li",
    { id: `v${version.number}`, class: "card" },
    element(
      "div",
      { class: "row" },
      element("span", { class: "badge" }, `V${version.number}`),
      element("h2", {}, version.title || `Version ${version.number}`),
    ),
    element(
      "p",
      { class: "muted" },
      timeElement(version.createdAt),
      version.createdBy ? ` by ${version.createdBy}` : "",
      ` · ${count(version.images, noun)} · ${byteSize(version.size)}`,
    ),
    version.description ? element("p", { class: "prose" }, ...linkRun(version.description)) : "",
    version.users.runs.length ? users : "",
    madeFrom(version.id),
    changed,
    element(
      "div",
      { class: "row actions" },
      element("a", { class: "button", href: `/projects/${project}/versions/compare?from=${version.id}` }, "Compare"),
      restore,
      element(
        "a",
        { class: "button", href: `/project/${project}?card=project_version:${version.id}` },
        "Open in the workflow",
      ),
      remove,
    ),
    progress,
  );
}
