// @ts-check
/** What each kind of card is called and how it looks without a look of its own; the drawings are the package's. */
import { drawn, element } from "../dom.js";

/** @typedef {import("./graph-view.js").CardType} CardType */
/** @typedef {import("./graph-view.js").Words} Words */

/** @type {Record<CardType, string>} */
export const KINDS = {
  project: "project",
  project_version: "version",
  dataset: "dataset",
  file: "file",
  model_weight: "model weight",
  folder: "folder",
  task: "run",
  job: "labeling job",
  app_session: "app session",
};

/** @type {Record<CardType, readonly [string, string]>} colour and background */
export const COLORS = {
  project: ["#2f6fd6", "#e3ecff"],
  project_version: ["#6b4fd8", "#ece8ff"],
  dataset: ["#0f7c8a", "#dff5f7"],
  file: ["#53627a", "#e8edf4"],
  model_weight: ["#b35900", "#ffefdc"],
  folder: ["#9a6a00", "#fff1cc"],
  task: ["#2f6fd6", "#e3ecff"],
  job: ["#a8327f", "#fde7f5"],
  app_session: ["#1b7f4b", "#e0f5ea"],
};

/** @type {Record<string, string>} */
export const DRAWN = {
  project: "M4 4h16v16H4zM4 16l5-5 4 4 3-3 4 4M15 7.5a1 1 0 1 0 .1 0",
  project_version: "M6 3h12v18l-6-4.5L6 21zM9 9l2.2 2.2L15.5 7",
  dataset: "M4 6c0-4 16-4 16 0s-16 4-16 0v12c0 4 16 4 16 0V6M4 12c0 4 16 4 16 0",
  file: "M6 2.5h8.5L19 7v14.5H6zM14 2.5V7.5h5M9.5 12h6M9.5 16h6",
  model_weight:
    "M5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 1 0 0 5M5 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 1 0 0 5M19 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 1 0 0 5M7.4 7.9l9.2 3.4M7.4 16.1l9.2-3.4",
  folder: "M3 5h6l2.5 3H21v11.5H3z",
  task: "M12 2.5a9.5 9.5 0 1 0 0 19 9.5 9.5 0 1 0 0-19M10 8l6 4-6 4z",
  job: "M3 3h8.5L21.5 13 13 21.5 3 11.5zM7.5 7a.6.6 0 1 0 .1 0",
  app_session: "M2.5 4h19v16h-19zM2.5 9h19M5.5 6.5h.1M8.5 6.5h.1M7 13l2.5 2L7 17M12 17h4.5",
  archive: "M3 4h18v5H3zM4.5 9v11h15V9M9.5 13h5",
  assignment: "M5 4.5h14V21H5zM9 2.5h6V6H9zM8.5 11h7M8.5 15.5h5",
  dashboard: "M3.5 3.5h7v9h-7zM14 3.5h6.5v5H14zM14 12h6.5v8.5H14zM3.5 16h7v4.5h-7z",
  "graduation-cap": "M1.5 9.5L12 4.5l10.5 5L12 14.5zM6 12v5c3 3 9 3 12 0v-5M22 10v6.5",
};

const COLOR = /^#[0-9a-fA-F]{3,8}$/;
const NAME = /^[a-z0-9-]{1,64}$/;
const STATES = ["finished", "failed", "running", "ended", "lost"];

/** @param {string | undefined} state @returns {state is string} whether it is one there is */
export function isState(state) {
  return state !== undefined && STATES.includes(state);
}

/**
 * The tile with a card's icon: the named one where the font is installed, else the drawn one.
 * @param {CardType} type
 * @param {import("./graph-view.js").Icon} [icon] as asked for
 */
export function tile(type, icon) {
  const [color, background] = COLORS[type];
  const made = element("span", { class: "tile", "aria-hidden": "true" });
  const asked = icon && NAME.test(icon.name) ? icon.name.replace(/^zmdi-/, "") : "";
  made.style.color = asked && icon && COLOR.test(icon.color) ? icon.color : color;
  made.style.background = asked && icon && COLOR.test(icon.background) ? icon.background : background;
  if (asked && document.documentElement.dataset.icons === "zmdi")
    made.append(element("i", { class: `zmdi zmdi-${asked}` }));
  else made.append(drawn(DRAWN[asked] ?? DRAWN[type] ?? ""));
  return made;
}

/**
 * The workflow's address around a card; empty where none can be entered.
 * @param {Words} card
 */
export function workflowOf(card) {
  const entries = /** @type {Record<string, string>} */ ({
    project: "project",
    task: "task",
    file: "file",
    model_weight: "file",
  });
  const entry = entries[card.type];
  if (entry && !card.origin && !card.members && typeof card.id === "number") return `/${entry}/${card.id}`;
  const parent = card.parent?.match(/^project:(\d+)$/);
  return parent ? `/project/${parent[1]}` : "";
}
