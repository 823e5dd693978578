// @ts-check
/** What changed of a file that is no picture: its size, and of a table the number of rows and the columns. */

import { call } from "../api.js";
import { element } from "../dom.js";
import { byteSize } from "../format.js";

/** @import { DiffItem, ItemDiff, ItemTable } from "../contract.js" */

const TABLE_SUFFIX = /\.(csv|tsv|parquet|arrow|feather)$/i;

/**
 * Return whether an item is a file of a type that is not known, of which there is no picture.
 * @param {DiffItem} item
 */
export function isFile(item) {
  return item.hash !== null && item.mime === null && item.width === null;
}

/**
 * Make the description of a changed file.
 * @param {ItemDiff} change
 * @param {{from: number, to: number | null}} pair versions; `to` is null for the current state
 */
export function fileChange(change, pair) {
  const sides = [change.before, change.after].flatMap((item) => (item ? [byteSize(item.size ?? 0)] : []));
  const line = element("p", { class: "muted" }, [...new Set(sides)].join(" → "));
  const { before, after } = change;
  if (before && after && change.aspects.includes("bytes") && TABLE_SUFFIX.test(after.name)) {
    Promise.all([
      call("autoflow.items.table", { id: before.id, version: pair.from, rows: 0 }),
      call("autoflow.items.table", { id: after.id, ...(pair.to === null ? {} : { version: pair.to }), rows: 0 }),
    ]).then(
      ([old, now]) => line.append(`, ${tableChange(old, now)}`),
      () => {}, // it is no table that the server can read
    );
  }
  return line;
}

/**
 * Describe the change of a table.
 * @param {ItemTable} old
 * @param {ItemTable} now
 */
export function tableChange(old, now) {
  const [before, after] = [old, now].map(({ columns }) => new Map(columns.map(({ name, type }) => [name, type])));
  const parts = [`${[...new Set([old.rows, now.rows])].map((rows) => rows.toLocaleString("en")).join(" → ")} rows`];
  for (const [name, type] of after ?? []) {
    const was = before?.get(name);
    if (was === undefined) parts.push(`+ column ${name}`);
    else if (was !== type) parts.push(`column ${name}: ${was} → ${type}`);
  }
  for (const name of before?.keys() ?? []) if (!after?.has(name)) parts.push(`− column ${name}`);
  return parts.join(", ");
}
