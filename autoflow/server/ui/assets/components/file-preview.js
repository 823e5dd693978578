// @ts-check
/** A look inside a file: a picture as a picture, texts and tables as text. Nothing of it is ever run. */
import { element, size } from "../dom.js";
import { panel } from "./widgets.js";

/** @typedef {{id: number, name: string, size: number, mime: string}} File */

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"]);
const NAMED = /\.(png|jpe?g|gif|webp|bmp|avif)$/i;
const LARGEST_PICTURE = 32_000_000; // bytes
const SHOWN = 65_536; // bytes of a text
const ROWS = 200;
const COLUMNS = 50;
const TEXTS =
  /\.(txt|md|log|json|jsonl|ndjson|ya?ml|toml|ini|cfg|csv|tsv|py|js|ts|sh|html?|xml|svg|css|rst|tex|sql|r|ipynb|env|gitignore|conf|names)$/i;

/**
 * @param {File} file
 * @returns {HTMLElement} the look, or why there is none
 */
export function inside(file) {
  const type = (file.mime.split(";")[0] ?? "").trim();
  const untold = !type || type === "application/octet-stream";
  if ((PICTURES.has(type) || (untold && NAMED.test(file.name))) && file.size <= LARGEST_PICTURE) {
    const picture = element("img", { src: `/storage/files/${file.id}`, alt: file.name, class: "look" });
    const part = panel("Preview", picture);
    picture.addEventListener(
      "error",
      () => picture.replaceWith(element("p", { class: "quiet" }, "This is no picture a browser shows.")),
      { once: true },
    );
    return part;
  }
  if (type.startsWith("text/") || type === "application/json" || TEXTS.test(file.name)) {
    const part = panel("Preview", element("div", { class: "skeleton" }));
    read(file).then(
      (look) => part.lastElementChild?.replaceWith(look),
      () => part.lastElementChild?.replaceWith(element("p", { class: "quiet" }, "The file could not be read.")),
    );
    return part;
  }
  return panel(
    "Preview",
    element("p", { class: "quiet" }, "There is no preview of this kind of file: download it to look inside."),
  );
}

/** @param {File} file */
async function read(file) {
  if (!file.size) return element("p", { class: "quiet" }, "The file is empty.");
  const answer = await fetch(`/storage/files/${file.id}`, { headers: { Range: `bytes=0-${SHOWN - 1}` } });
  if (!answer.ok) throw new Error(String(answer.status));
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const whole = bytes.length >= file.size;
  const text = new TextDecoder("utf-8").decode(bytes, { stream: !whole });
  if (text.includes("\0")) return element("p", { class: "quiet" }, "This is no text.");
  const look = /\.(csv|tsv)$/i.test(file.name)
    ? table(text, whole, /\.tsv$/i.test(file.name) ? "\t" : ",")
    : plain(file, text, whole);
  const part = element("div", {}, look);
  if (!whole) part.append(element("p", { class: "quiet" }, `The first ${size(SHOWN)} of ${size(file.size)}.`));
  return part;
}

/**
 * @param {File} file
 * @param {string} text
 * @param {boolean} whole
 */
function plain(file, text, whole) {
  let words = text;
  if (whole && /\.json$/i.test(file.name)) {
    try {
      words = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // it is shown as it is
    }
  }
  return element(
    "pre",
    { class: "look", tabindex: 0, role: "region", "aria-label": `Text of ${file.name}` },
    element("code", {}, words),
  );
}

/**
 * @param {string} text
 * @param {boolean} whole
 * @param {string} between
 */
function table(text, whole, between) {
  const rows = cells(text, between);
  if (!whole) rows.pop();
  const [head = [], ...body] = rows.slice(0, ROWS + 1).map((row) => row.slice(0, COLUMNS));
  const shown = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head.map((cell) => element("th", { scope: "col" }, cell)))),
    element("tbody", {}, ...body.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell))))),
  );
  const part = element("div", { class: "scroll look", tabindex: 0, role: "region", "aria-label": "Table" }, shown);
  if (rows.length > ROWS + 1) part.append(element("p", { class: "quiet" }, `The first ${ROWS} rows.`));
  return part;
}

/**
 * Takes a table apart; a cell in quotes may hold anything, a quote in it is written twice.
 * @param {string} text
 * @param {string} between
 */
function cells(text, between) {
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let cell = "";
  let quoted = false;
  for (let n = 0; n < text.length; n += 1) {
    const letter = text[n] ?? "";
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[n + 1] === '"') {
        cell += '"';
        n += 1;
      } else quoted = false;
    } else if (letter === '"' && !cell) quoted = true;
    else if (letter === between) {
      row.push(cell);
      cell = "";
    } else if (letter === "\n") {
      rows.push([...row, cell.replace(/\r$/, "")]);
      [row, cell] = [[], ""];
    } else cell += letter;
  }
  if (cell || row.length) rows.push([...row, cell]);
  return rows;
}
