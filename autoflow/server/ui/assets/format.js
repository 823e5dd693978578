// @ts-check
/** Formats values as text: times, durations, sizes, counts, states of runs, errors. */

const DATE_TIME = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const MINUTE = 60_000; // milliseconds
/** @type {[number, string][]} how many of a unit make one of the next */
const AGE_UNITS = [
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
];

/** @type {Readonly<Record<string, string>>} */
export const RUN_STATES = {
  running: "Running",
  finished: "Finished",
  failed: "Failed",
  ended: "Ended",
  lost: "Lost",
};

/** @param {string | undefined} state @returns {state is string} */
export function isRunState(state) {
  return state !== undefined && Object.hasOwn(RUN_STATES, state);
}

/**
 * Format an ISO 8601 time in the reader's time zone; empty if it is missing or malformed.
 * @param {string | null | undefined} at
 */
export function dateTime(at) {
  const date = at ? new Date(at) : null;
  return date && !Number.isNaN(date.getTime()) ? DATE_TIME.format(date) : "";
}

/**
 * Format the day of an ISO 8601 time in the reader's time zone; empty if it is missing or malformed.
 * @param {string | null | undefined} at
 */
export function day(at) {
  const date = new Date(at ?? "");
  return Number.isNaN(date.getTime()) ? "" : DATE.format(date);
}

/**
 * Format how long ago a time was; null if it is more than a month ago or in the future.
 * @param {Date} date
 */
export function timeAgo(date) {
  let age = (Date.now() - date.getTime()) / MINUTE;
  if (age < 0) return null;
  if (age < 1) return "just now";
  for (const [size, unit] of AGE_UNITS) {
    if (age < size) return `${count(Math.floor(age), unit)} ago`;
    age /= size;
  }
  return null;
}

/**
 * Format the time between two times.
 * @param {string | null} start
 * @param {string | null} end null for now
 */
export function duration(start, end) {
  if (!start) return "";
  const seconds = Math.max(0, ((end ? new Date(end).getTime() : Date.now()) - new Date(start).getTime()) / 1000);
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/**
 * Format a number of bytes.
 * @param {number | null | undefined} bytes
 */
export function byteSize(bytes) {
  if (bytes === null || bytes === undefined) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/**
 * Format a number with its noun: ``1 run``, ``2,000 runs``.
 * @param {number} number
 * @param {string} noun in the singular
 */
export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** @type {Record<string, string>} */
const ITEMS = { images: "image", files: "file", videos: "video", volumes: "volume" };

/**
 * Return the noun for an item of a project.
 * @param {{ type: string }} project
 */
export function itemNoun(project) {
  return ITEMS[project.type] ?? "item";
}

/** @param {string} text */
export function capitalize(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {unknown} error @returns {string} its message */
export function errorMessage(error) {
  return error instanceof Error ? error.message : String(error);
}
