// @ts-check
/** What was made from an image: the versions that hold it, and the models, data and runs downstream of these. */
import { call } from "../api.js";
import { element } from "../dom.js";
import { entityType, workflowUrl } from "../entity-types.js";
import { count, errorMessage } from "../format.js";
import { panel, timeElement } from "./widgets.js";

/** @import { CardJson, ImageHolding, ImpactJson } from "../contract.js" */

const MAX_LISTED = 20; // rows of a list

/**
 * Make the panel about an image, which fills itself.
 * @param {number} image
 */
export function impactPanel(image) {
  const content = element("div", { role: "status" }, element("p", { class: "muted" }, "Looking …"));
  void load(image, content);
  return panel("Made from this image", content);
}

/**
 * @param {number} image
 * @param {HTMLElement} content
 */
async function load(image, content) {
  try {
    const impact = await call("autoflow.impact", { ref: `image:${image}` });
    content.replaceChildren(...lists(image, impact));
  } catch (error) {
    content.replaceChildren(element("p", { class: "muted" }, errorMessage(error)));
  }
}

/**
 * @param {number} image
 * @param {ImpactJson} impact
 */
function lists(image, impact) {
  const roots = new Set(impact.roots);
  const made = impact.graph.cards.filter((card) => card.key in impact.data && !roots.has(card.key));
  const weights = made.filter((card) => ["model", "model_weight"].includes(entityType(card.type).name));
  const others = made.filter((card) => !weights.includes(card));
  const runs = impact.graph.cards.filter((card) => card.key in impact.runs);
  const holdings = impact.images.filter((holding) => holding.versions > 0 || holding.image !== image);
  const parts = [
    list("Held by", holdings.map(holdingRow)),
    list(
      "Models",
      weights.map((card) => cardRow(card, impact)),
    ),
    list(
      "Other data",
      others.map((card) => cardRow(card, impact)),
    ),
    list(
      "Runs",
      runs.map((card) => cardRow(card, impact)),
    ),
  ].filter((part) => part !== null);
  if (!parts.length) parts.push(element("p", { class: "muted" }, "No version holds it, and no run has read it."));
  if (!impact.complete)
    parts.push(element("p", { class: "muted" }, `At least ${count(impact.omitted, "more card")} are not shown.`));
  parts.push(element("p", { class: "muted" }, "As text: ", element("code", {}, `autoflow impact image:${image}`)));
  return parts;
}

/**
 * @param {string} title
 * @param {HTMLElement[]} rows
 */
function list(title, rows) {
  if (!rows.length) return null;
  const more = rows.length - MAX_LISTED;
  return element(
    "section",
    {},
    element("h3", {}, title),
    element("ul", { class: "lines" }, ...rows.slice(0, MAX_LISTED)),
    more > 0 ? element("p", { class: "muted" }, `${count(more, "more")} in the text form.`) : "",
  );
}

/** @param {ImageHolding} holding */
function holdingRow(holding) {
  const { firstVersion, lastVersion, projectId } = holding;
  const range = firstVersion === lastVersion ? `V${firstVersion}` : `V${firstVersion} to V${lastVersion}`;
  const versions = holding.versions
    ? element("a", { href: `/projects/${projectId}/versions#v${lastVersion}` }, range)
    : "no version";
  return element(
    "li",
    {},
    element("a", { href: `/projects/${projectId}/datasets/${holding.datasetId}` }, holding.projectName),
    element("span", {}, versions, holding.current ? "" : ", no longer in the dataset"),
  );
}

/**
 * @param {CardJson} card
 * @param {ImpactJson} impact
 */
function cardRow(card, impact) {
  const data = impact.data[card.key];
  const run = impact.runs[card.key];
  const author = (run ?? data)?.createdBy;
  const url = workflowUrl(card);
  return element(
    "li",
    {},
    url ? element("a", { href: url }, card.title) : element("span", {}, card.title),
    element("span", { class: "muted" }, ...[author ? `${author}, ` : "", timeElement(run ? run.startedAt : card.at)]),
  );
}
