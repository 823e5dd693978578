// @ts-check
/** An image: its labels drawn over it at any zoom, listed and switched on and off; its neighbours a key away. */

import { call } from "../api.js";
import { Viewer } from "../components/image-viewer.js";
import { missing } from "../components/thumbnails.js";
import { factList, panel, swatch, time, waiting } from "../components/widgets.js";
import { count, element, size } from "../dom.js";
import { begin, crumbs, failed, show } from "../header.js";

/**
 * @typedef {import("../components/label-drawing.js").Class} Class
 * @typedef {import("../components/label-drawing.js").Label} Label
 * @typedef {{id: number, name: string, width: number | null, height: number | null, kept: boolean, labels: number,
 *   objects: Label[], tags: {tagId: number, value: unknown}[], hash: string | null, link: string | null,
 *   mime: string | null, size: number | null, description: string, meta: object, createdAt: string, updatedAt: string,
 *   createdBy: string | null, previous: number | null, next: number | null, position: number, total: number,
 *   project: {id: number, name: string}, datasets: {id: number, name: string}[],
 *   classes: {classes: Class[], tags: {id: number, name: string, color?: string}[]}}} Image
 */

const LISTED = 500; // labels named at once

const { facts } = begin();
show(waiting(2));
try {
  draw(await call("autoflow.overview.image", { id: Number(facts.image) }));
} catch (error) {
  failed(error);
}

/** @param {Image} image */
function draw(image) {
  crumbs([
    { text: "Start", href: "/" },
    { text: image.project.name, href: `/projects/${image.project.id}` },
    ...image.datasets.map((one) => ({ text: one.name, href: `/projects/${image.project.id}/datasets/${one.id}` })),
    { text: image.name },
  ]);
  const classes = new Map(image.classes.classes.map((one) => [one.id, one]));
  const viewer = image.kept ? new Viewer(image, classes) : null;
  const stage = viewer
    ? viewer.element
    : element(
        "div",
        { class: "card stage none" },
        missing(image.name),
        element("p", {}, image.link ? "This image is kept elsewhere:" : "There are no bytes of this image."),
        element("code", {}, image.link ?? ""),
      );
  const head = element(
    "header",
    { class: "head row" },
    element("h1", {}, image.name),
    element(
      "nav",
      { class: "row", "aria-label": "Neighbours" },
      beside(image.previous, "Previous", "p"),
      element(
        "span",
        { class: "quiet" },
        `${image.position.toLocaleString("en")} of ${image.total.toLocaleString("en")}`,
      ),
      beside(image.next, "Next", "n"),
    ),
  );
  const side = element(
    "aside",
    { class: "side", "aria-label": "About the image" },
    labelPanel(image, classes, viewer),
    tagPanel(image),
    panel(
      "About",
      factList([
        ["Number", image.id],
        ["Pixels", image.width && image.height ? `${image.width} × ${image.height}` : null],
        ["Size", image.size === null ? null : size(image.size)],
        ["Type", image.mime],
        ["Added", time(image.createdAt)],
        ["By", image.createdBy],
        ["Description", image.description],
        ["Meta", Object.keys(image.meta ?? {}).length ? element("code", {}, JSON.stringify(image.meta)) : null],
        ["Content", image.hash ? element("code", {}, image.hash) : null],
      ]),
      element(
        "p",
        {},
        image.kept ? element("a", { href: `/storage/images/${image.id}`, download: image.name }, "Download") : "",
      ),
    ),
  );
  show(element("div", { class: "page wide-page image" }, head, element("div", { class: "split view" }, stage, side)));
  viewer?.begin();
}

/**
 * @param {number | null} number
 * @param {string} words
 * @param {string} key
 */
function beside(number, words, key) {
  if (number === null) return element("span", { class: "button", "aria-disabled": "true" }, words);
  const made = element(
    "a",
    { class: "button", href: `/images/${number}`, "aria-keyshortcuts": key, title: `${words} (${key})` },
    words,
  );
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
    if (event.key === key && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) made.click();
  });
  return made;
}

/**
 * @param {Image} image
 * @param {Map<number, Class>} classes
 * @param {Viewer | null} viewer
 */
function labelPanel(image, classes, viewer) {
  if (!image.objects.length) return panel("Labels", element("p", { class: "quiet" }, "This image has no labels."));
  /** @type {Map<number, Label[]>} */
  const groups = new Map();
  for (const label of image.objects.slice(0, LISTED))
    groups.set(label.classId, [...(groups.get(label.classId) ?? []), label]);
  const list = element("div", { class: "labels" });
  for (const [number, labels] of groups) {
    const known = classes.get(number);
    const title = known?.title ?? `class ${number}, which the project has no more`;
    const whole = element("input", { type: "checkbox", checked: true, "aria-label": `Show all ${title}` });
    const rows = labels.map((label, n) => labelRow(label, n, title, image, viewer));
    const checks = rows.map((row) => /** @type {HTMLInputElement} */ (row.querySelector("input")));
    whole.addEventListener("change", () => {
      for (const check of checks) check.checked = whole.checked;
      viewer?.show(
        labels.map((one) => one.id),
        whole.checked,
      );
    });
    for (const check of checks) {
      check.addEventListener("change", () => {
        whole.checked = checks.every((one) => one.checked);
        whole.indeterminate = !whole.checked && checks.some((one) => one.checked);
      });
    }
    list.append(
      element(
        "details",
        { open: labels.length <= 20 },
        element(
          "summary",
          {},
          swatch(known?.color),
          element("span", { class: "name" }, title),
          element("span", { class: "quiet" }, labels.length.toLocaleString("en")),
        ),
        labels.length > 1 ? element("label", { class: "all" }, whole, "All") : "",
        element("ul", { class: "lines" }, ...rows),
      ),
    );
  }
  const made = panel(`Labels (${image.objects.length.toLocaleString("en")})`, list);
  if (image.objects.length > LISTED)
    made.append(element("p", { class: "quiet" }, `The first ${LISTED} are listed; all are drawn.`));
  return made;
}

/**
 * @param {Label} label
 * @param {number} place
 * @param {string} title
 * @param {Image} image
 * @param {Viewer | null} viewer
 */
function labelRow(label, place, title, image, viewer) {
  const kind = label.geometryType ?? label.shape ?? "label";
  const names = new Map(image.classes.tags.map((one) => [one.id, one.name]));
  const tags = (label.tags ?? []).map(
    (one) =>
      `${names.get(one.tagId) ?? one.tagId}${one.value === null || one.value === undefined ? "" : `: ${one.value}`}`,
  );
  const check = element("input", { type: "checkbox", checked: true });
  const row = element(
    "li",
    {},
    element(
      "label",
      {},
      check,
      `${kind.replace("_", " ")} ${place + 1}`,
      element("span", { class: "unseen" }, ` of ${title}`),
    ),
    element("span", { class: "quiet" }, tags.join(", ")),
  );
  check.addEventListener("change", () => viewer?.show([label.id], check.checked));
  row.addEventListener("pointerenter", () => viewer?.choose(label.id));
  row.addEventListener("pointerleave", () => viewer?.choose(null));
  check.addEventListener("focus", () => check.matches(":focus-visible") && viewer?.choose(label.id));
  check.addEventListener("blur", () => viewer?.choose(null));
  viewer?.chosen.push((number) => row.classList.toggle("chosen", number === label.id));
  return row;
}

/** @param {Image} image */
function tagPanel(image) {
  if (!image.tags.length) return panel("Tags", element("p", { class: "quiet" }, "This image has no tags."));
  const known = new Map(image.classes.tags.map((one) => [one.id, one]));
  const list = element("ul", { class: "lines" });
  for (const { tagId, value } of image.tags) {
    const tag = known.get(tagId);
    const words = value === null || value === undefined ? "" : String(value);
    list.append(
      element(
        "li",
        {},
        element("span", { class: "label" }, swatch(tag?.color), tag?.name ?? `tag ${tagId}`),
        element("span", {}, words),
      ),
    );
  }
  return panel(
    count(image.tags.length, "tag").replace(/^./, (letter) => letter.toUpperCase()),
    list,
  );
}
