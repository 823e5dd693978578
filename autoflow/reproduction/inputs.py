"""Restoring a run's inputs: versions become new projects, overwritten files are uploaded again to new paths.

Data without a version cannot be restored. It is used in its present state, and a note says so.
"""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autoflow.api.file_io import save
from autoflow.api.protocols import DataApi
from autoflow.model.graph_json import DataJson
from autoflow.reproduction.comparison import FILES, is_local
from autoflow.reproduction.recorded_run import RecordedRun
from autoflow.reproduction.substitution import Command, Replacement, mentions

Progress = Callable[[str, int, int], Any]  # entity, number of items done, total


class RestoredProject(NamedTuple):
    """A project that was restored from a version."""

    version: DataJson
    project: int
    name: str


class RestoredInputs(NamedTuple):
    """The data that was restored for a run.

    Args:
        projects: the restored versions.
        replacements: the recorded ids, names and paths with those of the restored data.
        notes: what could not be restored, a sentence each.
    """

    projects: list[RestoredProject]
    replacements: list[Replacement]
    notes: list[str]


def restore_inputs(
    api: DataApi,
    run: RecordedRun,
    command: Command,
    restored: RestoredInputs,
    *,
    workspace: int | None,
    progress: Progress | None,
) -> None:
    """Restore the inputs of a run; `restored` is filled step by step, so that it is complete after an error too."""
    for entity in run.inputs:
        if is_local(entity):
            restored.notes.append(f"{entity.get('path')} is used as it is now; its content is compared")
        elif entity["origin"]:
            restored.notes.append(f"{entity['ref']} belongs to another server; its present state is used")
        elif entity["type"] == "project_version":
            _restore_version(api, entity, restored, workspace, progress)
    for entity in run.inputs:
        if entity["origin"]:
            continue
        if entity["type"] == "dataset":
            _map_dataset(api, entity, restored)
        elif entity["type"] in FILES:
            _restore_file(api, entity, command, run.ref, restored)
        elif entity["type"] == "project":
            restored.notes.append(f"{entity['ref']} was read without a version; its present state is used")
        elif entity["type"] == "folder":
            restored.notes.append(f"folder {entity['id']} is used in its present state")


def _restore_version(
    api: DataApi, version: DataJson, restored: RestoredInputs, workspace: int | None, progress: Progress | None
) -> None:
    project_id, project_name = version.get("projectId"), version.get("projectName")
    if project_id is None or project_name is None:
        restored.notes.append(f"the server no longer knows {version['ref']}, so it cannot be restored")
        return
    report = (lambda done, total: progress(version["ref"], done, total)) if progress is not None else None
    project = api.project.version.restore(
        project_id, version_id=int(version["id"]), workspace_id=workspace, progress=report
    )
    restored.projects.append(RestoredProject(version, project.id, project.name))
    replacements = [
        Replacement("project", str(project_id), str(project.id)),
        Replacement("project", project_name, project.name),
    ]
    replaced = {replacement.old for replacement in restored.replacements if replacement.kind == "project"}
    if replaced & {replacement.old for replacement in replacements}:
        restored.notes.append(
            f"the run read several versions of the project of {version['ref']}; its id is replaced by that of the "
            "first restored one"
        )
    restored.replacements.extend(replacement for replacement in replacements if replacement.old not in replaced)


def _map_dataset(api: DataApi, dataset: DataJson, restored: RestoredInputs) -> None:
    """Replace a dataset of a restored project by the dataset of the same name in the new project."""
    for project in restored.projects:
        if project.version.get("projectId") == dataset.get("projectId"):
            datasets = api.dataset.get_list(project.project)
            match = next((candidate for candidate in datasets if candidate.name == dataset["name"]), None)
            if match is not None:
                restored.replacements.append(Replacement("dataset", str(dataset["id"]), str(match.id)))
                return
    restored.notes.append(f"{dataset['ref']} was read without a version of its project; its present state is used")


def _restore_file(api: DataApi, file: DataJson, command: Command, task: str, restored: RestoredInputs) -> None:
    """Upload an overwritten file to a new path if the command names it by its path; ids of files stay valid."""
    path, team_id = file.get("path"), file.get("teamId")
    if path is None or team_id is None or file.get("current"):
        return
    if not mentions(command, path):
        restored.notes.append(f"{path} was overwritten or removed since; {file['ref']} is available by its id only")
        return
    target = f"/reproduced/{task.replace(':', '-')}/{file['id']}/{posixpath.basename(path)}"
    with tempfile.TemporaryDirectory(prefix="autoflow-") as folder:
        local = os.path.join(folder, "file")
        save(api.transport.download("file-storage.download", {"id": file["id"]}), local)
        api.file.upload(team_id, local, target)
    restored.replacements.append(Replacement("file", path, target))


def unapplied_notes(replacements: Sequence[Replacement], command: Command) -> list[str]:
    """Return a note for each replacement that the command does not mention: the app locates that data by itself."""
    applied = {(replacement.kind, replacement.new) for replacement in command.applied}
    relevant = [
        replacement for replacement in replacements if replacement.kind != "project" or replacement.old.isdecimal()
    ]
    project_applied = any(replacement.kind == "project" for replacement in command.applied)
    return [
        f"the command line does not mention {replacement.kind} {replacement.old}: make sure that the app uses "
        f"{replacement.new} instead"
        for replacement in relevant
        if (replacement.kind, replacement.new) not in applied
        and not (replacement.kind == "project" and project_applied)
    ]
