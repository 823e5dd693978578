// @ts-check
/** Makes elements and drawn icons; texts are only ever inserted as text nodes. */

const SVG = "http://www.w3.org/2000/svg";
const PATH = /^\/(?![/\\])\P{Cc}*$/u;

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] false, null and undefined are
 *   left out
 * @param {...(Node | string)} children strings become text nodes
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, attributes = {}, ...children) {
  const created = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined)
      created.setAttribute(key, value === true ? "" : String(value));
  }
  created.append(...children);
  return created;
}

/**
 * Make an icon of lines.
 * @param {string} drawing an SVG path on a field of 24 x 24
 */
export function drawnIcon(drawing) {
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
 * Return whether a url is a path of this server. Records may hold anything as a url.
 * @param {unknown} url
 * @returns {url is string}
 */
export function isPath(url) {
  return typeof url === "string" && PATH.test(url);
}
