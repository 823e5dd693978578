// @ts-check
/** The panel of a project's classes and tags: how often each is used, and which classes are drawn. */
import { call } from "../api.js";
import { element } from "../dom.js";
import { count } from "../format.js";
import { colourSwatch, panel } from "./widgets.js";

/** @import { ProjectPage } from "../contract.js" */

const AUTOMATIC_PAGES = 20; // pages of a thousand images that are counted without a click

/**
 * Make the panel.
 * @param {ProjectPage} project
 * @param {Set<number>} hiddenClasses changed by the checkboxes
 * @param {() => void} onChange called after it was changed
 */
export function classPanel(project, hiddenClasses, onChange) {
  const { classes, tags } = project.meta;
  /** @type {Map<string, HTMLElement>} where the counts are shown */
  const counters = new Map();
  const classList = element("ul", { class: "classes" });
  for (const { id, title, color, shape } of classes) {
    const checkbox = element("input", { type: "checkbox", checked: true, "aria-label": `Show ${title}` });
    checkbox.addEventListener("change", () => {
      if (checkbox.checked) hiddenClasses.delete(id);
      else hiddenClasses.add(id);
      onChange();
    });
    const counter = element("span", { class: "muted number" });
    counters.set(`class ${id}`, counter);
    const name = element("span", { class: "name", title }, title);
    classList.append(
      element(
        "li",
        {},
        element("label", {}, checkbox, colourSwatch(color), name),
        element("span", { class: "muted" }, shape ?? ""),
        counter,
      ),
    );
  }
  const tagList = element("ul", { class: "classes" });
  for (const { id, name, color, value_type: valueType } of tags) {
    const counter = element("span", { class: "muted number" });
    counters.set(`tag ${id}`, counter);
    const label = element("span", { class: "name", title: name }, name);
    tagList.append(
      element(
        "li",
        {},
        element("span", { class: "label" }, colourSwatch(color), label),
        element("span", { class: "muted" }, valueType === "none" ? "" : (valueType ?? "").replace("_", " ")),
        counter,
      ),
    );
  }
  const progress = element("p", { class: "muted" });
  if (counters.size) void showCounts(project, counters, progress);
  return panel(
    "Classes",
    classes.length ? classList : element("p", { class: "muted" }, "No classes yet."),
    element("h2", {}, "Tags"),
    tags.length ? tagList : element("p", { class: "muted" }, "No tags yet."),
    progress,
  );
}

/**
 * Count how often classes and tags are used, page by page.
 * @param {ProjectPage} project
 * @param {Map<string, HTMLElement>} counters
 * @param {HTMLElement} progress
 */
async function showCounts(project, counters, progress) {
  /** @type {Map<string, number>} */
  const totals = new Map();
  let [after, images] = [/** @type {number | null} */ (0), 0];
  /** @param {string} key @param {number} number */
  const add = (key, number) => totals.set(key, (totals.get(key) ?? 0) + number);
  const countPage = async () => {
    const page = await call("autoflow.overview.counts", { id: project.id, after });
    images += page.images;
    for (const [id, uses] of Object.entries(page.classes)) add(`class ${id}`, uses.objects);
    for (const [id, uses] of Object.entries(page.tags)) add(`tag ${id}`, uses.objects + uses.images);
    for (const [key, counter] of counters) counter.textContent = (totals.get(key) ?? 0).toLocaleString("en");
    after = page.after;
    progress.textContent = after === null ? "" : `Counted in ${count(images, "labeled image")} so far.`;
  };
  const countPages = async (/** @type {number} */ limit) => {
    try {
      for (let pages = 0; after !== null && pages < limit; pages += 1) await countPage();
    } catch {
      progress.textContent = "The counts could not be loaded. Reload the page to try again.";
      return;
    }
    if (after === null) return;
    const button = element("button", { type: "button" }, "Count the rest");
    button.addEventListener("click", () => {
      button.remove();
      void countPages(Infinity);
    });
    progress.append(" ", button);
  };
  await countPages(AUTOMATIC_PAGES);
}
