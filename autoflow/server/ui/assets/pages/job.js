// @ts-check
/** The page of a labeling job: its images, who labels them, its status. */

import { call } from "../api.js";
import { missingImage, thumbnail } from "../components/thumbnails.js";
import { factList, internalLink, loadingSkeleton, panel, runList, timeElement } from "../components/widgets.js";
import { element } from "../dom.js";
import { count } from "../format.js";
import { initPage, showContent, showCrumbs, showError } from "../header.js";

/** @import { JobPage } from "../contract.js" */

const STATUS_LABELS = {
  pending: "Pending",
  in_progress: "In progress",
  on_review: "On review",
  completed: "Completed",
  stopped: "Stopped",
};
const STATUS_STYLES = {
  pending: "lost",
  in_progress: "running",
  on_review: "running",
  completed: "finished",
  stopped: "lost",
};

const { facts } = initPage();
showContent(loadingSkeleton(2));
try {
  render(await call("autoflow.overview.job", { id: Number(facts.job) }));
} catch (error) {
  showError(error);
}

/** @param {JobPage} job */
function render(job) {
  showCrumbs([
    { text: "Start", href: "/" },
    { text: job.workspace.name, href: `/workspace/${job.workspace.id}` },
    { text: job.name },
  ]);
  const status = /** @type {Record<string, string>} */ (STATUS_LABELS)[job.status] ?? job.status;
  const style = /** @type {Record<string, string>} */ (STATUS_STYLES)[job.status] ?? "lost";
  const thumbnails = element("ul", { class: "strip" });
  for (const { id, name, stored } of job.images) {
    thumbnails.append(
      element(
        "li",
        {},
        element("a", { href: `/images/${id}`, title: name }, stored ? thumbnail(id, name) : missingImage(name)),
      ),
    );
  }
  const more = job.imagesTotal - job.images.length;
  const about = panel(
    "About",
    factList([
      ["Project", internalLink(`/projects/${job.project.id}`, job.project.name)],
      [
        "Dataset",
        job.dataset.name === null
          ? "removed"
          : internalLink(`/projects/${job.project.id}/datasets/${job.dataset.id}`, job.dataset.name),
      ],
      ["Assigned to", job.assignedTo],
      ["Reviewer", job.reviewer],
      ["Created", timeElement(job.createdAt)],
      ["By", job.createdBy],
      ["Started", timeElement(job.startedAt)],
      ["Finished", timeElement(job.finishedAt)],
      ["Classes", job.classes.join(", ")],
      ["Tags", job.tags.join(", ")],
      ["Description", job.description],
      ["Number", job.id],
    ]),
  );
  const images = panel(
    count(job.imagesTotal, "image"),
    job.images.length ? thumbnails : element("p", { class: "muted" }, "This job has no images."),
  );
  if (more > 0) images.append(element("p", { class: "muted" }, `and ${count(more, "more image")}`));
  const head = element(
    "header",
    { class: "head row" },
    element("h1", {}, job.name),
    element("span", { class: `status ${style}` }, status),
  );
  const main = [images];
  if (job.readme) main.push(panel("What to do", element("p", { class: "prose" }, job.readme)));
  showContent(
    element(
      "div",
      { class: "page job" },
      head,
      job.disabled ? element("p", { class: "notice" }, "This job is disabled.") : "",
      element(
        "div",
        { class: "columns even" },
        element("div", {}, about, panel("Used by", runList(job.users, "No run has read or written it."))),
        element("div", {}, ...main),
      ),
    ),
  );
}
