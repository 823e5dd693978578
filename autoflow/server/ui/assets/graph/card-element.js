// @ts-check
/** The content of a card's element: picture or icon, title, link, date, badge, state. CSS truncates long texts. */
import { drawnIcon, element, isPath } from "../dom.js";
import { entityType, iconTile } from "../entity-types.js";
import { byteSize, dateTime, day, isRunState } from "../format.js";
import { SMALL } from "./graph-view.js";

/** @import { CardTexts } from "../contract.js" */

const ARROW_OUT = "M7 17L17 7M9 7h8v8";
const CALENDAR = "M3 5h18v16H3zM3 10h18M8 2.5V7M16 2.5V7";

/**
 * Return the name of a card for a screen reader.
 * @param {CardTexts} card
 */
export function accessibleName(card) {
  const parts = [
    card.title,
    card.badge,
    entityType(card.type).label,
    isRunState(card.state) ? card.state : "",
    card.unattributed ? "unattributed" : "",
    dateTime(card.at),
  ];
  return parts.filter(Boolean).join(", ");
}

/**
 * Return the target of a card's link; null if it is no path of this server, or the card is another server's.
 * @param {CardTexts} card
 */
export function linkTarget(card) {
  return card.link && !card.origin && isPath(card.link.url) ? card.link.url : null;
}

/** @param {CardTexts} card */
function picture(card) {
  const sources = [card.preview, ...(card.collage ?? [])].filter(isPath);
  const frame = element("span", { class: "picture", "aria-hidden": "true" }, drawnIcon(entityType(card.type).drawing));
  for (const src of sources) {
    const image = element("img", { src, alt: "", loading: "lazy", decoding: "async", draggable: "false" });
    image.addEventListener("error", () => image.remove());
    // an image of few pixels is shown with sharp pixels, not blurred
    image.addEventListener("load", () => image.classList.toggle("small", image.naturalWidth < 100));
    frame.append(image);
  }
  return frame;
}

/**
 * Return whether a card's link is drawn as an icon beside its title: a link that all cards of its type have says
 * nothing, and the second line has room for what tells them apart.
 * @param {CardTexts} card
 * @param {number} height
 */
function hasIconLink(card, height) {
  return height <= SMALL && !card.members && card.link?.title === entityType(card.type).link?.title;
}

/** @param {CardTexts} card @returns {HTMLElement[]} */
function iconLink(card) {
  const url = linkTarget(card);
  const label = card.link?.title ?? "";
  return url
    ? [element("a", { href: url, class: "go", tabindex: -1, title: label, "aria-label": label }, drawnIcon(ARROW_OUT))]
    : [];
}

/** @param {CardTexts} card @param {boolean} withLink */
function secondLine(card, withLink) {
  const line = element("span", { class: "second" });
  const url = linkTarget(card);
  if (card.members) {
    line.append(
      element(
        "button",
        { type: "button", class: "open", "data-open": card.key, tabindex: -1 },
        `Show all ${card.members.length}`,
      ),
    );
  } else if (withLink && card.link?.title) {
    line.append(
      url ? element("a", { href: url, tabindex: -1 }, card.link.title) : element("span", {}, card.link.title),
    );
  }
  const host = card.origin ? card.origin.replace(/^https?:\/\//, "") : "";
  // the description of a file is its path, and its title the last part of that: only the folder is left to show
  const ending = `/${card.title}`;
  const description = card.description?.endsWith(ending) ? card.description.slice(0, -ending.length) : card.description;
  const text = [card.summary, description, byteSize(card.size), host].filter(Boolean).join(" · ");
  if (text) line.append(element("span", { class: "about" }, text));
  return line;
}

/** @param {CardTexts} card @param {boolean} isRow */
function thirdLine(card, isRow) {
  const line = element("span", { class: "third" });
  const date = isRow ? day(card.at) : dateTime(card.at);
  line.append(
    date
      ? element("time", { datetime: card.at ?? "" }, drawnIcon(CALENDAR), date)
      : element("span", {}, entityType(card.type).label),
  );
  if (isRunState(card.state)) line.append(element("span", { class: `status ${card.state}` }, card.state));
  return line;
}

/**
 * Make the title; the end of a folder's path stays in sight, however long it is.
 * @param {CardTexts} card
 * @param {boolean} isRow whether its badge stands before it, which then need not repeat it
 */
function title(card, isRow) {
  const split = card.type === "folder" ? card.title.lastIndexOf("/") : -1;
  const text = element("span", { class: "name" });
  // where cards are compact, a group's number follows its title; a cluster's is in it
  if (card.members && card.key.startsWith("group:")) text.dataset.count = String(card.members.length);
  if (isRow && card.badge) text.append(card.title.replace(`(${card.badge}) `, ""));
  else if (split > 0) {
    text.append(
      element("span", {}, card.title.slice(0, split)),
      element("span", { class: "end" }, card.title.slice(split)),
    );
  } else text.append(card.title);
  return text;
}

/** @param {number} height */
function shapeClass(height) {
  if (height > SMALL) return "tall";
  return height < SMALL ? "slim" : "";
}

/** @param {CardTexts | undefined} card */
function stateClass(card) {
  return isRunState(card?.state) ? `is-${card?.state}` : "";
}

/**
 * Fill a card's element.
 * @param {HTMLElement} article
 * @param {CardTexts | undefined} card undefined until its details are loaded
 * @param {import("../entity-types.js").EntityType} type
 * @param {number} height
 */
export function fillCard(article, card, type, height) {
  article.className = ["node", type.name, shapeClass(height), card?.members ? "cluster" : "", stateClass(card)]
    .filter(Boolean)
    .join(" ");
  if (!card) {
    article.setAttribute("aria-label", type.label);
    article.replaceChildren(
      iconTile(type),
      element("span", { class: "lines" }, element("span", { class: "skeleton" }, "\u00a0")),
    );
    return;
  }
  article.setAttribute("aria-label", accessibleName(card));
  article.title = [
    card.title,
    card.name === card.title ? "" : card.name,
    card.summary,
    card.description,
    card.seen ? `Last activity ${dateTime(card.seen)}` : "",
  ]
    .filter(Boolean)
    .join("\n");
  const isRow = height < SMALL;
  const head = element("span", { class: "head" }, title(card, isRow));
  if (card.badge && isRow) head.prepend(element("span", { class: "badge" }, card.badge));
  else if (card.badge) head.append(element("span", { class: "badge" }, card.badge));
  if (card.unattributed) head.append(element("span", { class: "badge" }, "unattributed"));
  const withIcon = hasIconLink(card, height);
  if (withIcon) head.append(...iconLink(card));
  const lines = element("span", { class: "lines" }, head, secondLine(card, !withIcon));
  if (isRow) lines.lastElementChild?.append(...thirdLine(card, true).childNodes);
  else lines.append(thirdLine(card, false));
  article.replaceChildren(height > SMALL ? picture(card) : iconTile(type, card.icon), lines);
}
