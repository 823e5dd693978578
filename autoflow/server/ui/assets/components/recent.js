// @ts-check
/** What happened in the last days: who ran what, failures with their reasons, new versions and models. */

import { element } from "../dom.js";
import { count } from "../format.js";
import { internalLink, stateBadge, timeElement } from "./widgets.js";

/** @import { RecentFailure, RecentModel, RecentResponse, RecentVersion, RecentWork } from "../contract.js" */

const MAX_APPS = 4; // of a user

/**
 * Make the section of the last days.
 * @param {RecentResponse} recent
 */
export function recentSection(recent) {
  const columns = [
    column("Who did what", recent.people.map(workRow)),
    column("Failed", recent.failures.map(failureRow), recent.failed - recent.failures.length),
    column("New versions", recent.versions.map(versionRow)),
    column("New models", recent.models.map(modelRow)),
  ].filter((each) => each !== null);
  const failed = recent.failed ? `, ${recent.failed.toLocaleString("en")} failed` : "";
  const runs = `${recent.complete ? "" : "more than "}${count(recent.runs, "run")}${failed}`;
  return element(
    "section",
    { "aria-labelledby": "week", class: "week" },
    element(
      "div",
      { class: "row" },
      element("h2", { id: "week" }, "This week"),
      element("span", { class: "muted" }, runs),
    ),
    columns.length
      ? element("div", { class: "recent" }, ...columns)
      : element("p", { class: "muted" }, "Nothing was run or changed in the last seven days."),
  );
}

/**
 * @param {string} title
 * @param {HTMLElement[]} rows
 * @param {number} [more] rows that are not shown
 */
function column(title, rows, more = 0) {
  if (!rows.length) return null;
  return element(
    "section",
    { class: "card" },
    element("h3", {}, title),
    element("ul", { class: "lines" }, ...rows),
    more > 0 ? element("p", { class: "muted" }, `and ${more.toLocaleString("en")} more`) : "",
  );
}

/** @param {RecentWork} work */
function workRow(work) {
  const apps = work.apps.slice(0, MAX_APPS).map(({ name, runs, failed }) => {
    const text = runs === 1 ? name : `${name} × ${runs.toLocaleString("en")}`;
    if (!failed) return element("li", {}, text);
    return element("li", {}, text, element("span", { class: "failures" }, ` ${failed.toLocaleString("en")} failed`));
  });
  if (work.apps.length > MAX_APPS)
    apps.push(element("li", { class: "muted" }, `and ${work.apps.length - MAX_APPS} other apps`));
  if (work.versions) apps.push(element("li", {}, `created ${count(work.versions, "version")}`));
  return element("li", {}, element("strong", {}, work.login ?? "unknown"), element("ul", { class: "work" }, ...apps));
}

/** @param {RecentFailure} failure */
function failureRow({ run, reason, createdBy }) {
  const text = reason ?? "Its process was killed, or its machine stopped.";
  return element(
    "li",
    {},
    element("a", { href: `/apps/sessions/${run.id}` }, run.name),
    stateBadge(run.state),
    element("span", { class: "reason" }, text),
    byLine(createdBy, run.finishedAt ?? run.startedAt),
  );
}

/** @param {RecentVersion} version */
function versionRow(version) {
  const href = `/projects/${version.project.id}/versions#v${version.number}`;
  return element(
    "li",
    {},
    element("a", { href }, `${version.project.name} V${version.number}`),
    version.title ? element("span", {}, version.title) : "",
    byLine(version.createdBy, version.createdAt),
  );
}

/** @param {RecentModel} model */
function modelRow(model) {
  return element(
    "li",
    {},
    internalLink(model.file.link, model.file.name),
    ...model.names.map((name) => element("code", {}, name)),
    element(
      "span",
      {},
      "by ",
      element("a", { href: `/apps/sessions/${model.run.id}` }, model.run.name),
      `, run ${model.run.id}`,
    ),
    byLine(model.createdBy, model.at),
  );
}

/**
 * @param {string | null} login
 * @param {string} at
 */
function byLine(login, at) {
  return element("span", { class: "muted by" }, login ? `${login}, ` : "", timeElement(at));
}
