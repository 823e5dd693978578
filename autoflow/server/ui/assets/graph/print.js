// @ts-check
/** Prints the whole graph, whatever part of it is in sight: in light colours, on as many pages as its texts need. */
import { element } from "../dom.js";
import { Painter } from "./canvas.js";
import { fillCard } from "./card-element.js";
import { cardsInSight } from "./detail-level.js";
import { WIDTH as CARD_WIDTH } from "./graph-view.js";

/** @typedef {import("./graph-view.js").GraphView} GraphView */

const WIDTH = 1040; // pixels of an A4 page in landscape, less its margins
const HEIGHT = 660;
const MARGIN = 24; // pixels of the world above and below the graph
const GAP = 64; // pixels of the world between two columns
const COLUMN = CARD_WIDTH + GAP;
const MIN_SCALE = 0.5; // the scale at which the smallest text of a card can just be read on paper
const MAX_PAGES = 24; // a larger graph is printed smaller

/**
 * Return how the graph is spread over pages, none of which ends within a column of cards.
 * @param {GraphView} graph
 */
function spread(graph) {
  const columns = Math.max(1, Math.round((graph.width + GAP) / COLUMN));
  const height = graph.height + 2 * MARGIN;
  const fitting = Math.min(1, WIDTH / (columns * COLUMN), HEIGHT / height);
  for (let scale = Math.max(fitting, MIN_SCALE); ; scale *= 0.9) {
    const across = Math.ceil(columns / Math.ceil(WIDTH / scale / COLUMN));
    const down = Math.ceil((height * scale) / HEIGHT);
    if (across * down > MAX_PAGES && scale > fitting) continue;
    const wide = Math.ceil(columns / across);
    return { across, down, columns: wide, k: Math.min(1, WIDTH / (wide * COLUMN), (down * HEIGHT) / height) };
  }
}

/**
 * @param {GraphView} graph
 * @param {{x: number, y: number, k: number}} transform
 * @param {number} columns of cards on it
 */
function makePage(graph, transform, columns) {
  const view = { ...transform, transform, width: columns * COLUMN * transform.k, height: HEIGHT };
  const canvas = element("canvas", { class: "paint" });
  new Painter(canvas, view).paintArrows(graph);
  const world = element("div", { class: "world" });
  const { x, y, k } = transform;
  world.style.transform = `scale(${k}) translate(${-x}px, ${-y}px)`;
  for (const n of cardsInSight(graph, view)) {
    const article = element("article");
    fillCard(article, graph.detailsOf(n), graph.typeOf(n), graph.heights[n] ?? 0);
    article.classList.toggle("entry", n === graph.entry);
    article.style.setProperty("--height", `${graph.heights[n] ?? 0}px`);
    article.style.transform = `translate(${graph.x[n]}px, ${graph.y[n]}px)`;
    world.append(article);
  }
  const stage = element("div", { class: "print-stage" }, canvas, world);
  stage.style.width = `${view.width}px`;
  return stage;
}

/** @param {GraphView} graph */
function makePages(graph) {
  const { k, across, down, columns } = spread(graph);
  /** @type {HTMLElement[]} */
  const pages = [];
  for (let row = 0; row < down; row += 1) {
    for (let column = 0; column < across; column += 1) {
      const transform = { x: column * columns * COLUMN - GAP / 2, y: (row * HEIGHT) / k - MARGIN, k };
      const number = across * down > 1 ? `, page ${pages.length + 1} of ${across * down}` : "";
      const title = element("p", {}, `${graph.title}${number}`);
      pages.push(element("section", { class: "print-page" }, title, makePage(graph, transform, columns)));
    }
  }
  return pages;
}

/**
 * Make the pages when the browser prints, and remove them afterwards.
 * @param {() => GraphView | null} current
 */
export function handlePrinting(current) {
  const root = document.documentElement;
  const pages = element("div", { class: "print-pages", "aria-hidden": "true" });
  let theme = root.dataset.theme;
  addEventListener("beforeprint", () => {
    const graph = current();
    if (!graph?.size) return;
    theme = root.dataset.theme;
    root.dataset.theme = "light";
    root.classList.add("printing");
    pages.replaceChildren(...makePages(graph));
    document.body.append(pages);
  });
  addEventListener("afterprint", () => {
    if (!root.classList.contains("printing")) return;
    root.classList.remove("printing");
    if (theme === undefined) delete root.dataset.theme;
    else root.dataset.theme = theme;
    pages.remove();
  });
}
