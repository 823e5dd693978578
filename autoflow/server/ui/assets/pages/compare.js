// @ts-check
/** Any two versions of a project side by side, or one and the project as it is now. */

import { call } from "../api.js";
import { projectTabs } from "../components/project-tabs.js";
import { changeList, countLine, difference } from "../components/version-diff.js";
import { waiting } from "../components/widgets.js";
import { element } from "../dom.js";
import { begin, crumbs, emptyState, failed, show } from "../header.js";

/** @typedef {{id: number, number: number, title: string | null}} Version */

const SHOWN = 24;
const MOST = 200; // versions to choose from

const { facts, query } = begin();
const project = Number(facts.project);
show(waiting(3));
try {
  const told = await call("autoflow.overview.versions", { id: project, limit: MOST });
  draw(told.project.name, told.versions);
} catch (error) {
  failed(error);
}

/**
 * @param {string} name
 * @param {Version[]} versions
 */
function draw(name, versions) {
  crumbs(
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
    show(
      element(
        "div",
        { class: "page" },
        head,
        projectTabs(project, "versions"),
        emptyState("No versions yet", "There is nothing to compare."),
      ),
    );
    return;
  }
  const asked = { from: Number(query.get("from")), to: Number(query.get("to")) };
  const place = versions.findIndex((one) => one.id === asked.from);
  // unasked: a version with the one before it, or the first with what there is now
  const before = versions[place + 1];
  const from = query.has("to") || !before ? asked.from || (versions[0]?.id ?? 0) : before.id;
  const to = query.has("to") ? asked.to : before ? asked.from || (versions[0]?.id ?? 0) : 0;
  const first = chooser("From", versions, from, false);
  const second = chooser("To", versions, to, true);
  const turn = element("button", { type: "button" }, "Swap");
  const kinds = element("fieldset", { class: "row kinds" }, element("legend", { class: "unseen" }, "Which images"));
  for (const how of ["added", "removed", "changed"]) {
    kinds.append(
      element(
        "label",
        { class: "chip" },
        element("input", { type: "checkbox", value: how, checked: true }),
        how.replace(/^./, (letter) => letter.toUpperCase()),
      ),
    );
  }
  const result = element("div", { "aria-live": "polite" });
  const work = async () => {
    const pair = { from: Number(first.select.value), to: Number(second.select.value) || null };
    history.replaceState(null, "", `?from=${pair.from}&to=${pair.to ?? 0}`);
    turn.disabled = pair.to === null;
    if (pair.from === pair.to) {
      result.replaceChildren(emptyState("The same version twice", "Choose two to compare."));
      return;
    }
    result.replaceChildren(element("div", { class: "skeleton" }));
    try {
      const wanted = new Set([...kinds.querySelectorAll("input")].filter((one) => one.checked).map((one) => one.value));
      const found = await difference(pair, SHOWN);
      const same =
        !found.changes.length &&
        ![found.classes, found.tags, found.datasets].some(
          (of) => of.added.length + of.removed.length + of.changed.length,
        );
      if (same)
        result.replaceChildren(emptyState("They are the same", "No image, label, class, tag or dataset is another."));
      else result.replaceChildren(countLine(found), changeList(pair, found, wanted));
    } catch (error) {
      result.replaceChildren(
        element("p", { class: "notice bad", role: "alert" }, error instanceof Error ? error.message : String(error)),
      );
    }
  };
  turn.addEventListener("click", () => {
    [first.select.value, second.select.value] = [second.select.value, first.select.value];
    work();
  });
  for (const part of [first.select, second.select, kinds]) part.addEventListener("change", work);
  show(
    element(
      "div",
      { class: "page versions" },
      head,
      projectTabs(project, "versions"),
      element("div", { class: "row bar card" }, first.label, turn, second.label, kinds),
      result,
    ),
  );
  work();
}

/**
 * @param {string} name
 * @param {Version[]} versions
 * @param {number} value
 * @param {boolean} now whether the project as it is may be chosen
 */
function chooser(name, versions, value, now) {
  const select = element("select", { "aria-label": name });
  if (now) select.append(element("option", { value: 0 }, "Now"));
  for (const one of versions)
    select.append(element("option", { value: one.id }, `V${one.number}${one.title ? ` ${one.title}` : ""}`));
  select.value = String(value);
  if (select.selectedIndex < 0) select.selectedIndex = 0;
  return { select, label: element("label", { class: "pair-of" }, name, select) };
}
