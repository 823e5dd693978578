// @ts-check
/** Elements that several pages are made of: links, lists of facts and runs, badges, buttons, panels. */
import { drawnIcon, element, isPath } from "../dom.js";
import { count, dateTime, errorMessage, isRunState, RUN_STATES, timeAgo } from "../format.js";

const COLOUR = /^#[0-9a-f]{3,8}$/i;
const GREY = "#8a94a6";
const CHECK_ICON = "M4 12.5l5 5L20 6.5";
const COPY_ICON = "M8 8h12v12H8zM4 16V4h12";
const RUN_REFERENCE = /\btask(?: with id:?)? #?(\d{1,15})\b/i;
/** @type {Record<string, string>} */
const ACTIONS = { input: "read it", output: "wrote it", "input output": "read and wrote it" };

/** @import { Users } from "../contract.js" */

/**
 * Make a link to a page of this server; plain text if the address is no path of it.
 * @param {string | null | undefined} href
 * @param {...(Node | string)} content
 */
export function internalLink(href, ...content) {
  return isPath(href) ? element("a", { href }, ...content) : element("span", {}, ...content);
}

/**
 * Make a list of names and values; rows without a value are left out.
 * @param {[string, Node | string | number | null | undefined][]} rows
 */
export function factList(rows) {
  const list = element("dl", { class: "facts" });
  for (const [name, value] of rows) {
    const empty =
      value instanceof Element
        ? !value.textContent && !value.childElementCount
        : value === null || value === undefined || value === "";
    if (empty) continue;
    list.append(element("dt", {}, name), element("dd", {}, value instanceof Node ? value : String(value)));
  }
  return list;
}

/**
 * Show how long ago a time was, with the time itself as a tooltip.
 * @param {string | null | undefined} at
 */
export function timeElement(at) {
  const date = at ? new Date(at) : null;
  if (!at || !date || Number.isNaN(date.getTime())) return element("span", {}, "");
  return element("time", { datetime: at, title: dateTime(at) }, timeAgo(date) ?? dateTime(at));
}

/**
 * Turn the first reference to a run in a text into a link, as in "Backup before task 64767".
 * @param {string} text
 */
export function linkRun(text) {
  const match = RUN_REFERENCE.exec(text);
  if (!match) return [text];
  const end = match.index + match[0].length;
  return [text.slice(0, match.index), element("a", { href: `/apps/sessions/${match[1]}` }, match[0]), text.slice(end)];
}

/** @param {string} state of a run */
export function stateBadge(state) {
  const known = isRunState(state);
  return element("span", { class: `status ${known ? state : "lost"}` }, known ? (RUN_STATES[state] ?? state) : state);
}

/**
 * Make a small square of a colour.
 * @param {unknown} colour
 */
export function colourSwatch(colour) {
  const square = element("span", { class: "swatch", "aria-hidden": "true" });
  square.style.backgroundColor = safeColour(colour);
  return square;
}

/**
 * Return a colour that is safe to use in a style; grey instead of anything but a hexadecimal colour.
 * @param {unknown} colour
 */
export function safeColour(colour) {
  return typeof colour === "string" && COLOUR.test(colour) ? colour : GREY;
}

/**
 * List the runs that read or wrote an entity.
 * @param {Users} users
 * @param {string} placeholder shown if there are none
 */
export function runList(users, placeholder) {
  if (!users.runs.length) return element("p", { class: "muted" }, placeholder);
  const list = element("ul", { class: "lines" });
  for (const run of users.runs) {
    const action = ACTIONS[run.directions.join(" ")];
    list.append(
      element(
        "li",
        {},
        element("a", { href: `/apps/sessions/${run.id}` }, run.name),
        element("span", { class: "muted" }, action ? `${action} · ` : "", timeElement(run.startedAt)),
        stateBadge(run.state),
      ),
    );
  }
  const container = element("div", {}, list);
  const more = users.total - users.runs.length;
  if (more > 0) container.append(element("p", { class: "muted" }, `and ${count(more, "more run")}`));
  return container;
}

/**
 * Make a button that copies a text to the clipboard.
 * @param {string} text
 * @param {string} [label]
 */
export function copyButton(text, label = "Copy") {
  const button = element(
    "button",
    { type: "button", class: "plain copy", "aria-label": label, title: label },
    drawnIcon(COPY_ICON),
  );
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // the clipboard is forbidden: select the text, to be copied by hand
      getSelection()?.selectAllChildren(button.previousElementSibling ?? button);
      announce("Selected: copy it with the keyboard");
      return;
    }
    button.replaceChildren(drawnIcon(CHECK_ICON));
    announce("Copied");
    setTimeout(() => button.replaceChildren(drawnIcon(COPY_ICON)), 1500);
  });
  return button;
}

/**
 * Show a command with a button to copy it.
 * @param {string} text
 */
export function commandLine(text) {
  return element("div", { class: "command" }, element("code", {}, text), copyButton(text, `Copy: ${text}`));
}

const liveRegion = element("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
document.body.append(liveRegion);

/**
 * Announce a message to screen readers.
 * @param {string} message
 */
export function announce(message) {
  liveRegion.textContent = message;
}

/**
 * Put a button below a list that loads more of it.
 * @param {HTMLElement} list
 * @param {() => Promise<boolean>} load appends items, and resolves to whether there are more
 * @param {boolean} hasMore
 */
export function infiniteList(list, load, hasMore) {
  const button = element("button", { type: "button" }, "Show more");
  button.hidden = !hasMore;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      button.hidden = !(await load());
      button.textContent = "Show more";
    } catch (error) {
      button.textContent = `${errorMessage(error)} Try again`;
    }
    button.disabled = false;
  });
  return element("div", { class: "infinite-list" }, list, button);
}

/**
 * Make a section with a heading.
 * @param {string} title
 * @param {...(Node | string)} content
 */
export function panel(title, ...content) {
  return element("section", { class: "card panel" }, element("h2", {}, title), ...content);
}

/**
 * Make the placeholder of content that is being loaded.
 * @param {number} rows
 */
export function loadingSkeleton(rows) {
  const page = element("div", { class: "page loading" });
  for (let n = 0; n < rows; n += 1) page.append(element("div", { class: "skeleton" }));
  return page;
}
