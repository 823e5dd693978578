// @ts-check
/** The legend: the types of cards in the graph, the states of runs, and what the lines of arrows mean. */
import { element } from "../dom.js";
import { ENTITY_TYPES, iconTile } from "../entity-types.js";
import { capitalize, RUN_STATES } from "../format.js";

const SVG = "http://www.w3.org/2000/svg";
/** @type {[string, string][]} dashes of a line, and its meaning */
const LINES = [
  ["", "read or written by a run"],
  ["2 3", "contains: a project its versions and datasets, a folder its files"],
  ["7 5", "written into what was read before"],
  ["8 4 1 4", "by way of cards that a filter hides"],
];

/** @param {string} dashes */
function lineSample(dashes) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 34 10");
  svg.setAttribute("class", "line-sample");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M1 5h32");
  path.setAttribute("stroke-dasharray", dashes);
  svg.append(path);
  return svg;
}

/** Make the legend; it is folded at first. */
export function legend() {
  const types = element("ul", {});
  const states = Object.keys(RUN_STATES).map((state) =>
    element("li", {}, element("span", { class: `edge-sample is-${state}` }), capitalize(state)),
  );
  const lines = LINES.map(([dashes, text]) => element("li", {}, lineSample(dashes), capitalize(text)));
  const box = element(
    "details",
    { class: "legend" },
    element("summary", { class: "button" }, "Legend"),
    element(
      "div",
      { class: "legend-box" },
      element("h2", {}, "Cards"),
      types,
      element("h2", {}, "Edge of a run"),
      element("ul", {}, ...states),
      element("h2", {}, "Arrows"),
      element("ul", {}, ...lines),
    ),
  );
  /** @param {Record<string, number>} kinds numbers of cards by type */
  const show = (kinds) =>
    types.replaceChildren(
      ...ENTITY_TYPES.filter((type) => kinds[type.name]).map((type) =>
        element("li", {}, iconTile(type), capitalize(type.label)),
      ),
    );
  return { element: box, show };
}
