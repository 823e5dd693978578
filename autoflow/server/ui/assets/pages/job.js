// @ts-check
/** A labeling job: what is to be labeled, by whom, how far it is. */

import { call } from "../api.js";
import { missing, preview } from "../components/thumbnails.js";
import { factList, link, panel, time, userList, waiting } from "../components/widgets.js";
import { count, element } from "../dom.js";
import { begin, crumbs, failed, show } from "../header.js";

/**
 * @typedef {{id: number, name: string | null}} Named
 * @typedef {{id: number, name: string, description: string, readme: string, status: string, disabled: boolean,
 *   project: Named, dataset: Named, workspace: Named, createdBy: string | null, assignedTo: string | null,
 *   reviewer: string | null, createdAt: string, startedAt: string | null, finishedAt: string | null, classes: string[],
 *   tags: string[], imagesTotal: number, images: {id: number, name: string, kept: boolean}[],
 *   users: import("../components/widgets.js").Users}} Job
 */

const STATES = {
  pending: "Pending",
  in_progress: "In progress",
  on_review: "On review",
  completed: "Completed",
  stopped: "Stopped",
};
const KINDS = { pending: "lost", in_progress: "running", on_review: "running", completed: "finished", stopped: "lost" };

const { facts } = begin();
show(waiting(2));
try {
  draw(await call("autoflow.overview.job", { id: Number(facts.job) }));
} catch (error) {
  failed(error);
}

/** @param {Job} job */
function draw(job) {
  crumbs([
    { text: "Start", href: "/" },
    { text: job.workspace.name ?? "", href: `/workspace/${job.workspace.id}` },
    { text: job.name },
  ]);
  const status = /** @type {Record<string, string>} */ (STATES)[job.status] ?? job.status;
  const kind = /** @type {Record<string, string>} */ (KINDS)[job.status] ?? "lost";
  const pictures = element("ul", { class: "strip" });
  for (const one of job.images) {
    pictures.append(
      element(
        "li",
        {},
        element(
          "a",
          { href: `/images/${one.id}`, title: one.name },
          one.kept ? preview(one.id, one.name) : missing(one.name),
        ),
      ),
    );
  }
  const left = job.imagesTotal - job.images.length;
  const about = panel(
    "About",
    factList([
      ["Project", link(`/projects/${job.project.id}`, job.project.name ?? "")],
      [
        "Dataset",
        job.dataset.name === null
          ? "removed"
          : link(`/projects/${job.project.id}/datasets/${job.dataset.id}`, job.dataset.name),
      ],
      ["Assigned to", job.assignedTo],
      ["Reviewer", job.reviewer],
      ["Created", time(job.createdAt)],
      ["By", job.createdBy],
      ["Started", time(job.startedAt)],
      ["Finished", time(job.finishedAt)],
      ["Classes", job.classes.join(", ")],
      ["Tags", job.tags.join(", ")],
      ["Description", job.description],
      ["Number", job.id],
    ]),
  );
  const images = panel(
    count(job.imagesTotal, "image").replace(/^./, (letter) => letter.toUpperCase()),
    job.images.length ? pictures : element("p", { class: "quiet" }, "There is nothing to label."),
  );
  if (left > 0) images.append(element("p", { class: "quiet" }, `and ${count(left, "more image")}`));
  const head = element(
    "header",
    { class: "head row" },
    element("h1", {}, job.name),
    element("span", { class: `status ${kind}` }, status),
  );
  const main = [images];
  if (job.readme) main.push(panel("What to do", element("p", { class: "words" }, job.readme)));
  show(
    element(
      "div",
      { class: "page job" },
      head,
      job.disabled ? element("p", { class: "notice" }, "This job was put away.") : "",
      element(
        "div",
        { class: "columns even" },
        element("div", {}, about, panel("Used by", userList(job.users, "No run has read or written it."))),
        element("div", {}, ...main),
      ),
    ),
  );
}
