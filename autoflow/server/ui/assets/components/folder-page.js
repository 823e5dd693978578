// @ts-check
/** Folders of team files: their content, and the breadcrumbs down to them. */

import { call } from "../api.js";
import { drawnIcon, element } from "../dom.js";
import { byteSize } from "../format.js";
import { emptyState, showContent, showCrumbs } from "../header.js";
import { infiniteList, panel, runList, timeElement } from "./widgets.js";

/** @import { FolderPage, ListedFile } from "../contract.js" */

const MAX_FOLDERS = 500; // the most that the server lists
const FOLDER_ICON = "M3 6h7l2 2h9v11H3z";
const FILE_ICON = "M6 3h8l4 4v14H6zM14 3v4h4";

/**
 * @param {string} path
 * @param {number} team
 */
export function folderUrl(path, team) {
  return `/files?${new URLSearchParams({ path, team: String(team) })}`;
}

/**
 * Return the breadcrumbs of a folder.
 * @param {string} path
 * @param {number} team
 */
export function pathCrumbs(path, team) {
  const names = path.split("/").filter(Boolean);
  const roots = [
    { text: "Start", href: "/" },
    { text: "Team files", href: folderUrl("/", team) },
  ];
  return [
    ...roots,
    ...names.map((text, n) => ({ text, href: folderUrl(`/${names.slice(0, n + 1).join("/")}/`, team) })),
  ];
}

/**
 * List the folders and files of a folder, loading more files on request.
 * @param {FolderPage} folder
 * @param {number | null} currentFile the file whose page it is
 */
export function folderList(folder, currentFile) {
  const list = element("ul", { class: "lines folder" });
  for (const path of folder.folders) {
    const name = path.slice(folder.path.length, -1);
    list.append(
      element("li", {}, drawnIcon(FOLDER_ICON), element("a", { href: folderUrl(path, folder.teamId) }, name)),
    );
  }
  if (folder.folders.length >= MAX_FOLDERS)
    list.append(
      element("li", { class: "muted" }, `Only the first ${MAX_FOLDERS} folders are listed. Search for the others.`),
    );
  /** @param {ListedFile} file */
  const line = (file) =>
    element(
      "li",
      {},
      drawnIcon(FILE_ICON),
      file.id === currentFile
        ? element("strong", { "aria-current": "true" }, file.name)
        : element("a", { href: `/files/${file.id}` }, file.name),
      element("span", { class: "muted" }, byteSize(file.size), " · ", timeElement(file.createdAt)),
    );
  list.append(...folder.files.map(line));
  let { next } = folder;
  const load = async () => {
    const page = await call("autoflow.overview.folder", { path: folder.path, team: folder.teamId, after: next ?? "" });
    list.append(...page.files.map(line));
    next = page.next;
    return next !== null;
  };
  return infiniteList(list, load, next !== null);
}

/**
 * Show the page of a folder.
 * @param {string} path
 * @param {number | null} team
 */
export async function folderPage(path, team) {
  const folder = await call("autoflow.overview.folder", { path, team });
  const trail = pathCrumbs(folder.path, folder.teamId);
  showCrumbs(trail.map((crumb, n) => (n === trail.length - 1 ? { text: crumb.text } : crumb)));
  const empty = !folder.folders.length && !folder.files.length;
  const content = empty
    ? emptyState("This folder is empty", "Files that runs upload to it are listed here.")
    : element("div", { class: "card" }, folderList(folder, null));
  showContent(
    element(
      "div",
      { class: "page file" },
      element("h1", {}, folder.path === "/" ? "Team files" : folder.path),
      element(
        "div",
        { class: "columns" },
        content,
        panel("Used by", runList(folder.users, "No run has read or written this folder.")),
      ),
    ),
  );
}
