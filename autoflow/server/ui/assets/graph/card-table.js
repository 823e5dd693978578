// @ts-check
/** The same cards as a table: sorted by any column, read by a screen reader from first to last. */
import { element, moment } from "../dom.js";
import { address, spoken } from "./card-element.js";
import { isState, KINDS } from "./entity-types.js";

/** @typedef {import("./graph-view.js").Scene} Scene */
/** @typedef {import("./graph-view.js").Words} Words */

const ROWS = 200;

/** @type {[string, (scene: Scene, card: number) => string | number][]} */
const COLUMNS = [
  ["Name", (scene, card) => scene.of(card)?.title.toLowerCase() ?? ""],
  ["Kind", (scene, card) => KINDS[scene.type(card)]],
  ["Status", (scene, card) => scene.of(card)?.state ?? ""],
  ["Time", (scene, card) => scene.of(card)?.at ?? ""],
  ["Before", (scene, card) => scene.before(card).length],
  ["After", (scene, card) => scene.after(card).length],
];

/**
 * @param {Scene} scene
 * @param {number} card
 * @param {(card: number) => void} go
 */
function row(scene, card, go) {
  const words = scene.of(card);
  const name = element("button", { type: "button", class: "plain", title: "Show in the graph" }, words?.title ?? "");
  name.addEventListener("click", () => go(card));
  const near = (/** @type {number[]} */ cards) =>
    element(
      "td",
      {
        title: cards
          .slice(0, 10)
          .map((n) => spoken(/** @type {Words} */ (scene.of(n))))
          .join("\n"),
      },
      String(cards.length),
    );
  const url = words ? address(words) : null;
  return element(
    "tr",
    {},
    element(
      "th",
      { scope: "row" },
      name,
      ...(words?.badge ? [" ", element("span", { class: "badge" }, words.badge)] : []),
      ...(words?.unattributed ? [" ", element("span", { class: "badge" }, "unattributed")] : []),
      ...(words?.description ? [element("span", { class: "about" }, words.description)] : []),
    ),
    element("td", {}, KINDS[scene.type(card)]),
    element(
      "td",
      {},
      ...(isState(words?.state) ? [element("span", { class: `status ${words?.state}` }, words?.state ?? "")] : []),
    ),
    element("td", {}, moment(words?.at)),
    near(scene.before(card)),
    near(scene.after(card)),
    element("td", {}, ...(url && words?.link ? [element("a", { href: url }, words.link.title || "Open")] : [])),
  );
}

/**
 * The table.
 * @param {HTMLElement} at
 * @param {Scene} scene
 * @param {(card: number) => void} go shows a card in the graph
 */
export async function table(at, scene, go) {
  await scene.tellAll();
  let [sorted, down, rows] = [3, true, ROWS];
  const body = element("tbody");
  const more = element("button", { type: "button" }, "Show more rows");
  const fill = () => {
    const value = COLUMNS[sorted]?.[1] ?? (() => "");
    const order = [...scene.keys.keys()].map((card) => /** @type {const} */ ([value(scene, card), card]));
    order.sort(
      ([one, first], [other, second]) => (one < other ? -1 : one > other ? 1 : first - second) * (down ? -1 : 1),
    );
    body.replaceChildren(...order.slice(0, rows).map(([, card]) => row(scene, card, go)));
    more.hidden = rows >= order.length;
    for (const [n, head] of heads.entries()) {
      head.setAttribute("aria-sort", n === sorted ? (down ? "descending" : "ascending") : "none");
    }
  };
  const heads = COLUMNS.map(([name], n) => {
    const button = element("button", { type: "button", class: "plain" }, name);
    button.addEventListener("click", () => {
      [sorted, down] = [n, n === sorted ? !down : false];
      fill();
    });
    return element("th", { scope: "col" }, button);
  });
  more.addEventListener("click", () => {
    rows += ROWS * 5;
    fill();
  });
  fill();
  const head = element("thead", {}, element("tr", {}, ...heads, element("th", { scope: "col" }, "Link")));
  const caption = element("caption", {}, `${scene.title}: ${scene.size} cards`);
  at.replaceChildren(
    element(
      "div",
      { class: "scroll", role: "region", tabindex: 0, "aria-label": "Cards" },
      element("table", {}, caption, head, body),
    ),
    more,
  );
}
