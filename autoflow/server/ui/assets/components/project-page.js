// @ts-check
/** The page of a project's data: its datasets as a tree, its classes and tags, its images as a grid. */
import { call } from "../api.js";
import { element } from "../dom.js";
import { byteSize, count, itemNoun } from "../format.js";
import { showContent, showCrumbs, showError } from "../header.js";
import { classPanel } from "./class-panel.js";
import { ImageList } from "./image-list.js";
import { projectTabs } from "./project-tabs.js";
import { factList, loadingSkeleton, panel, runList, timeElement } from "./widgets.js";

/** @import { ListedDataset, ProjectPage } from "../contract.js" */

/**
 * Load and show a project, or one of its datasets.
 * @param {string} projectId
 * @param {string | null} datasetId
 */
export async function projectPage(projectId, datasetId) {
  showContent(loadingSkeleton(3));
  try {
    const project = await call("autoflow.overview.project", { id: Number(projectId) });
    const dataset = datasetId === null ? null : (project.datasets.find(({ id }) => id === Number(datasetId)) ?? null);
    if (datasetId !== null && dataset === null) {
      // raises the server's error if there is no such dataset
      await call("autoflow.overview.images", { dataset: Number(datasetId), limit: 1 });
      throw new Error(`Dataset ${datasetId} is not in this project.`);
    }
    render(project, dataset);
  } catch (error) {
    showError(error);
  }
}

/**
 * @param {ProjectPage} project
 * @param {ListedDataset | null} dataset
 */
function render(project, dataset) {
  const path = [
    { text: "Start", href: "/" },
    { text: project.workspace.name, href: `/workspace/${project.workspace.id}` },
  ];
  if (dataset) {
    const crumbs = [...path, { text: project.name, href: `/projects/${project.id}` }, { text: dataset.name }];
    showCrumbs(crumbs, dataset.name);
  } else showCrumbs([...path, { text: project.name }]);
  const counts = dataset
    ? [count(dataset.images, itemNoun(project))]
    : [count(project.images, itemNoun(project)), count(project.datasets.length, "dataset"), byteSize(project.size)];
  const head = element(
    "header",
    { class: "head" },
    element("h1", {}, project.name),
    element("p", { class: "muted" }, counts.join(" · "), " · changed ", timeElement(project.updatedAt)),
  );
  if (project.description) head.append(element("p", { class: "prose" }, project.description));
  /** @type {Set<number>} */
  const hiddenClasses = new Set();
  const images = new ImageList(project, dataset, hiddenClasses);
  const side = element(
    "aside",
    { class: "side", "aria-label": "About the project" },
    panel("Datasets", datasetTree(project, dataset)),
    classPanel(project, hiddenClasses, () => images.redraw()),
    panel(
      "Used by",
      runList(project.users, "No run has read or written it."),
      element("p", {}, element("a", { href: `/project/${project.id}` }, "Open in the workflow")),
    ),
    panel("About", projectFacts(project)),
  );
  showContent(
    element(
      "div",
      { class: "page wide-page" },
      head,
      projectTabs(project.id, "data"),
      element("div", { class: "split" }, side, images.element),
    ),
  );
  images.init();
}

/** @param {ProjectPage} project */
function projectFacts(project) {
  const { version } = project;
  return factList([
    ["Number", project.id],
    ["Kind", project.type],
    ["Created", timeElement(project.createdAt)],
    ["By", project.createdBy],
    [
      "Last version",
      version ? element("a", { href: `/projects/${project.id}/versions` }, `V${version.version}`) : "none yet",
    ],
  ]);
}

/**
 * Make the tree of datasets, each with the number of images in it and below it.
 * @param {ProjectPage} project
 * @param {ListedDataset | null} current
 */
function datasetTree(project, current) {
  if (!project.datasets.length) return element("p", { class: "muted" }, "No datasets yet.");
  /** @type {Map<number | null, ListedDataset[]>} */
  const children = new Map();
  const ids = new Set(project.datasets.map(({ id }) => id));
  for (const dataset of project.datasets) {
    const parent = dataset.parentId !== null && ids.has(dataset.parentId) ? dataset.parentId : null;
    children.set(parent, [...(children.get(parent) ?? []), dataset]);
  }
  /** @type {(dataset: ListedDataset) => number} */
  const totalImages = (dataset) =>
    dataset.images + (children.get(dataset.id) ?? []).reduce((sum, child) => sum + totalImages(child), 0);
  /** @type {(parent: number | null) => HTMLElement} */
  const subtree = (parent) => {
    const list = element("ul", { class: "tree" });
    for (const dataset of children.get(parent) ?? []) {
      const { id, name } = dataset;
      const ariaCurrent = current?.id === id ? "page" : null;
      const href = `/projects/${project.id}/datasets/${id}`;
      const link = element("a", { href, "aria-current": ariaCurrent, title: name }, name);
      const item = element("li", {}, leaf(link, totalImages(dataset)));
      if (children.has(id)) item.append(subtree(id));
      list.append(item);
    }
    return list;
  };
  const href = `/projects/${project.id}`;
  const all = element("a", { href, "aria-current": current ? null : "page" }, `All ${itemNoun(project)}s`);
  return element("div", {}, leaf(all, project.images), subtree(null));
}

/** @param {HTMLElement} link @param {number} images */
function leaf(link, images) {
  return element("div", { class: "leaf" }, link, element("span", { class: "muted" }, images.toLocaleString("en")));
}
