// @ts-check
/** Elements and words; text is only ever text. */

const SVG = "http://www.w3.org/2000/svg";
const PATH = /^\/(?![/\\])\P{Cc}*$/u;

/**
 * Makes an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] false, null and undefined are left out
 * @param {...(Node | string)} children strings become text
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined)
      made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Makes a drawn icon of one path on a field of 24 x 24.
 * @param {string} drawing
 */
export function drawn(drawing) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "drawn");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", drawing);
  svg.append(path);
  return svg;
}

/**
 * Whether an address is a path of this server: what a record says may be anything.
 * @param {unknown} url
 * @returns {url is string}
 */
export function isPath(url) {
  return typeof url === "string" && PATH.test(url);
}

const MOMENT = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

/**
 * Shows an ISO 8601 time on the reader's clock; empty when it is none.
 * @param {string | null | undefined} at
 */
export function moment(at) {
  const time = at ? new Date(at) : null;
  return time && !Number.isNaN(time.getTime()) ? MOMENT.format(time) : "";
}

/**
 * Shows a number of bytes.
 * @param {number | null | undefined} bytes
 */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/**
 * Counts: ``1 run``, ``2,000 runs``.
 * @param {number} number
 * @param {string} word in the singular
 */
export function count(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}
