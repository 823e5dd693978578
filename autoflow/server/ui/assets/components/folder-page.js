// @ts-check
/** Folders of team files: what is right in one, and the way down to it. */

import { call } from "../api.js";
import { drawn, element, size } from "../dom.js";
import { crumbs, emptyState, show } from "../header.js";
import { goingOn, panel, time, userList } from "./widgets.js";

/**
 * @typedef {{id: number, name: string, path: string, size: number, createdAt: string}} Line
 * @typedef {{path: string, teamId: number, folders: string[], files: Line[], next: string | null,
 *   users: import("./widgets.js").Users}} Folder
 */

const FOLDERS = 500; // that the server lists
const FOLDER = "M3 6h7l2 2h9v11H3z";
const PAGE = "M6 3h8l4 4v14H6zM14 3v4h4";

/**
 * @param {string} path
 * @param {number} team
 */
export function folderAddress(path, team) {
  return `/files?${new URLSearchParams({ path, team: String(team) })}`;
}

/**
 * The way to a folder.
 * @param {string} path
 * @param {number} team
 */
export function pathCrumbs(path, team) {
  const steps = path.split("/").filter(Boolean);
  const all = [
    { text: "Start", href: "/" },
    { text: "Team files", href: folderAddress("/", team) },
  ];
  return [
    ...all,
    ...steps.map((text, n) => ({ text, href: folderAddress(`/${steps.slice(0, n + 1).join("/")}/`, team) })),
  ];
}

/**
 * What is in a folder, as a list that goes on.
 * @param {Folder} folder
 * @param {number | null} here the file that is shown
 */
export function folderList(folder, here) {
  const list = element("ul", { class: "lines folder" });
  for (const path of folder.folders) {
    const name = path.slice(folder.path.length, -1);
    list.append(element("li", {}, drawn(FOLDER), element("a", { href: folderAddress(path, folder.teamId) }, name)));
  }
  if (folder.folders.length >= FOLDERS)
    list.append(element("li", { class: "quiet" }, `The first ${FOLDERS} folders: the search finds the others.`));
  /** @param {Line} file */
  const line = (file) =>
    element(
      "li",
      {},
      drawn(PAGE),
      file.id === here
        ? element("strong", { "aria-current": "true" }, file.name)
        : element("a", { href: `/files/${file.id}` }, file.name),
      element("span", { class: "quiet" }, size(file.size), " · ", time(file.createdAt)),
    );
  list.append(...folder.files.map(line));
  let { next } = folder;
  const load = async () => {
    const part = /** @type {Folder} */ (
      await call("autoflow.overview.folder", { path: folder.path, team: folder.teamId, after: next })
    );
    list.append(...part.files.map(line));
    next = part.next;
    return next !== null;
  };
  return goingOn(list, load, next !== null);
}

/**
 * Shows a folder.
 * @param {string} path
 * @param {number | null} team
 */
export async function folderPage(path, team) {
  const folder = /** @type {Folder} */ (await call("autoflow.overview.folder", { path, team }));
  const trail = pathCrumbs(folder.path, folder.teamId);
  crumbs(trail.map((one, n) => (n === trail.length - 1 ? { text: one.text } : one)));
  const empty = !folder.folders.length && !folder.files.length;
  const content = empty
    ? emptyState("This folder is empty", "Files that runs upload here stand here.")
    : element("div", { class: "card" }, folderList(folder, null));
  show(
    element(
      "div",
      { class: "page file" },
      element("h1", {}, folder.path === "/" ? "Team files" : folder.path),
      element(
        "div",
        { class: "columns" },
        content,
        panel("Used by", userList(folder.users, "No run named this folder.")),
      ),
    ),
  );
}
