// @ts-check
/** A project's data: its datasets as a tree, its images as a grid with their labels, its classes and tags. */

import { call } from "../api.js";
import { count, element, size } from "../dom.js";
import { crumbs, emptyState, failed, show } from "../header.js";
import { Grid } from "./grid.js";
import { overlay } from "./label-drawing.js";
import { projectTabs } from "./project-tabs.js";
import { missing, preview } from "./thumbnails.js";
import { announce, factList, panel, swatch, time, userList, waiting } from "./widgets.js";

/**
 * @typedef {import("./label-drawing.js").Class} Class
 * @typedef {import("./label-drawing.js").Label} Label
 * @typedef {{id: number, parentId: number | null, name: string, description: string, images: number, labels: number}} Dataset
 * @typedef {{id: number, name: string, width: number | null, height: number | null, kept: boolean, labels: number,
 *   objects: Label[], tags: {tagId: number, value: unknown}[]}} Image
 * @typedef {{id: number, name: string, color?: string, value_type?: string}} Tag
 * @typedef {{id: number, name: string, description: string, readme: string, type: string, images: number, size: number,
 *   createdAt: string, updatedAt: string, createdBy: string | null, workspace: {id: number, name: string},
 *   version: {id: number, version: number} | null, datasets: Dataset[], meta: {classes: Class[], tags: Tag[]},
 *   users: import("./widgets.js").Users}} Project
 */

const COUNTED = 20; // stretches of a thousand images that are counted unasked
const LEAST = 150; // a picture's width, in pixels
const GAP = 12;
const WORDS = 44; // below a picture

/**
 * Shows a project, or one of its datasets.
 * @param {string} project
 * @param {string | null} dataset
 */
export async function projectPage(project, dataset) {
  show(waiting(3));
  try {
    const shown = /** @type {Project} */ (await call("autoflow.overview.project", { id: Number(project) }));
    const within = dataset === null ? null : (shown.datasets.find((one) => one.id === Number(dataset)) ?? null);
    if (dataset !== null && within === null) {
      await call("datasets.info", { id: Number(dataset) }); // says that there is none, or whose it is
      throw new Error(`Dataset ${dataset} is not in this project.`);
    }
    draw(shown, within);
  } catch (error) {
    failed(error);
  }
}

/**
 * @param {Project} shown
 * @param {Dataset | null} within
 */
function draw(shown, within) {
  const path = [
    { text: "Start", href: "/" },
    { text: shown.workspace.name, href: `/workspace/${shown.workspace.id}` },
  ];
  if (within)
    crumbs([...path, { text: shown.name, href: `/projects/${shown.id}` }, { text: within.name }], within.name);
  else crumbs([...path, { text: shown.name }]);
  const total = within ? count(within.images, "image") : count(shown.images, "image");
  const facts = [total];
  if (!within) facts.push(count(shown.datasets.length, "dataset"), size(shown.size));
  const head = element(
    "header",
    { class: "head" },
    element("h1", {}, shown.name),
    element("p", { class: "quiet" }, facts.join(" · "), " · changed ", time(shown.updatedAt)),
  );
  if (shown.description) head.append(element("p", { class: "words" }, shown.description));
  /** @type {Set<number>} */
  const hidden = new Set();
  const images = new Images(shown, within, hidden);
  const side = element(
    "aside",
    { class: "side", "aria-label": "About the project" },
    panel("Datasets", tree(shown, within)),
    classPanel(shown, hidden, () => images.redraw()),
    panel(
      "Used by",
      userList(shown.users, "No run has read or written it."),
      element("p", {}, element("a", { href: `/project/${shown.id}` }, "Open in the workflow")),
    ),
    panel(
      "About",
      factList([
        ["Number", shown.id],
        ["Kind", shown.type],
        ["Created", time(shown.createdAt)],
        ["By", shown.createdBy],
        [
          "Last version",
          shown.version
            ? element("a", { href: `/projects/${shown.id}/versions` }, `V${shown.version.version}`)
            : "none yet",
        ],
      ]),
    ),
  );
  const page = element(
    "div",
    { class: "page wide-page" },
    head,
    projectTabs(shown.id, "data"),
    element("div", { class: "split" }, side, images.element),
  );
  show(page);
  images.begin();
}

/**
 * @param {Project} shown
 * @param {Dataset | null} within
 */
function tree(shown, within) {
  /** @type {Map<number | null, Dataset[]>} */
  const children = new Map();
  const known = new Set(shown.datasets.map((one) => one.id));
  for (const one of shown.datasets) {
    const parent = one.parentId !== null && known.has(one.parentId) ? one.parentId : null;
    children.set(parent, [...(children.get(parent) ?? []), one]);
  }
  /** @type {(one: Dataset) => number} */
  const deep = (one) => one.images + (children.get(one.id) ?? []).reduce((sum, inner) => sum + deep(inner), 0);
  /** @type {(parent: number | null) => HTMLElement} */
  const level = (parent) => {
    const list = element("ul", { class: "tree" });
    for (const one of children.get(parent) ?? []) {
      const here = within?.id === one.id;
      const words = element(
        "a",
        { href: `/projects/${shown.id}/datasets/${one.id}`, "aria-current": here ? "page" : null, title: one.name },
        one.name,
      );
      const item = element(
        "li",
        {},
        element("div", { class: "leaf" }, words, element("span", { class: "quiet" }, deep(one).toLocaleString("en"))),
      );
      if (children.has(one.id)) item.append(level(one.id));
      list.append(item);
    }
    return list;
  };
  if (!shown.datasets.length) return element("p", { class: "quiet" }, "No datasets yet.");
  const all = element("a", { href: `/projects/${shown.id}`, "aria-current": within ? null : "page" }, "All images");
  const part = element(
    "div",
    {},
    element("div", { class: "leaf all" }, all, element("span", { class: "quiet" }, shown.images.toLocaleString("en"))),
    level(null),
  );
  return part;
}

/**
 * @param {Project} shown
 * @param {Set<number>} hidden
 * @param {() => void} changed
 */
function classPanel(shown, hidden, changed) {
  const { classes, tags } = shown.meta;
  /** @type {Map<string, HTMLElement>} */
  const places = new Map();
  const list = element("ul", { class: "classes" });
  for (const one of classes) {
    const check = element("input", { type: "checkbox", checked: true, "aria-label": `Show ${one.title}` });
    check.addEventListener("change", () => {
      if (check.checked) hidden.delete(one.id);
      else hidden.add(one.id);
      changed();
    });
    const number = element("span", { class: "quiet number" });
    places.set(`class ${one.id}`, number);
    list.append(
      element(
        "li",
        {},
        element("label", {}, check, swatch(one.color), element("span", { class: "name", title: one.title }, one.title)),
        element("span", { class: "quiet" }, one.shape ?? ""),
        number,
      ),
    );
  }
  const marks = element("ul", { class: "classes" });
  for (const one of tags) {
    const number = element("span", { class: "quiet number" });
    places.set(`tag ${one.id}`, number);
    marks.append(
      element(
        "li",
        {},
        element(
          "span",
          { class: "label" },
          swatch(one.color),
          element("span", { class: "name", title: one.name }, one.name),
        ),
        element("span", { class: "quiet" }, one.value_type === "none" ? "" : (one.value_type ?? "").replace("_", " ")),
        number,
      ),
    );
  }
  const progress = element("p", { class: "quiet" });
  const parts = [
    classes.length ? list : element("p", { class: "quiet" }, "No classes yet."),
    element("h2", {}, "Tags"),
    tags.length ? marks : element("p", { class: "quiet" }, "No tags yet."),
    progress,
  ];
  if (classes.length || tags.length) counting(shown, places, progress);
  return panel("Classes", ...parts);
}

/**
 * Counts how often classes and tags are used, a stretch after the other.
 * @param {Project} shown
 * @param {Map<string, HTMLElement>} places
 * @param {HTMLElement} progress
 */
async function counting(shown, places, progress) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  let [after, images, stretches] = [/** @type {number | null} */ (0), 0, 0];
  const step = async () => {
    const part = await call("autoflow.overview.counts", { id: shown.id, after });
    images += part.images;
    for (const [kind, of, members] of [
      ["class", part.classes, ["objects"]],
      ["tag", part.tags, ["objects", "images"]],
    ]) {
      for (const [number, counted] of Object.entries(of)) {
        const name = `${kind} ${number}`;
        sums.set(
          name,
          (sums.get(name) ?? 0) +
            members.reduce((/** @type {number} */ sum, /** @type {string} */ member) => sum + counted[member], 0),
        );
      }
    }
    for (const [name, place] of places) place.textContent = (sums.get(name) ?? 0).toLocaleString("en");
    after = part.after;
    progress.textContent = after === null ? "" : `Counted in ${count(images, "labeled image")} so far.`;
  };
  const go = async (/** @type {number} */ most) => {
    try {
      for (stretches = 0; after !== null && stretches < most; stretches += 1) await step();
    } catch {
      progress.textContent = "The counts could not be read.";
      return;
    }
    if (after === null) return;
    const rest = element("button", { type: "button" }, "Count the rest");
    rest.addEventListener("click", () => {
      rest.remove();
      go(Infinity);
    });
    progress.append(" ", rest);
  };
  await go(COUNTED);
}

/** The images, and what chooses among them. */
class Images {
  /**
   * @param {Project} shown
   * @param {Dataset | null} within
   * @param {Set<number>} hidden
   */
  constructor(shown, within, hidden) {
    this.shown = shown;
    this.hidden = hidden;
    this.place = within ? { dataset: within.id } : { project: shown.id };
    this.classes = new Map(shown.meta.classes.map((one) => [one.id, one]));
    const query = new URLSearchParams(location.search);
    this.find = element("input", {
      type: "search",
      placeholder: "Part of a name",
      "aria-label": "Find images by name",
      maxlength: 300,
    });
    this.find.value = query.get("q") ?? "";
    this.labeled = element("select", { "aria-label": "Which images" });
    for (const [value, words] of [
      ["", "All images"],
      ["yes", "With labels"],
      ["no", "Without labels"],
    ]) {
      this.labeled.append(element("option", { value: value ?? "" }, words ?? ""));
    }
    this.labeled.value = query.get("labeled") ?? "";
    this.drawn = element("input", { type: "checkbox", checked: true });
    this.number = element("span", { class: "quiet", role: "status" });
    this.holder = element("div", {});
    this.element = element(
      "section",
      { class: "images", "aria-label": "Images" },
      element(
        "div",
        { class: "row bar" },
        this.find,
        this.labeled,
        element("label", { class: "row" }, this.drawn, "Labels"),
        this.number,
      ),
      this.holder,
    );
    this.start = Number(query.get("at")) || 0;
    this.timer = 0;
    /** @type {Grid<Image> | null} */
    this.grid = null;
    this.asking = new AbortController();
  }

  begin() {
    this.find.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.again(), 250);
    });
    this.labeled.addEventListener("change", () => this.again());
    this.drawn.addEventListener("change", () => this.redraw());
    this.load();
  }

  again() {
    this.start = 0;
    this.load();
  }

  redraw() {
    this.grid?.redraw();
  }

  wanted() {
    const labeled = { yes: true, no: false }[this.labeled.value];
    return { ...this.place, q: this.find.value.trim(), ...(labeled === undefined ? {} : { labeled }) };
  }

  async load() {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const first = await call("autoflow.overview.images", { ...this.wanted(), start: 0, limit: 1 }, signal);
      this.draw(first.total);
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
  }

  /** @param {number} total */
  draw(total) {
    this.grid?.end();
    this.grid = null;
    this.keep(Math.min(this.start, Math.max(0, total - 1)));
    this.number.textContent = count(total, "image");
    if (!total) {
      const nothing = this.find.value || this.labeled.value;
      this.holder.replaceChildren(
        nothing
          ? emptyState("No image is like that", "Choose others above.")
          : emptyState("No images yet", "Images that an app uploads stand here, with their labels drawn."),
      );
      return;
    }
    const wanted = this.wanted();
    this.grid = new Grid(
      {
        load: async (start, limit, signal) => {
          const part = await call("autoflow.overview.images", { ...wanted, start, limit }, signal);
          return { items: part.images, total: part.total };
        },
        make: (image) => this.cell(image),
        blank: () => element("div", { class: "cell skeleton", tabindex: -1 }),
        label: "Images",
        height: (width) => Math.round(width * 0.75) + WORDS,
        least: LEAST,
        gap: GAP,
        moved: (first) => this.keep(first),
        failed: (error) => announce(error instanceof Error ? error.message : String(error)),
      },
      total,
      this.start,
    );
    this.holder.replaceChildren(this.grid.element);
  }

  /** @param {number} first the place in view, kept in the address */
  keep(first) {
    const state = new URLSearchParams();
    if (this.find.value.trim()) state.set("q", this.find.value.trim());
    if (this.labeled.value) state.set("labeled", this.labeled.value);
    if (first) state.set("at", String(first));
    clearTimeout(this.kept);
    this.kept = setTimeout(
      () => history.replaceState(null, "", `${location.pathname}${state.size ? `?${state}` : ""}`),
      150,
    );
  }

  /** @param {Image} image */
  cell(image) {
    const picture = element("div", { class: "picture" }, image.kept ? preview(image.id, "") : missing(""));
    const words = image.labels ? count(image.labels, "label") : "no labels";
    const made = element(
      "a",
      { class: "cell", href: `/images/${image.id}`, title: image.name },
      picture,
      element("span", { class: "name" }, image.name),
      element("span", { class: "quiet" }, words),
    );
    if (this.drawn.checked)
      requestAnimationFrame(() => overlay(picture, image, image.objects, this.classes, this.hidden));
    return made;
  }
}
