// @ts-check
/** The page of a team file or folder: facts, a preview, the runs that wrote and read it, earlier files at its path. */

import { call } from "../api.js";
import { filePreview } from "../components/file-preview.js";
import { folderList, folderPage, pathCrumbs } from "../components/folder-page.js";
import { copyButton, factList, loadingSkeleton, panel, runList, timeElement } from "../components/widgets.js";
import { element } from "../dom.js";
import { byteSize, count } from "../format.js";
import { initPage, showContent, showCrumbs, showError } from "../header.js";

/** @import { AliasMove, FileModel, FilePage, FolderPage, HistoryFile, UsingRun } from "../contract.js" */

const { facts, query } = initPage();
showContent(loadingSkeleton(2));
try {
  const path = query.get("path");
  if (facts.file === undefined) await folderPage(path ?? "/", Number(query.get("team")) || null);
  else {
    const file = await call("autoflow.overview.file", { id: Number(facts.file) });
    const [history, folder, ...moves] = await Promise.all([
      call("autoflow.files.history", { id: file.id }),
      call("autoflow.overview.folder", { path: file.folder, team: file.teamId }).catch(() => null),
      ...file.models.map(({ model }) => call("autoflow.models.history", { name: model, teamId: file.teamId })),
    ]);
    const moved = moves.flatMap((response) => response.moves);
    render(file, history.files, folder, moved);
  }
} catch (error) {
  showError(error);
}

/**
 * @param {FilePage} file
 * @param {HistoryFile[]} history
 * @param {FolderPage | null} folder
 * @param {AliasMove[]} moves
 */
function render(file, history, folder, moves) {
  showCrumbs([...pathCrumbs(file.folder, file.teamId), { text: file.name }]);
  const sha256 = file.sha256;
  const hash =
    sha256 === null
      ? null
      : element(
          "span",
          { class: "command plain-command" },
          element("code", {}, sha256),
          copyButton(sha256, "Copy the sha256"),
        );
  const head = element(
    "header",
    { class: "head row" },
    element("h1", {}, file.name),
    element("a", { class: "button primary", href: `/storage/files/${file.id}`, download: file.name }, "Download"),
    element("a", { class: "button", href: `/file/${file.id}` }, "Open in the workflow"),
  );
  const content = [head];
  if (!file.current) {
    const text = element("p", { class: "notice" }, "Another file has replaced this one at its path. ");
    if (file.replacedBy !== null)
      text.append(element("a", { href: `/files/${file.replacedBy}` }, "Open the current file"));
    content.push(text);
  }
  const writers = file.users.runs.filter((run) => run.directions.includes("output"));
  const readers = file.users.runs.filter((run) => run.directions.includes("input"));
  content.push(
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
            ["Size", `${byteSize(file.size)} (${count(file.size, "byte")})`],
            ["Type", file.mime],
            ["Uploaded", timeElement(file.createdAt)],
            ["By", file.createdBy],
            ["Model", modelLinks(file.models)],
            ["sha256", hash],
            ["Number", file.id],
          ]),
        ),
        filePreview(file, `/storage/files/${file.id}`),
      ),
      element(
        "div",
        {},
        panel(
          "Written by",
          runList({ runs: writers.map(withoutDirections), total: writers.length }, "No recorded run wrote this file."),
        ),
        panel(
          "Read by",
          runList({ runs: readers.map(withoutDirections), total: readers.length }, "No recorded run read this file."),
        ),
        ...(moves.length ? [panel("Aliases", moveList(moves))] : []),
        panel("Files at this path", historyList(history, file.id), compareLink(history, file.id)),
        ...(folder ? [panel("In the same folder", folderList(folder, file.id))] : []),
      ),
    ),
  );
  showContent(element("div", { class: "page file" }, ...content));
}

/**
 * Link the versions of models that the file is to their graphs.
 * @param {FileModel[]} models
 */
function modelLinks(models) {
  const links = element("span", { class: "row" });
  for (const { model, version, aliases } of models) {
    const named = aliases.length ? ` (${aliases.join(", ")})` : "";
    const href = `/file?path=${encodeURIComponent(`model:${model}@${version}`)}`;
    links.append(element("a", { href }, `${model} V${version}${named}`));
  }
  return links;
}

/**
 * List when aliases of the file's models moved, by whom and why.
 * @param {AliasMove[]} moves
 */
function moveList(moves) {
  const list = element("ol", { class: "lines", reversed: true });
  for (const move of moves) {
    const change = `${move.alias}: ${move.before ?? "-"} → ${move.version ?? "-"}`;
    const reason = move.reason ? `, ${move.reason}` : "";
    list.append(element("li", {}, timeElement(move.at), ` ${change}, by ${move.who}${reason}`));
  }
  return list;
}

/** Drop the directions, which the heading of the list says. @param {UsingRun} run */
function withoutDirections(run) {
  const { directions: _, ...rest } = run;
  return { ...rest, directions: [] };
}

/**
 * Link to the comparison of the run that wrote a file with the run that wrote the file before it.
 * @param {HistoryFile[]} history the latest first
 * @param {number} currentId
 */
function compareLink(history, currentId) {
  const index = history.findIndex(({ id }) => id === currentId);
  const [own, before] = [history[index]?.tasks[0], history[index + 1]?.tasks[0]];
  if (own === undefined || before === undefined || own === before) return "";
  const href = `/runs/compare?runs=${before},${own}`;
  return element("p", {}, element("a", { class: "button", href }, "Compare with the file before"));
}

/**
 * List the files that were uploaded to the same path.
 * @param {HistoryFile[]} history
 * @param {number} currentId
 */
function historyList(history, currentId) {
  const list = element("ol", { class: "lines", reversed: true });
  for (const earlier of history) {
    const text = `${earlier.number} of ${earlier.count}`;
    const name =
      earlier.id === currentId
        ? element("strong", { "aria-current": "true" }, text)
        : element("a", { href: `/files/${earlier.id}` }, text);
    const run = earlier.tasks[0];
    const by = run === undefined ? "" : element("a", { href: `/apps/sessions/${run}` }, `run ${run}`);
    list.append(
      element(
        "li",
        {},
        name,
        element("span", { class: "muted" }, timeElement(earlier.createdAt), " · ", byteSize(earlier.size)),
        by,
        element("span", { class: "muted" }, earlier.current ? "current" : ""),
      ),
    );
  }
  return list;
}
