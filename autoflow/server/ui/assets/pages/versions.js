// @ts-check
/** A project's versions as a timeline: what changed with each, compared, restored, made, deleted. */

import { call } from "../api.js";
import { ask } from "../components/confirm.js";
import { projectTabs } from "../components/project-tabs.js";
import { restore } from "../components/restore.js";
import { changeList, countLine, difference } from "../components/version-diff.js";
import { announce, goingOn, time, waiting, withRun } from "../components/widgets.js";
import { count, element, size } from "../dom.js";
import { begin, crumbs, emptyState, failed, show } from "../header.js";

/**
 * @typedef {{id: number, number: number, title: string | null, description: string | null, createdBy: string | null,
 *   createdAt: string, images: number, size: number,
 *   users: {runs: {id: number, name: string | null, direction: string}[], total: number}}} Version
 * @typedef {{project: {id: number, name: string, type: string, images: number, size: number, updatedAt: string},
 *   changed: boolean, versions: Version[], next: number | null}} Timeline
 */

const SHOWN = 24; // changed images that are asked for at once

const { facts } = begin();
const project = Number(facts.project);

await load();

async function load() {
  if (!document.querySelector(".versions")) show(waiting(3));
  try {
    draw(await read(null));
    if (/^#v\d+$/.test(location.hash)) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  } catch (error) {
    failed(error, load);
  }
}

/**
 * @param {number | null} before
 * @returns {Promise<Timeline>}
 */
function read(before) {
  return call("autoflow.overview.versions", { id: project, before, limit: 20 });
}

/** @param {Timeline} shown */
function draw(shown) {
  const { name } = shown.project;
  crumbs(
    [{ text: "Start", href: "/" }, { text: name, href: `/projects/${project}` }, { text: "Versions" }],
    `Versions of ${name}`,
  );
  const list = element("ol", { class: "timeline", reversed: true });
  /** @type {Version[]} */
  const all = [];
  let { next } = shown;
  /** @param {Version[]} versions */
  const put = (versions) => {
    const last = all[all.length - 1];
    all.push(...versions);
    const from = last ? all.indexOf(last) : 0;
    // what a version changed is told by the one before it, which the next part may bring
    for (const [n, one] of all.entries()) if (n > from || !last) list.append(entry(one, () => earlier(one)));
  };
  /** @param {Version} one */
  const earlier = async (one) => {
    const known = all[all.indexOf(one) + 1];
    if (known || next === null) return known ?? null;
    return (await read(one.number)).versions[0] ?? null;
  };
  put(shown.versions);
  const more = async () => {
    const part = await read(next);
    next = part.next;
    put(part.versions);
    return next !== null;
  };
  const nothing = emptyState(
    "No versions yet",
    "A version is a save point of the project: its images, labels, classes and tags, to compare with and to go back to. Apps make them by @versioned.",
  );
  show(
    element(
      "div",
      { class: "page versions" },
      element(
        "header",
        { class: "head" },
        element("h1", {}, name),
        element(
          "p",
          { class: "quiet" },
          `${count(shown.project.images, "image")} · ${size(shown.project.size)} · changed `,
          time(shown.project.updatedAt),
        ),
      ),
      projectTabs(project, "versions"),
      now(shown),
      all.length ? goingOn(list, more, next !== null) : nothing,
    ),
  );
}

/**
 * What there is now, and the way to keep it.
 * @param {Timeline} shown
 */
function now(shown) {
  const latest = shown.versions[0];
  const state = !latest
    ? "Nothing is saved yet."
    : shown.changed
      ? `It has changed since V${latest.number}.`
      : `Nothing has changed since V${latest.number}.`;
  const title = element("input", { name: "title", maxlength: 200, autocomplete: "off" });
  const comment = element("input", { name: "comment", maxlength: 2000, autocomplete: "off" });
  const words = element("span", { role: "status" });
  const save = element("button", { type: "submit", class: "primary" }, "Create version");
  save.disabled = !shown.changed;
  const form = element(
    "form",
    { class: "row making" },
    element("label", { class: "pair-of" }, "Title", title),
    element("label", { class: "pair-of" }, "Comment", comment),
    save,
    words,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    save.disabled = true;
    try {
      const made = await call("autoflow.versions.snapshot", {
        projectId: project,
        title: title.value.trim() || null,
        description: comment.value.trim() || null,
      });
      await load();
      announce(
        made.created ? `Version ${made.version} was created` : `Nothing had changed: it is version ${made.version}`,
      );
    } catch (error) {
      words.textContent = error instanceof Error ? error.message : String(error);
      save.disabled = false;
    }
  });
  const part = element(
    "section",
    { class: "card now", "aria-label": "The project now" },
    element("div", { class: "row" }, element("strong", {}, "Now"), element("span", {}, state)),
  );
  if (latest && shown.changed) part.append(changes({ from: latest.id, to: null }, `${latest.id}`));
  part.append(form);
  return part;
}

/**
 * What changed from one to another: the counts when they come into view, the images on request.
 * @param {{from: number, to: number | null}} pair
 * @param {string} name
 */
function changes(pair, name) {
  const counts = element("div", { class: "counted" }, element("span", { class: "quiet" }, "…"));
  const inside = element("div", { class: "inside" });
  const details = element("details", { "data-name": name }, element("summary", {}, "What changed"), inside);
  details.hidden = true;
  const part = element("div", {}, counts, details);
  /** @type {import("../components/version-diff.js").Difference | null} */
  let found = null;
  const seen = new IntersectionObserver(async (entries) => {
    if (!entries.some((one) => one.isIntersecting)) return;
    seen.disconnect();
    try {
      found = await difference(pair, SHOWN);
      counts.replaceChildren(countLine(found));
      details.hidden =
        !found.changes.length &&
        ![found.classes, found.tags, found.datasets].some(
          (of) => of.added.length + of.removed.length + of.changed.length,
        );
    } catch (error) {
      counts.replaceChildren(
        element("span", { class: "quiet" }, error instanceof Error ? error.message : String(error)),
      );
    }
  });
  seen.observe(part);
  details.addEventListener("toggle", () => {
    if (details.open && found && !inside.childElementCount) inside.replaceChildren(changeList(pair, found));
  });
  return part;
}

/**
 * @param {Version} one
 * @param {() => Promise<Version | null>} earlier
 */
function entry(one, earlier) {
  const progress = element("div", { class: "row progress", role: "status" });
  const back = element("button", { type: "button" }, "Restore as a new project");
  back.addEventListener("click", () => restore(one.id, progress, back));
  const remove = element(
    "button",
    { type: "button", class: "plain danger", "aria-label": `Delete version ${one.number}` },
    "Delete",
  );
  remove.addEventListener("click", async () => {
    if (
      !(await ask(
        `Delete V${one.number}?`,
        "What is not in another version or in the project is gone for ever. Runs that used it still name it.",
        "Delete",
      ))
    )
      return;
    remove.disabled = true;
    try {
      await call("autoflow.versions.delete", { id: one.id });
      await load();
      announce(`Version ${one.number} was deleted`);
    } catch (error) {
      progress.replaceChildren(
        element("span", { class: "status failed" }, error instanceof Error ? error.message : String(error)),
      );
      remove.disabled = false;
    }
  });
  const changed = element("div", {});
  earlier().then(
    (before) => {
      if (before) changed.replaceChildren(changes({ from: before.id, to: one.id }, String(one.id)));
      else
        changed.replaceChildren(element("p", { class: "quiet" }, `The first version: ${count(one.images, "image")}`));
    },
    () => changed.replaceChildren(),
  );
  const users = element("p", { class: "quiet users" });
  for (const run of one.users.runs) {
    users.append(
      users.childNodes.length ? ", " : "",
      run.direction === "output" ? "written by " : "used by ",
      element("a", { href: `/apps/sessions/${run.id}` }, run.name ?? `run ${run.id}`),
    );
  }
  if (one.users.total > one.users.runs.length)
    users.append(` and ${count(one.users.total - one.users.runs.length, "more run")}`);
  return element(
    "li",
    { id: `v${one.number}`, class: "card" },
    element(
      "div",
      { class: "row" },
      element("span", { class: "badge" }, `V${one.number}`),
      element("h2", {}, one.title || `Version ${one.number}`),
    ),
    element(
      "p",
      { class: "quiet" },
      time(one.createdAt),
      one.createdBy ? ` by ${one.createdBy}` : "",
      ` · ${count(one.images, "image")} · ${size(one.size)}`,
    ),
    one.description ? element("p", { class: "words" }, ...withRun(one.description)) : "",
    one.users.runs.length ? users : "",
    changed,
    element(
      "div",
      { class: "row acts" },
      element("a", { class: "button", href: `/projects/${project}/versions/compare?from=${one.id}` }, "Compare"),
      back,
      element(
        "a",
        { class: "button", href: `/project/${project}?card=project_version:${one.id}` },
        "Open in the workflow",
      ),
      remove,
    ),
    progress,
  );
}
