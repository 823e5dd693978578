// @ts-check
/** The parts of every page: its header, and its states loading, failed and empty. */
import { ApiError } from "./api.js";
import { watchConnection } from "./components/connection-notice.js";
import { handleFileDrop } from "./components/file-drop.js";
import { element } from "./dom.js";
import { capitalize, errorMessage } from "./format.js";
import { initThemeButton } from "./theme.js";

/** @typedef {{text: string, href?: string}} Crumb a page above this one; the last crumb is this page, without href */

const main = /** @type {HTMLElement} */ (document.getElementById("main"));

/**
 * Set the header up, and return what the page starts from.
 * @returns {{facts: DOMStringMap, query: URLSearchParams}} the facts that the shell gave, and the query of the address
 */
export function initPage() {
  const button = document.getElementById("theme");
  if (button) initThemeButton(button);
  const query = new URLSearchParams(location.search);
  const input = document.getElementById("find");
  if (input instanceof HTMLInputElement && location.pathname === "/search") input.value = query.get("q") ?? "";
  if (input instanceof HTMLInputElement) handleFileDrop(input, (sha256) => location.assign(`/search?q=${sha256}`));
  if (!document.documentElement.dataset.entry) watchConnection(); // the map has a line of its own
  return { facts: document.documentElement.dataset, query };
}

/**
 * Show the breadcrumbs, and set the title of the window.
 * @param {Crumb[]} path from the top down
 * @param {string} [title] the text of the last crumb by default
 */
export function showCrumbs(path, title) {
  const items = path.map(({ text, href }, n) => {
    const crumb = href ? element("a", { href }, text) : element("span", {}, text);
    if (n === path.length - 1) crumb.setAttribute("aria-current", "page");
    crumb.title = text;
    return element("li", {}, crumb);
  });
  document.getElementById("crumbs")?.replaceChildren(element("ol", {}, ...items));
  document.title = `${title ?? path[path.length - 1]?.text ?? ""} · autoflow`;
}

/**
 * Replace the content of the page, and mark it as loaded.
 * @param {...Node} content
 */
export function showContent(...content) {
  main.replaceChildren(...content);
  main.removeAttribute("aria-busy");
}

/**
 * Show an error in place of the content, with a button to try again.
 * @param {unknown} error
 * @param {() => void} [retry] reloads the page by default
 */
export function showError(error, retry) {
  const notFound = error instanceof ApiError && error.status === 404;
  const button = element("button", { type: "button" }, "Try again");
  button.addEventListener("click", () => (retry ? retry() : location.reload()));
  showContent(
    element(
      "section",
      { class: "message-page", role: "alert" },
      element("h1", {}, notFound ? "Not found" : "This page could not be loaded"),
      element("p", {}, capitalize(errorMessage(error))),
      element("p", { class: "row" }, button, element("a", { class: "button", href: "/" }, "To the start")),
    ),
  );
}

/**
 * Make the placeholder for content that does not exist yet.
 * @param {string} title
 * @param {string} hint what would create it
 * @param {...Node} more
 */
export function emptyState(title, hint, ...more) {
  return element("section", { class: "message-page" }, element("h2", {}, title), element("p", {}, hint), ...more);
}
