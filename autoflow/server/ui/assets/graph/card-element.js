// @ts-check
/** One card as an element: picture or tile, title, link, date, badge, state; every text cut to its room by style. */
import { drawn, element, isPath, moment, size } from "../dom.js";
import { DRAWN, isState, KINDS, tile } from "./entity-types.js";
import { SMALL } from "./graph-view.js";

/** @typedef {import("./graph-view.js").Words} Words */
/** @typedef {import("./graph-view.js").CardType} CardType */

/**
 * What a screen reader says of a card.
 * @param {Words} card
 */
export function spoken(card) {
  const parts = [
    card.title,
    card.badge,
    KINDS[card.type],
    isState(card.state) ? card.state : "",
    card.unattributed ? "unattributed" : "",
    moment(card.at),
  ];
  return parts.filter(Boolean).join(", ");
}

/**
 * Where a card's link leads; null when it is no address of this server, or the card another server's.
 * @param {Words} card
 */
export function address(card) {
  return card.link && !card.origin && isPath(card.link.url) ? card.link.url : null;
}

/** @param {Words} card */
function picture(card) {
  const addresses = [card.preview, ...(card.collage ?? [])].filter(isPath);
  const frame = element("span", { class: "picture", "aria-hidden": "true" }, drawn(DRAWN[card.type] ?? ""));
  for (const src of addresses) {
    const image = element("img", { src, alt: "", loading: "lazy", decoding: "async", draggable: "false" });
    image.addEventListener("error", () => image.remove());
    // a picture of few pixels is shown as they are, not blurred
    image.addEventListener("load", () => image.classList.toggle("small", image.naturalWidth < 100));
    frame.append(image);
  }
  return frame;
}

/** @param {Words} card */
function second(card) {
  const line = element("span", { class: "second" });
  const url = address(card);
  if (card.members) {
    line.append(
      element(
        "button",
        { type: "button", class: "open", "data-open": card.key, tabindex: -1 },
        `Show all ${card.members.length}`,
      ),
    );
  } else if (card.link?.title) {
    line.append(
      url ? element("a", { href: url, tabindex: -1 }, card.link.title) : element("span", {}, card.link.title),
    );
  }
  const host = card.origin ? card.origin.replace(/^https?:\/\//, "") : "";
  // a file's name is its title already: what is left to say is the folder
  const own = `/${card.title}`;
  const described = card.description?.endsWith(own) ? card.description.slice(0, -own.length) : card.description;
  const about = [size(card.size), described, host];
  const words = about.filter(Boolean).join(" · ");
  if (words) line.append(element("span", { class: "about" }, words));
  return line;
}

/** @param {Words} card */
function third(card) {
  const line = element("span", { class: "third" });
  const date = moment(card.at);
  line.append(
    date
      ? element("time", { datetime: card.at ?? "" }, drawn("M3 5h18v16H3zM3 10h18M8 2.5V7M16 2.5V7"), date)
      : element("span", {}, KINDS[card.type]),
  );
  if (isState(card.state)) line.append(element("span", { class: `status ${card.state}` }, card.state));
  return line;
}

/**
 * The title; of a path its end stays in sight, however long it is.
 * @param {Words} card
 */
function name(card) {
  const cut = card.type === "folder" ? card.title.lastIndexOf("/") : -1;
  const made = element("span", { class: "name" });
  if (cut > 0)
    made.append(
      element("span", {}, card.title.slice(0, cut)),
      element("span", { class: "end" }, card.title.slice(cut)),
    );
  else made.append(card.title);
  return made;
}

/**
 * Fills a card's element.
 * @param {HTMLElement} at
 * @param {Words | undefined} card undefined while its words are on the way
 * @param {CardType} type
 * @param {number} height
 */
export function face(at, card, type, height) {
  at.className = `node ${type}${height > SMALL ? " tall" : ""}${card?.members ? " cluster" : ""}`;
  if (!card) {
    at.setAttribute("aria-label", KINDS[type]);
    at.replaceChildren(
      tile(type),
      element("span", { class: "lines" }, element("span", { class: "skeleton" }, "\u00a0")),
    );
    return;
  }
  at.setAttribute("aria-label", spoken(card));
  at.title = [
    card.title,
    card.name === card.title ? "" : card.name,
    card.description,
    card.seen ? `Last sign of life ${moment(card.seen)}` : "",
  ]
    .filter(Boolean)
    .join("\n");
  const head = element("span", { class: "head" }, name(card));
  if (card.badge) head.append(element("span", { class: "badge" }, card.badge));
  if (card.unattributed) head.append(element("span", { class: "badge" }, "unattributed"));
  const lines = element("span", { class: "lines" }, head, second(card), third(card));
  at.replaceChildren(height > SMALL ? picture(card) : tile(type, card.icon), lines);
}
