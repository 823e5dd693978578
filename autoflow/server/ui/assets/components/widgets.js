// @ts-check
/** What the pages of things are put together from: facts, lists of runs, parts of lists, what is copied. */
import { count, drawn, element, isPath, moment } from "../dom.js";

const COLOUR = /^#[0-9a-f]{3,8}$/i;
const PLAIN = "#8a94a6";
const TICK = "M4 12.5l5 5L20 6.5";
const COPY = "M8 8h12v12H8zM4 16V4h12";
const STATES = { running: "Running", finished: "Finished", failed: "Failed", ended: "Ended", lost: "Lost" };
/** @type {Record<string, string>} */
const DID = { input: "read it", output: "wrote it", "input output": "read and wrote it" };
const MINUTE = 60_000;
/** @type {[number, string][]} */
const AGES = [
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
];

/**
 * @typedef {{id: number, name: string, state: string, startedAt: string, finishedAt: string | null,
 *   directions?: string[]}} Run
 * @typedef {{runs: Run[], total: number}} Users
 */

/**
 * Makes a link to a page of this server; without a usable address plain words.
 * @param {string | null | undefined} href
 * @param {...(Node | string)} words
 */
export function link(href, ...words) {
  return isPath(href) ? element("a", { href }, ...words) : element("span", {}, ...words);
}

/**
 * Shows facts, each a name and what it is; those of nothing are left out.
 * @param {[string, Node | string | number | null | undefined][]} facts
 */
export function factList(facts) {
  const list = element("dl", { class: "facts" });
  for (const [name, value] of facts) {
    const nothing =
      value instanceof Element
        ? !value.textContent && !value.childElementCount
        : value === null || value === undefined || value === "";
    if (nothing) continue;
    list.append(element("dt", {}, name), element("dd", {}, value instanceof Node ? value : String(value)));
  }
  return list;
}

/**
 * Shows a time: how long ago, with the clock's time at hand.
 * @param {string | null | undefined} at
 */
export function time(at) {
  const when = at ? new Date(at) : null;
  if (!at || !when || Number.isNaN(when.getTime())) return element("span", {}, "");
  return element("time", { datetime: at, title: moment(at) }, ago(when) ?? moment(at));
}

/** @param {Date} when */
function ago(when) {
  let passed = (Date.now() - when.getTime()) / MINUTE;
  if (passed < 0) return null;
  if (passed < 1) return "just now";
  for (const [most, word] of AGES) {
    if (passed < most) return `${count(Math.floor(passed), word)} ago`;
    passed /= most;
  }
  return null;
}

const TASK = /\btask(?: with id:?)? #?(\d{1,15})\b/i;

/**
 * A text in which the first run it names is a link, as in "Backup before task 64767".
 * @param {string} text
 */
export function withRun(text) {
  const found = TASK.exec(text);
  if (!found) return [text];
  const end = found.index + found[0].length;
  return [text.slice(0, found.index), element("a", { href: `/apps/sessions/${found[1]}` }, found[0]), text.slice(end)];
}

/**
 * Shows how long something took or takes.
 * @param {string | null} from
 * @param {string | null} until
 */
export function lasting(from, until) {
  if (!from) return "";
  const seconds = Math.max(0, ((until ? new Date(until).getTime() : Date.now()) - new Date(from).getTime()) / 1000);
  if (Number.isNaN(seconds)) return "";
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** @param {string} state of a run */
export function stateBadge(state) {
  const known = /** @type {Record<string, string>} */ (STATES)[state];
  return element("span", { class: `status ${known ? state : "lost"}` }, known ?? state);
}

/**
 * A square of a colour; what is no colour is grey.
 * @param {unknown} colour
 */
export function swatch(colour) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  made.style.backgroundColor = safeColour(colour);
  return made;
}

/** @param {unknown} colour */
export function safeColour(colour) {
  return typeof colour === "string" && COLOUR.test(colour) ? colour : PLAIN;
}

/**
 * Lists the runs that read or wrote something.
 * @param {Users} users
 * @param {string} nothing what is said when there are none
 */
export function userList(users, nothing) {
  if (!users.runs.length) return element("p", { class: "quiet" }, nothing);
  const list = element("ul", { class: "lines" });
  for (const run of users.runs) {
    const directions = run.directions ?? [];
    const did = DID[directions.join(" ")];
    list.append(
      element(
        "li",
        {},
        element("a", { href: `/apps/sessions/${run.id}` }, run.name),
        element("span", { class: "quiet" }, did ? `${did} · ` : "", time(run.startedAt)),
        stateBadge(run.state),
      ),
    );
  }
  const more = users.total - users.runs.length;
  const part = element("div", {}, list);
  if (more > 0) part.append(element("p", { class: "quiet" }, `and ${count(more, "more run")}`));
  return part;
}

/**
 * A button that copies a text, and says so.
 * @param {string} text
 * @param {string} [name] what is copied
 */
export function copyButton(text, name = "Copy") {
  const button = element(
    "button",
    { type: "button", class: "plain copy", "aria-label": name, title: name },
    drawn(COPY),
  );
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      select(button.previousElementSibling ?? button);
      return;
    }
    button.replaceChildren(drawn(TICK));
    announce("Copied");
    setTimeout(() => button.replaceChildren(drawn(COPY)), 1500);
  });
  return button;
}

/** @param {Element} part where the clipboard is closed: its text is selected, to be copied by hand */
function select(part) {
  getSelection()?.selectAllChildren(part);
  announce("Selected: copy it with the keyboard");
}

/**
 * A command to copy.
 * @param {string} text
 */
export function command(text) {
  return element("div", { class: "command" }, element("code", {}, text), copyButton(text, `Copy: ${text}`));
}

const teller = element("div", { class: "unseen", role: "status", "aria-live": "polite" });
document.body.append(teller);

/**
 * Says something to who cannot see it.
 * @param {string} words
 */
export function announce(words) {
  teller.textContent = words;
}

/**
 * A list that goes on at the push of a button, or when its end comes into view.
 * @param {HTMLElement} list
 * @param {() => Promise<boolean>} load appends a part; gives whether there is more
 * @param {boolean} more whether there is
 */
export function goingOn(list, load, more) {
  const button = element("button", { type: "button" }, "Show more");
  const part = element("div", { class: "going-on" }, list, button);
  button.hidden = !more;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      button.hidden = !(await load());
      button.textContent = "Show more";
    } catch (error) {
      button.textContent = `${error instanceof Error ? error.message : error} Try again`;
    }
    button.disabled = false;
  });
  return part;
}

/**
 * A part of a page with its heading.
 * @param {string} title
 * @param {...(Node | string)} content
 */
export function panel(title, ...content) {
  return element("section", { class: "card panel" }, element("h2", {}, title), ...content);
}

/**
 * What stands where something is being loaded.
 * @param {number} rows
 */
export function waiting(rows) {
  const part = element("div", { class: "page waiting" });
  for (let n = 0; n < rows; n += 1) part.append(element("div", { class: "skeleton" }));
  return part;
}
