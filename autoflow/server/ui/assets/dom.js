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
 * Make an element of a drawing.
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children strings become text nodes
 */
export function svgElement(name, attributes, ...children) {
  const created = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, String(value));
  created.append(...children);
  return created;
}

/**
 * Make an icon of lines.
 * @param {string} drawing an SVG path on a field of 24 x 24
 */
export function drawnIcon(drawing) {
  const icon = { viewBox: "0 0 24 24", "aria-hidden": "true", class: "drawn" };
  return svgElement("svg", icon, svgElement("path", { d: drawing }));
}

/**
 * Return whether a url is a path of this server. Records may hold anything as a url.
 * @param {unknown} url
 * @returns {url is string}
 */
export function isPath(url) {
  return typeof url === "string" && PATH.test(url);
}
