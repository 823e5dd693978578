// @ts-check
/** The page that compares two versions of a project, or a version with the project as it is now. */

import { call } from "../api.js";
import { classChanges } from "../components/class-changes.js";
import { projectTabs } from "../components/project-tabs.js";
import { changeList, countLine, hasChanges, loadDiff } from "../components/version-diff.js";
import { loadingSkeleton } from "../components/widgets.js";
import { element } from "../dom.js";
import { capitalize, errorMessage } from "../format.js";
import { emptyState, initPage, showContent, showCrumbs, showError } from "../header.js";

/** @import { ListedVersion } from "../contract.js" */

const PAGE_SIZE = 24;
const MAX_VERSIONS = 200; // in the lists to choose from

const { facts, query } = initPage();
const project = Number(facts.project);
showContent(loadingSkeleton(3));
try {
  const response = await call("autoflow.overview.versions", { id: project, limit: MAX_VERSIONS });
  render(response.project.name, response.versions);
} catch (error) {
  showError(error);
}

/**
 * @param {string} name
 * @param {ListedVersion[]} versions
 */
function render(name, versions) {
  showCrumbs(
    [
      { text: "Start", href: "/" },
      { text: name, href: `/projects/${project}` },
      { text: "Versions", href: `/projects/${project}/versions` },
      { text: "Compare" },
    ],
    `Versions of ${name} compared`,
  );
  const head = element("header", { class: "head" }, element("h1", {}, name));
  if (!versions.length) {
    showContent(
      element(
        "div",
        { class: "page" },
        head,
        projectTabs(project, "versions"),
        emptyState("No versions yet", "Create a version first; then it can be compared with the project."),
      ),
    );
    return;
  }
  const requested = { from: Number(query.get("from")), to: Number(query.get("to")) };
  const index = versions.findIndex(({ id }) => id === requested.from);
  // by default, compare a version with the one before it, or the first version with the current state
  const previous = versions[index + 1];
  const from = query.has("to") || !previous ? requested.from || (versions[0]?.id ?? 0) : previous.id;
  const to = query.has("to") ? requested.to : previous ? requested.from || (versions[0]?.id ?? 0) : 0;
  const first = versionSelect("From", versions, from, false);
  const second = versionSelect("To", versions, to, true);
  const swap = element("button", { type: "button" }, "Swap");
  const statuses = element(
    "fieldset",
    { class: "row kinds" },
    element("legend", { class: "visually-hidden" }, "Which images"),
  );
  for (const status of ["added", "removed", "changed"]) {
    statuses.append(
      element(
        "label",
        { class: "chip" },
        element("input", { type: "checkbox", value: status, checked: true }),
        capitalize(status),
      ),
    );
  }
  const result = element("div", { "aria-live": "polite" });
  let request = new AbortController();
  const update = async () => {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    const pair = { from: Number(first.select.value), to: Number(second.select.value) || null };
    history.replaceState(null, "", `?from=${pair.from}&to=${pair.to ?? 0}`);
    swap.disabled = pair.to === null;
    if (pair.from === pair.to) {
      result.replaceChildren(emptyState("The same version twice", "Choose two different versions to compare."));
      return;
    }
    result.replaceChildren(element("div", { class: "skeleton" }));
    try {
      const shown = new Set(
        [...statuses.querySelectorAll("input")].filter((box) => box.checked).map((box) => box.value),
      );
      const diff = await loadDiff(pair, PAGE_SIZE, 0, signal);
      if (!hasChanges(diff))
        result.replaceChildren(
          emptyState("No differences", "All images, labels, classes, tags and datasets are equal."),
        );
      else {
        const heading = element("h2", { class: "visually-hidden" }, "Differences");
        result.replaceChildren(heading, countLine(diff), classChanges(pair, signal), changeList(pair, diff, shown));
      }
    } catch (error) {
      if (signal.aborted) return;
      result.replaceChildren(element("p", { class: "notice bad", role: "alert" }, errorMessage(error)));
    }
  };
  swap.addEventListener("click", () => {
    [first.select.value, second.select.value] = [second.select.value, first.select.value];
    update();
  });
  for (const control of [first.select, second.select, statuses]) control.addEventListener("change", update);
  showContent(
    element(
      "div",
      { class: "page versions" },
      head,
      projectTabs(project, "versions"),
      element("div", { class: "row bar card" }, first.label, swap, second.label, statuses),
      result,
    ),
  );
  update();
}

/**
 * @param {string} name
 * @param {ListedVersion[]} versions
 * @param {number} value
 * @param {boolean} offersNow whether the current state can be chosen
 */
function versionSelect(name, versions, value, offersNow) {
  const select = element("select", { "aria-label": name });
  if (offersNow) select.append(element("option", { value: 0 }, "Now"));
  for (const version of versions)
    select.append(
      element("option", { value: version.id }, `V${version.number}${version.title ? ` ${version.title}` : ""}`),
    );
  select.value = String(value);
  if (select.selectedIndex < 0) select.selectedIndex = 0;
  return { select, label: element("label", { class: "labeled-input" }, name, select) };
}
