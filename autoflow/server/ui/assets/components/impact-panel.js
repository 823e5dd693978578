// @ts-check
/** What was made from an image or other data: the versions that hold an image, models, other data and runs. */
import { call } from "../api.js";
import { element } from "../dom.js";
import { entityType, workflowUrl } from "../entity-types.js";
import { count, errorMessage } from "../format.js";
import { panel, timeElement } from "./widgets.js";

/** @import { CardJson, ImageHolding, ImpactJson } from "../contract.js" */

const MAX_LISTED = 20; // rows of a list

/**
 * Make the panel about an image, which fills itself.
 * @param {string} ref as image:5
 */
export function impactPanel(ref) {
  return panel("Made from this image", impactLists(ref));
}

/**
 * Make the lists of what was made from data, which fill themselves.
 * @param {string} ref as version:5
 */
export function impactLists(ref) {
  const content = element("div", { role: "status" }, element("p", { class: "muted" }, "Looking …"));
  void load(ref, content);
  return content;
}

/**
 * @param {string} ref
 * @param {HTMLElement} content
 */
async function load(ref, content) {
  try {
    const impact = await call("autoflow.impact", { ref });
    content.replaceChildren(...lists(ref, impact));
  } catch (error) {
    content.replaceChildren(element("p", { class: "muted" }, errorMessage(error)));
  }
}

/**
 * @param {string} ref
 * @param {ImpactJson} impact
 */
function lists(ref, impact) {
  const isImage = ref.startsWith("image:");
  const roots = new Set(impact.roots);
  const made = impact.graph.cards.filter((card) => card.key in impact.data && !roots.has(card.key));
  const weights = made.filter((card) => ["model", "model_weight"].includes(entityType(card.type).name));
  const others = made.filter((card) => !weights.includes(card));
  const runs = impact.graph.cards.filter((card) => card.key in impact.runs);
  const holdings = impact.images.filter((holding) => holding.versions > 0 || `image:${holding.image}` !== ref);
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
  if (!parts.length)
    parts.push(
      element(
        "p",
        { class: "muted" },
        isImage ? "No version holds it, and no run has read it." : "No run has read it.",
      ),
    );
  if (!impact.complete)
    parts.push(element("p", { class: "muted" }, `At least ${count(impact.omitted, "more card")} are not shown.`));
  parts.push(element("p", { class: "muted" }, "As text: ", element("code", {}, `autoflow impact ${ref}`)));
  if (isImage)
    parts.push(
      element("p", { class: "muted" }, "To erase it for good: ", element("code", {}, `autoflow erase ${ref}`)),
    );
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
    more > 0 ? element("p", { class: "muted" }, `${more.toLocaleString("en")} more in the text form.`) : "",
  );
}

/** @param {ImageHolding} holding */
function holdingRow(holding) {
  const { firstVersion, lastVersion, projectId } = holding;
  const all = `V${firstVersion} to V${lastVersion}, ${count(holding.versions, "version")}`;
  const range = firstVersion === lastVersion ? `V${firstVersion}` : all;
  const versions = holding.versions
    ? element("a", { href: `/projects/${projectId}/versions#v${lastVersion}` }, range)
    : "no version";
  return element(
    "li",
    {},
    element("a", { href: `/projects/${projectId}/datasets/${holding.datasetId}` }, holding.projectName),
    element("span", { class: "muted" }, holding.name),
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
