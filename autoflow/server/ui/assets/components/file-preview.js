// @ts-check
/** Previews of files: images as images, texts and tables as text. No content of a file is ever executed. */

import { element } from "../dom.js";
import { byteSize, count, errorMessage } from "../format.js";
import { panel } from "./widgets.js";

/** @import { ItemTable, ListedFile } from "../contract.js" */
/** @typedef {Pick<ListedFile, "name" | "mime" | "size">} PreviewedFile */

const IMAGE_TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"]);
const IMAGE_SUFFIX = /\.(png|jpe?g|gif|webp|bmp|avif)$/i;
const BINARY_TABLES = new Set(["parquet", "arrow", "feather"]);
const MAX_IMAGE_SIZE = 32_000_000; // bytes
const MAX_TEXT_SIZE = 65_536; // bytes
const MAX_ROWS = 200;
const MAX_COLUMNS = 50;
const TEXT_SUFFIXES = new Set(
  (
    "txt md log json jsonl ndjson yaml yml toml ini cfg csv tsv py js ts sh htm html xml svg css rst tex sql r ipynb " +
    "env gitignore conf names"
  ).split(" "),
);

/**
 * Make the preview of a file, or say why there is none.
 * @param {PreviewedFile} file
 * @param {string} address of its bytes
 * @param {() => Promise<ItemTable>} [readTable] reads a table that the browser cannot
 * @returns {HTMLElement}
 */
export function filePreview(file, address, readTable) {
  const type = (file.mime.split(";")[0] ?? "").trim();
  const suffix = (/\.([^.]*)$/.exec(file.name)?.[1] ?? "").toLowerCase();
  const unknownType = !type || type === "application/octet-stream";
  if ((IMAGE_TYPES.has(type) || (unknownType && IMAGE_SUFFIX.test(file.name))) && file.size <= MAX_IMAGE_SIZE) {
    const picture = element("img", { src: address, alt: file.name, class: "preview" });
    const section = panel("Preview", picture);
    picture.addEventListener(
      "error",
      () =>
        picture.replaceWith(
          element("p", { class: "muted" }, "The browser cannot show this image. Download it instead."),
        ),
      { once: true },
    );
    return section;
  }
  if (type.startsWith("text/") || type === "application/json" || TEXT_SUFFIXES.has(suffix)) {
    const section = panel("Preview", element("div", { class: "skeleton" }));
    loadText(file, address).then(
      (preview) => section.lastElementChild?.replaceWith(preview),
      () => section.lastElementChild?.replaceWith(element("p", { class: "muted" }, "The file could not be loaded.")),
    );
    return section;
  }
  if (readTable && BINARY_TABLES.has(suffix)) {
    const section = panel("Preview", element("div", { class: "skeleton" }));
    readTable().then(
      (table) => section.lastElementChild?.replaceWith(binaryTable(table)),
      (error) => section.lastElementChild?.replaceWith(element("p", { class: "muted" }, errorMessage(error))),
    );
    return section;
  }
  return panel(
    "Preview",
    element("p", { class: "muted" }, "Files of this type have no preview. Download the file instead."),
  );
}

/**
 * @param {PreviewedFile} file
 * @param {string} address
 */
async function loadText(file, address) {
  if (!file.size) return element("p", { class: "muted" }, "The file is empty.");
  const response = await fetch(address, { headers: { Range: `bytes=0-${MAX_TEXT_SIZE - 1}` } });
  if (!response.ok) throw new Error(String(response.status));
  const bytes = new Uint8Array(await response.arrayBuffer());
  const complete = bytes.length >= file.size;
  const text = new TextDecoder("utf-8").decode(bytes, { stream: !complete });
  if (text.includes("\0")) return element("p", { class: "muted" }, "This file is not text. Download it instead.");
  const preview = /\.(csv|tsv)$/i.test(file.name)
    ? tableElement(text, complete, /\.tsv$/i.test(file.name) ? "\t" : ",")
    : textElement(file, text, complete);
  const section = element("div", {}, preview);
  if (!complete)
    section.append(
      element("p", { class: "muted" }, `Showing the first ${byteSize(MAX_TEXT_SIZE)} of ${byteSize(file.size)}.`),
    );
  return section;
}

/**
 * @param {PreviewedFile} file
 * @param {string} text
 * @param {boolean} complete
 */
function textElement(file, text, complete) {
  let content = text;
  if (complete && /\.json$/i.test(file.name)) {
    try {
      content = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // not JSON: show it unchanged
    }
  }
  return element(
    "pre",
    { class: "preview", tabindex: 0, role: "region", "aria-label": `Text of ${file.name}` },
    element("code", {}, content),
  );
}

/**
 * @param {string} text
 * @param {boolean} complete
 * @param {string} separator
 */
function tableElement(text, complete, separator) {
  const rows = parseTable(text, separator);
  if (!complete) rows.pop();
  const section = rowsElement(rows);
  if (rows.length > MAX_ROWS + 1)
    section.append(element("p", { class: "muted" }, `Showing the first ${MAX_ROWS} rows.`));
  return section;
}

/** @param {ItemTable} table */
function binaryTable(table) {
  const heads = table.columns.map(({ name, type }) => `${name} (${type})`);
  const counts = `${count(table.rows, "row")}, ${count(table.columns.length, "column")}`;
  const shown = table.sample.length < table.rows ? `, the first ${table.sample.length} of them below` : "";
  const section = rowsElement([heads, ...table.sample]);
  section.prepend(element("p", { class: "muted" }, counts + shown));
  return section;
}

/**
 * Make a table of texts; the first row has the names of the columns.
 * @param {string[][]} rows
 */
function rowsElement(rows) {
  const [head = [], ...body] = rows.slice(0, MAX_ROWS + 1).map((row) => row.slice(0, MAX_COLUMNS));
  const table = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head.map((cell) => element("th", { scope: "col" }, cell)))),
    element("tbody", {}, ...body.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell))))),
  );
  return element("div", { class: "scroll preview", tabindex: 0, role: "region", "aria-label": "Table" }, table);
}

/**
 * Parse CSV; a cell in quotes may hold separators and line breaks, and quotes that are doubled.
 * @param {string} text
 * @param {string} separator
 */
function parseTable(text, separator) {
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  let row = [];
  let cell = "";
  let inQuotes = false;
  for (let n = 0; n < text.length; n += 1) {
    const char = text[n] ?? "";
    if (inQuotes) {
      if (char !== '"') cell += char;
      else if (text[n + 1] === '"') {
        cell += '"';
        n += 1;
      } else inQuotes = false;
    } else if (char === '"' && !cell) inQuotes = true;
    else if (char === separator) {
      row.push(cell);
      cell = "";
    } else if (char === "\n") {
      rows.push([...row, cell.replace(/\r$/, "")]);
      [row, cell] = [[], ""];
    } else cell += char;
  }
  if (cell || row.length) rows.push([...row, cell]);
  return rows;
}
