// @ts-check
/** The page of an image: the viewer, the list of labels with a checkbox each, tags, and links to its neighbours. */

import { ApiError, call } from "../api.js";
import { filePreview } from "../components/file-preview.js";
import { ImageViewer } from "../components/image-viewer.js";
import { impactPanel } from "../components/impact-panel.js";
import { geometryOf } from "../components/label-drawing.js";
import { showRemovedImage } from "../components/removed-image.js";
import { missingImage } from "../components/thumbnails.js";
import { colourSwatch, factList, loadingSkeleton, panel, timeElement } from "../components/widgets.js";
import { element } from "../dom.js";
import { byteSize, count } from "../format.js";
import { initPage, showContent, showCrumbs, showError } from "../header.js";

/** @import { ImagePage, Label, LabelClass } from "../contract.js" */

const MAX_LISTED = 500; // labels in the list

const { facts } = initPage();
showContent(loadingSkeleton(2));
try {
  render(await call("autoflow.overview.image", { id: Number(facts.image) }));
} catch (error) {
  const isGone = error instanceof ApiError && error.status === 404;
  if (!isGone || !(await showRemovedImage(Number(facts.image)).catch(() => false))) showError(error);
}

/** @param {ImagePage} image */
function render(image) {
  showCrumbs([
    { text: "Start", href: "/" },
    { text: image.project.name, href: `/projects/${image.project.id}` },
    ...image.datasets.map(({ id, name }) => ({ text: name, href: `/projects/${image.project.id}/datasets/${id}` })),
    { text: image.name },
  ]);
  const classes = new Map(image.classes.classes.map((row) => [row.id, row]));
  const isFile = image.stored && image.mime === null && image.width === null; // a file of a type that is not known
  const viewer = image.stored && !isFile ? new ImageViewer(image, classes) : null;
  const stage = viewer
    ? viewer.element
    : isFile
      ? element("div", {}, itemPreview(image))
      : element(
          "div",
          { class: "card stage empty" },
          missingImage(image.name),
          element(
            "p",
            {},
            image.link ? "This image is stored elsewhere:" : "The bytes of this image are not stored here.",
          ),
          element("code", {}, image.link ?? ""),
        );
  const head = element(
    "header",
    { class: "head row" },
    element("h1", {}, image.name),
    element(
      "nav",
      { class: "row", "aria-label": "Neighbours" },
      neighbourLink(image.previous, "Previous", "p"),
      element(
        "span",
        { class: "muted" },
        `${image.position.toLocaleString("en")} of ${image.total.toLocaleString("en")}`,
      ),
      neighbourLink(image.next, "Next", "n"),
    ),
  );
  const side = element(
    "aside",
    { class: "side", "aria-label": "About the image" },
    isFile ? "" : labelPanel(image, classes, viewer),
    isFile ? "" : tagPanel(image),
    impactPanel(`image:${image.id}`),
    panel(
      "About",
      factList([
        ["Number", image.id],
        ["Pixels", image.width && image.height ? `${image.width} × ${image.height}` : null],
        ["Size", image.size === null ? null : byteSize(image.size)],
        ["Type", image.mime],
        ["Added", timeElement(image.createdAt)],
        ["By", image.createdBy],
        ["Description", image.description],
        ["Meta", Object.keys(image.meta).length ? element("code", {}, JSON.stringify(image.meta)) : null],
        ["Content", image.hash ? element("code", {}, image.hash) : null],
      ]),
      element(
        "p",
        {},
        image.stored ? element("a", { href: `/storage/images/${image.id}`, download: image.name }, "Download") : "",
      ),
    ),
  );
  showContent(
    element("div", { class: "page wide-page image" }, head, element("div", { class: "split view" }, stage, side)),
  );
  viewer?.init();
}

/** @param {ImagePage} image */
function itemPreview(image) {
  const file = { name: image.name, mime: image.mime ?? "", size: image.size ?? 0 };
  return filePreview(file, `/storage/images/${image.id}`, () => call("autoflow.items.table", { id: image.id }));
}

/**
 * Make the link to the previous or next image, which a key follows too.
 * @param {number | null} image
 * @param {string} text
 * @param {string} key
 */
function neighbourLink(image, text, key) {
  if (image === null) return element("span", { class: "button", "aria-disabled": "true" }, text);
  const link = element(
    "a",
    { class: "button", href: `/images/${image}`, "aria-keyshortcuts": key, title: `${text} (${key})` },
    text,
  );
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
    if (event.key === key && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) link.click();
  });
  return link;
}

/**
 * @param {ImagePage} image
 * @param {Map<number, LabelClass>} classes
 * @param {ImageViewer | null} viewer
 */
function labelPanel(image, classes, viewer) {
  if (!image.objects.length) return panel("Labels", element("p", { class: "muted" }, "This image has no labels."));
  /** @type {Map<number, Label[]>} */
  const groups = new Map();
  for (const label of image.objects.slice(0, MAX_LISTED))
    groups.set(label.classId, [...(groups.get(label.classId) ?? []), label]);
  const list = element("div", { class: "labels" });
  for (const [classId, labels] of groups) {
    const labelClass = classes.get(classId);
    const title = labelClass?.title ?? `class ${classId} (removed from the project)`;
    const all = element("input", { type: "checkbox", checked: true, "aria-label": `Show all ${title}` });
    const rows = labels.map((label, n) => labelRow(label, n, title, image, viewer));
    const checkboxes = rows.map((row) => /** @type {HTMLInputElement} */ (row.querySelector("input")));
    all.addEventListener("change", () => {
      for (const checkbox of checkboxes) checkbox.checked = all.checked;
      viewer?.setVisible(
        labels.map(({ id }) => id),
        all.checked,
      );
    });
    for (const checkbox of checkboxes) {
      checkbox.addEventListener("change", () => {
        all.checked = checkboxes.every((row) => row.checked);
        all.indeterminate = !all.checked && checkboxes.some((row) => row.checked);
      });
    }
    list.append(
      element(
        "details",
        { open: labels.length <= 20 },
        element(
          "summary",
          {},
          colourSwatch(labelClass?.color),
          element("span", { class: "name" }, title),
          element("span", { class: "muted" }, labels.length.toLocaleString("en")),
        ),
        labels.length > 1 ? element("label", { class: "all" }, all, "All") : "",
        element("ul", { class: "lines" }, ...rows),
      ),
    );
  }
  const section = panel(`Labels (${image.objects.length.toLocaleString("en")})`, list);
  if (image.objects.length > MAX_LISTED)
    section.append(element("p", { class: "muted" }, `Only the first ${MAX_LISTED} labels are listed; all are drawn.`));
  return section;
}

/**
 * @param {Label} label
 * @param {number} index
 * @param {string} title
 * @param {ImagePage} image
 * @param {ImageViewer | null} viewer
 */
function labelRow(label, index, title, image, viewer) {
  const kind = geometryOf(label) || "label";
  const names = new Map(image.classes.tags.map(({ id, name }) => [id, name]));
  const tags = label.tags.map(
    ({ tagId, value }) => `${names.get(tagId) ?? tagId}${value === null || value === undefined ? "" : `: ${value}`}`,
  );
  const checkbox = element("input", { type: "checkbox", checked: true });
  const row = element(
    "li",
    {},
    element(
      "label",
      {},
      checkbox,
      `${kind.replace("_", " ")} ${index + 1}`,
      element("span", { class: "visually-hidden" }, ` of ${title}`),
    ),
    element("span", { class: "muted" }, tags.join(", ")),
  );
  checkbox.addEventListener("change", () => viewer?.setVisible([label.id], checkbox.checked));
  row.addEventListener("pointerenter", () => viewer?.highlight(label.id));
  row.addEventListener("pointerleave", () => viewer?.highlight(null));
  checkbox.addEventListener("focus", () => checkbox.matches(":focus-visible") && viewer?.highlight(label.id));
  checkbox.addEventListener("blur", () => viewer?.highlight(null));
  viewer?.listeners.push((id) => row.classList.toggle("chosen", id === label.id));
  return row;
}

/** @param {ImagePage} image */
function tagPanel(image) {
  if (!image.tags.length) return panel("Tags", element("p", { class: "muted" }, "This image has no tags."));
  const projectTags = new Map(image.classes.tags.map((row) => [row.id, row]));
  const list = element("ul", { class: "lines" });
  for (const { tagId, value } of image.tags) {
    const tag = projectTags.get(tagId);
    const text = value === null || value === undefined ? "" : String(value);
    list.append(
      element(
        "li",
        {},
        element("span", { class: "label" }, colourSwatch(tag?.color), tag?.name ?? `tag ${tagId}`),
        element("span", {}, text),
      ),
    );
  }
  return panel(count(image.tags.length, "tag"), list);
}
