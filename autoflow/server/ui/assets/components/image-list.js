// @ts-check
/** The images of a project or dataset: a grid with filters, whose state is in the address. */
import { call } from "../api.js";
import { element } from "../dom.js";
import { count, errorMessage, itemNoun } from "../format.js";
import { emptyState, showError } from "../header.js";
import { Grid } from "./grid.js";
import { overlay } from "./label-drawing.js";
import { missingImage, thumbnail } from "./thumbnails.js";
import { announce } from "./widgets.js";

/** @import { LabeledImage, ListedDataset, ProjectPage } from "../contract.js" */

const MIN_CELL_WIDTH = 150; // pixels
const GAP = 12;
const CAPTION_HEIGHT = 44;
const INPUT_DELAY = 250; // milliseconds without a key before the filter is applied
const URL_DELAY = 150;

/** Shows images, filtered by name and by whether they have labels. */
export class ImageList {
  /**
   * @param {ProjectPage} project
   * @param {ListedDataset | null} dataset
   * @param {Set<number>} hiddenClasses
   */
  constructor(project, dataset, hiddenClasses) {
    this.hiddenClasses = hiddenClasses;
    this.isOfFiles = project.type === "files";
    this.noun = itemNoun(project);
    this.scope = dataset ? { dataset: dataset.id } : { project: project.id };
    this.classes = new Map(project.meta.classes.map((labelClass) => [labelClass.id, labelClass]));
    const query = new URLSearchParams(location.search);
    this.nameFilter = element("input", {
      type: "search",
      placeholder: "Part of a name",
      "aria-label": `Find ${this.noun}s by name`,
      maxlength: 300,
    });
    this.nameFilter.value = query.get("q") ?? "";
    this.labelFilter = element(
      "select",
      { "aria-label": `Which ${this.noun}s` },
      element("option", { value: "" }, `All ${this.noun}s`),
      element("option", { value: "yes" }, "With labels"),
      element("option", { value: "no" }, "Without labels"),
    );
    this.labelFilter.value = query.get("labeled") ?? "";
    this.showLabels = element("input", { type: "checkbox", checked: true });
    this.total = element("span", { class: "muted", role: "status" });
    this.container = element("div", {});
    this.element = element(
      "section",
      { class: "images", "aria-label": "Images" },
      element(
        "div",
        { class: "row bar" },
        this.nameFilter,
        this.labelFilter,
        element("label", { class: "row" }, this.showLabels, "Labels"),
        this.total,
      ),
      this.container,
    );
    this.start = Number(query.get("at")) || 0;
    this.inputTimer = 0;
    this.urlTimer = 0;
    /** @type {Grid<LabeledImage> | null} */
    this.grid = null;
    this.request = new AbortController();
  }

  /** Load the images; once the element is in the page. */
  init() {
    this.nameFilter.addEventListener("input", () => {
      clearTimeout(this.inputTimer);
      this.inputTimer = setTimeout(() => this.reset(), INPUT_DELAY);
    });
    this.labelFilter.addEventListener("change", () => this.reset());
    this.showLabels.addEventListener("change", () => this.redraw());
    void this.load();
  }

  /** Load the images from the first one on, after a filter has changed. */
  reset() {
    this.start = 0;
    void this.load();
  }

  redraw() {
    this.grid?.redraw();
  }

  /** @returns {object} the parameters that select images */
  filters() {
    const labeled = { yes: true, no: false }[this.labelFilter.value];
    return { ...this.scope, q: this.nameFilter.value.trim(), ...(labeled === undefined ? {} : { labeled }) };
  }

  async load() {
    this.request.abort();
    this.request = new AbortController();
    const { signal } = this.request;
    const filters = this.filters();
    try {
      const { total } = await call("autoflow.overview.images", { ...filters, start: 0, limit: 1 }, signal);
      this.render(total, filters);
    } catch (error) {
      if (!signal.aborted) showError(error);
    }
  }

  /** @param {number} total @param {object} filters that the images were counted with */
  render(total, filters) {
    this.grid?.dispose();
    this.grid = null;
    this.saveUrl(Math.min(this.start, Math.max(0, total - 1)));
    this.total.textContent = count(total, this.noun);
    if (!total) {
      const filtered = this.nameFilter.value || this.labelFilter.value;
      this.container.replaceChildren(
        filtered
          ? emptyState(`No ${this.noun} matches`, `Change the filters above to see other ${this.noun}s.`)
          : this.isOfFiles
            ? emptyState("No files yet", "Files of a folder that is imported appear here.")
            : emptyState("No images yet", "Images that an app uploads appear here with their labels."),
      );
      return;
    }
    this.grid = new Grid(
      {
        load: async (start, limit, signal) => {
          const page = await call("autoflow.overview.images", { ...filters, start, limit }, signal);
          return { items: page.images, total: page.total };
        },
        render: (image) => this.cell(image),
        placeholder: () => element("div", { class: "cell skeleton", tabindex: -1 }),
        label: "Images",
        height: (width) => Math.round(width * 0.75) + CAPTION_HEIGHT,
        minWidth: MIN_CELL_WIDTH,
        gap: GAP,
        onScroll: (first) => this.saveUrl(first),
        onResize: (images) => {
          this.total.textContent = count(images, this.noun);
        },
        onError: (error) => announce(errorMessage(error)),
      },
      total,
      this.start,
    );
    this.container.replaceChildren(this.grid.element);
  }

  /** Write the filters and the position into the address. @param {number} first the index of the first image in view */
  saveUrl(first) {
    const params = new URLSearchParams();
    if (this.nameFilter.value.trim()) params.set("q", this.nameFilter.value.trim());
    if (this.labelFilter.value) params.set("labeled", this.labelFilter.value);
    if (first) params.set("at", String(first));
    clearTimeout(this.urlTimer);
    this.urlTimer = setTimeout(
      () => history.replaceState(null, "", `${location.pathname}${params.size ? `?${params}` : ""}`),
      URL_DELAY,
    );
  }

  /** @param {LabeledImage} image */
  cell(image) {
    const hasPicture = image.stored && !(this.isOfFiles && image.width === null);
    const picture = element("div", { class: "picture" }, hasPicture ? thumbnail(image.id, "") : missingImage(""));
    const labels = this.isOfFiles ? "" : image.labels ? count(image.labels, "label") : "no labels";
    const link = element(
      "a",
      { class: "cell", href: `/images/${image.id}`, title: image.name },
      picture,
      element("span", { class: "name" }, image.name),
      element("span", { class: "muted" }, labels),
    );
    if (this.showLabels.checked) {
      requestAnimationFrame(() => overlay(picture, image, image.objects, this.classes, this.hiddenClasses));
    }
    return link;
  }
}
