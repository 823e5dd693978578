// @ts-check
/** A team file: what it is, which run made it, which read it, the files its path had; a look inside, never run. */

import { call } from "../api.js";
import { inside } from "../components/file-preview.js";
import { folderList, folderPage, pathCrumbs } from "../components/folder-page.js";
import { copyButton, factList, panel, time, userList, waiting } from "../components/widgets.js";
import { count, element, size } from "../dom.js";
import { begin, crumbs, failed, show } from "../header.js";

/**
 * @typedef {{id: number, name: string, path: string, size: number, mime: string, createdAt: string, teamId: number,
 *   sha256: string | null, folder: string, current: boolean, replacedBy: number | null, createdBy: string | null,
 *   users: import("../components/widgets.js").Users}} File
 * @typedef {{id: number, sha256: string | null, size: number, createdAt: string, current: boolean, number: number,
 *   count: number, tasks: number[]}} Past
 */

const { facts, query } = begin();
show(waiting(2));
try {
  const path = query.get("path");
  if (facts.file === undefined) await folderPage(path ?? "/", Number(query.get("team")) || null);
  else {
    const file = /** @type {File} */ (await call("autoflow.overview.file", { id: Number(facts.file) }));
    const [past, folder] = await Promise.all([
      call("autoflow.files.history", { id: file.id }),
      call("autoflow.overview.folder", { path: file.folder, team: file.teamId }).catch(() => null),
    ]);
    draw(file, past.files, folder);
  }
} catch (error) {
  failed(error);
}

/**
 * @param {File} file
 * @param {Past[]} past
 * @param {import("../components/folder-page.js").Folder | null} folder
 */
function draw(file, past, folder) {
  crumbs([...pathCrumbs(file.folder, file.teamId), { text: file.name }]);
  const sum = file.sha256;
  const hash =
    sum === null
      ? null
      : element(
          "span",
          { class: "command plain-command" },
          element("code", {}, sum),
          copyButton(sum, "Copy the sha256"),
        );
  const head = element(
    "header",
    { class: "head row" },
    element("h1", {}, file.name),
    element("a", { class: "button primary", href: `/storage/files/${file.id}`, download: file.name }, "Download"),
    element("a", { class: "button", href: `/file/${file.id}` }, "Open in the workflow"),
  );
  const parts = [head];
  if (!file.current) {
    const words = element("p", { class: "notice" }, "This is no longer the file at this path. ");
    if (file.replacedBy !== null)
      words.append(element("a", { href: `/files/${file.replacedBy}` }, "Open the one that took its place"));
    parts.push(words);
  }
  const writers = file.users.runs.filter((run) => run.directions?.includes("output"));
  const readers = file.users.runs.filter((run) => run.directions?.includes("input"));
  parts.push(
    element(
      "div",
      { class: "columns" },
      element(
        "div",
        {},
        panel(
          "About",
          factList([
            ["Path", element("code", {}, file.path)],
            ["Size", `${size(file.size)} (${count(file.size, "byte")})`],
            ["Type", file.mime],
            ["Uploaded", time(file.createdAt)],
            ["By", file.createdBy],
            ["sha256", hash],
            ["Number", file.id],
          ]),
        ),
        inside(file),
      ),
      element(
        "div",
        {},
        panel(
          "Written by",
          userList({ runs: writers.map(plain), total: writers.length }, "No run told that it wrote this file."),
        ),
        panel(
          "Read by",
          userList({ runs: readers.map(plain), total: readers.length }, "No run told that it read this file."),
        ),
        panel("Files of this path", history(past, file.id)),
        ...(folder ? [panel("In the same folder", folderList(folder, file.id))] : []),
      ),
    ),
  );
  show(element("div", { class: "page file" }, ...parts));
}

/** @param {import("../components/widgets.js").Run} run */
function plain(run) {
  const { directions: _, ...rest } = run;
  return { ...rest, directions: [] };
}

/**
 * @param {Past[]} past
 * @param {number} here
 */
function history(past, here) {
  const list = element("ol", { class: "lines", reversed: true });
  for (const one of past) {
    const words = `${one.number} of ${one.count}`;
    const name =
      one.id === here
        ? element("strong", { "aria-current": "true" }, words)
        : element("a", { href: `/files/${one.id}` }, words);
    const run = one.tasks[0];
    const by = run === undefined ? "" : element("a", { href: `/apps/sessions/${run}` }, `run ${run}`);
    list.append(
      element(
        "li",
        {},
        name,
        element("span", { class: "quiet" }, time(one.createdAt), " · ", size(one.size)),
        by,
        element("span", { class: "quiet" }, one.current ? "current" : ""),
      ),
    );
  }
  return list;
}
