// @ts-check
/** What every page begins with: its header made alive, its facts, and its three states loading, failed and empty. */

import { WireError } from "./api.js";
import { element } from "./dom.js";
import { themeButton } from "./theme.js";

/** @typedef {{text: string, href?: string}} Crumb a place above this one; the last has no address */

const main = /** @type {HTMLElement} */ (document.getElementById("main"));

/**
 * Begins a page: the theme button works, the search box holds what was searched.
 * @returns {{main: HTMLElement, facts: DOMStringMap, query: URLSearchParams}}
 */
export function begin() {
  const button = document.getElementById("theme");
  if (button) themeButton(button);
  const query = new URLSearchParams(location.search);
  const find = document.getElementById("find");
  if (find instanceof HTMLInputElement && location.pathname === "/search") find.value = query.get("q") ?? "";
  return { main, facts: document.documentElement.dataset, query };
}

/**
 * Says where this page is.
 * @param {Crumb[]} path from the top down
 * @param {string} [title] of the window; the last crumb's text by default
 */
export function crumbs(path, title) {
  const items = path.map(({ text, href }, n) => {
    const words = href ? element("a", { href }, text) : element("span", {}, text);
    if (n === path.length - 1) words.setAttribute("aria-current", "page");
    words.title = text;
    return element("li", {}, words);
  });
  document.getElementById("crumbs")?.replaceChildren(element("ol", {}, ...items));
  document.title = `${title ?? path[path.length - 1]?.text ?? ""} · autoflow`;
}

/**
 * Shows the page's content; what is said to be busy no longer is.
 * @param {...Node} parts
 */
export function show(...parts) {
  main.replaceChildren(...parts);
  main.removeAttribute("aria-busy");
}

/**
 * Shows what went wrong, with a way on.
 * @param {unknown} error
 * @param {() => void} [again] tries once more
 */
export function failed(error, again) {
  const missing = error instanceof WireError && error.status === 404;
  const said = error instanceof Error ? error.message : String(error);
  const words = said.charAt(0).toUpperCase() + said.slice(1);
  const retry = element("button", { type: "button" }, "Try again");
  retry.addEventListener("click", () => (again ? again() : location.reload()));
  show(
    element(
      "section",
      { class: "state", role: "alert" },
      element("h1", {}, missing ? "Nothing is here" : "This could not be shown"),
      element("p", {}, words),
      element("p", { class: "row" }, retry, element("a", { class: "button", href: "/" }, "To the start")),
    ),
  );
}

/**
 * What stands where there is nothing yet.
 * @param {string} title
 * @param {string} words what would fill it
 * @param {...Node} more
 */
export function emptyState(title, words, ...more) {
  return element("section", { class: "state" }, element("h2", {}, title), element("p", {}, words), ...more);
}
