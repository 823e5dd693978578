// @ts-check
/** What is known of the selected card, what lies before and after it, and where to go from here. */
import { count, drawn, element, moment, size } from "../dom.js";
import { address } from "./card-element.js";
import { isState, KINDS, tile, workflowOf } from "./entity-types.js";

/** @typedef {import("./graph-view.js").Scene} Scene */
/** @typedef {import("./graph-view.js").Words} Words */
/**
 * @typedef {object} Ways
 * @property {(card: number) => void} go to another card
 * @property {() => void} close
 * @property {(key: string, side: "upstream" | "downstream" | "both") => void} focus
 * @property {(key: string) => void} open a cluster
 */

const LISTED = 12;
const SAYS = { upstream: "Came from", downstream: "Led to" };

/** @param {[string, Node | string][]} rows */
function facts(rows) {
  const parts = rows
    .filter(([, value]) => value !== "")
    .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element("dl", { class: "facts" }, ...parts);
}

/** @param {Words} card @returns {[string, Node | string][]} */
function known(card) {
  const state = isState(card.state) ? element("span", { class: `status ${card.state}` }, card.state) : "";
  const time = moment(card.at);
  return [
    ["Kind", KINDS[card.type]],
    ["Name", card.name === card.title ? "" : card.name],
    ["About", card.description ?? ""],
    ["Status", state],
    ["Last sign of life", card.seen ? element("time", { datetime: card.seen }, moment(card.seen)) : ""],
    ["Attributed", card.unattributed ? "No: it holds records of which it is not known what run caused them" : ""],
    ["Version", card.badge ?? ""],
    ["Time", time ? element("time", { datetime: card.at ?? "" }, time) : ""],
    ["Size", size(card.size)],
    ["By", card.author ?? ""],
    [card.type === "folder" ? "Path" : "Number", card.members ? "" : String(card.id)],
    ["Server", card.origin ?? ""],
  ];
}

/** @param {Words} card */
function links(card) {
  const made = [];
  const url = address(card);
  if (url && card.link?.title) made.push(element("a", { class: "button primary", href: url }, card.link.title));
  const workflow = workflowOf(card);
  if (workflow && workflow !== location.pathname)
    made.push(element("a", { class: "button", href: workflow }, "Its own workflow"));
  return made;
}

/**
 * @param {Scene} scene
 * @param {number} card
 * @param {"upstream" | "downstream"} side
 * @param {Ways} ways
 */
function side(scene, card, side, ways) {
  const near = side === "upstream" ? scene.before(card) : scene.after(card);
  const all = scene.reach(card, side).cards.size;
  const left = scene.more.get(card)?.[side === "upstream" ? 0 : 1] ?? 0;
  const said = [count(all, "card"), left ? `${left} more not shown` : ""].filter(Boolean).join(", ");
  const items = near.slice(0, LISTED).map((n) => {
    const button = element("button", { type: "button", class: "plain" }, scene.of(n)?.title ?? KINDS[scene.type(n)]);
    button.addEventListener("click", () => ways.go(n));
    return element("li", {}, button);
  });
  if (near.length > LISTED) items.push(element("li", { class: "quiet" }, `and ${near.length - LISTED} more`));
  const title = element("h3", {}, `${SAYS[side]} `, element("span", { class: "quiet" }, said));
  return element("section", {}, title, ...(items.length ? [element("ul", { class: "near" }, ...items)] : []));
}

/**
 * Fills the panel.
 * @param {HTMLElement} at
 * @param {Scene} scene
 * @param {number} card
 * @param {Ways} ways
 */
export function panel(at, scene, card, ways) {
  const words = scene.of(card);
  const key = scene.keys[card] ?? "";
  if (!words) return;
  const close = element(
    "button",
    { type: "button", class: "plain", "aria-label": "Close" },
    drawn("M6 6l12 12M18 6L6 18"),
  );
  close.addEventListener("click", ways.close);
  const button = (/** @type {string} */ text, /** @type {() => void} */ done) => {
    const made = element("button", { type: "button" }, text);
    made.addEventListener("click", done);
    return made;
  };
  const focus = words.members
    ? [button(`Show all ${words.members.length}`, () => ways.open(key))]
    : [
        button("Only upstream", () => ways.focus(key, "upstream")),
        button("Only downstream", () => ways.focus(key, "downstream")),
        button("Both ways", () => ways.focus(key, "both")),
      ];
  at.replaceChildren(
    element("header", {}, tile(words.type, words.icon), element("h2", { tabindex: -1 }, words.title), close),
    facts(known(words)),
    element("p", { class: "row" }, ...links(words)),
    element("p", { class: "row" }, ...focus),
    side(scene, card, "upstream", ways),
    side(scene, card, "downstream", ways),
  );
}
