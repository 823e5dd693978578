// @ts-check
/** Entity types as the page shows them; the rows are Python's registry, served as a module of data. */
import { drawnIcon, element } from "./dom.js";
import { DRAWINGS, ENTITY_TYPES } from "./entity-types-data.js";

export { ENTITY_TYPES };

/** @typedef {import("./entity-types-data.js").EntityType} EntityType */

/** @type {Map<string, EntityType>} */
const BY_NAME = new Map(ENTITY_TYPES.map((type) => [type.name, type]));
const COLOR = /^#[0-9a-fA-F]{3,8}$/;
const ICON_NAME = /^[a-z0-9-]{1,64}$/;

/**
 * Return the row of a type; a name that the registry lacks gets the row of a file under its own name.
 * @param {string} name
 * @returns {EntityType}
 */
export function entityType(name) {
  const file = /** @type {EntityType} */ (BY_NAME.get("file"));
  return BY_NAME.get(name) ?? { ...file, name, label: name, plural: name };
}

/**
 * Make the tile with a card's icon: the named icon where the icon font is installed, else a drawing.
 * @param {EntityType} type
 * @param {import("./contract.js").CardIcon} [icon] the customised one, not validated
 */
export function iconTile(type, icon) {
  const tile = element("span", { class: "tile", "aria-hidden": "true" });
  const name = icon && ICON_NAME.test(icon.name) ? icon.name.replace(/^zmdi-/, "") : "";
  // the style sheet mixes them with the surface in dark colours
  tile.style.setProperty("--ink", name && icon && COLOR.test(icon.color) ? icon.color : type.color);
  tile.style.setProperty("--ground", name && icon && COLOR.test(icon.background) ? icon.background : type.background);
  if (name && document.documentElement.dataset.icons === "zmdi") {
    tile.append(element("i", { class: `zmdi zmdi-${name}` }));
  } else tile.append(drawnIcon(DRAWINGS[name] ?? type.drawing));
  return tile;
}

/**
 * Return the address of the workflow around a card; empty if the card has no page of its own.
 * @param {import("./contract.js").CardTexts | import("./contract.js").CardJson} card
 */
export function workflowUrl(card) {
  const { workflow } = entityType(card.type);
  if (workflow && !card.origin && !card.members?.length && typeof card.id === "number") {
    return workflow.replace("{id}", String(card.id));
  }
  const parent = card.parent?.match(/^project:(\d+)$/);
  return parent ? `/project/${parent[1]}` : "";
}
