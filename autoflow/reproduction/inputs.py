"""The data a run read, made available again: versions as new projects, files that were replaced at paths of their own.

What has no version is named, not guessed: it is used as it is now.
"""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from autoflow.api.file_io import save
from autoflow.reproduction.comparison import FILES
from autoflow.reproduction.recorded import Recorded
from autoflow.reproduction.substitution import Command, Swap, mentions

if TYPE_CHECKING:
    from autoflow.api.client import Api

Progress = Callable[[str, int, int], Any]  # what is done, how much of it, of how much


class Restored(NamedTuple):
    """A version that is a project of its own again."""

    version: Mapping[str, Any]
    project: int
    name: str


class Provided(NamedTuple):
    """What was made for a run to read.

    Args:
        projects: the restored versions.
        swaps: what stands for what.
        notes: what could not be made as it was, a sentence each.
    """

    projects: list[Restored]
    swaps: list[Swap]
    notes: list[str]


def provide(
    api: Api, run: Recorded, command: Command, provided: Provided, *, workspace: int | None, progress: Progress | None
) -> None:
    """Make the data of a run available; what is made is put into `provided` as soon as it is there."""
    for one in run.inputs:
        if one["origin"]:
            provided.notes.append(f"{one['ref']} belongs to another server and is used as it is there now")
        elif one["type"] == "project_version":
            _restore(api, one, provided, workspace, progress)
    for one in run.inputs:
        if one["origin"]:
            continue
        if one["type"] == "dataset":
            _dataset(api, one, provided)
        elif one["type"] in FILES:
            _file(api, one, command, run.ref, provided)
        elif one["type"] == "project":
            provided.notes.append(f"{one['ref']} was read without a version: its data is used as it is now")
        elif one["type"] == "folder":
            provided.notes.append(f"folder {one['id']} is used as it is now")


def _restore(
    api: Api, one: Mapping[str, Any], provided: Provided, workspace: int | None, progress: Progress | None
) -> None:
    told = (lambda done, all_: progress(one["ref"], done, all_)) if progress is not None else None
    made = api.project.version.restore(one["projectId"], version_id=one["id"], workspace_id=workspace, progress=told)
    provided.projects.append(Restored(one, made.id, made.name))
    swaps = [Swap("project", str(one["projectId"]), str(made.id)), Swap("project", one["projectName"], made.name)]
    known = {swap.old for swap in provided.swaps if swap.kind == "project"}
    if known & {swap.old for swap in swaps}:
        provided.notes.append(f"{one['ref']} is the second version read of its project; its number means the first")
    provided.swaps.extend(swap for swap in swaps if swap.old not in known)


def _dataset(api: Api, one: Mapping[str, Any], provided: Provided) -> None:
    """A dataset of a project that was restored is the one of its name in the new project."""
    for restored in provided.projects:
        if restored.version["projectId"] == one.get("projectId"):
            found = next((made for made in api.dataset.get_list(restored.project) if made.name == one["name"]), None)
            if found is not None:
                provided.swaps.append(Swap("dataset", str(one["id"]), str(found.id)))
                return
    provided.notes.append(f"{one['ref']} was read without a version of its project: it is used as it is now")


def _file(api: Api, one: Mapping[str, Any], command: Command, task: str, provided: Provided) -> None:
    """A file keeps its number; one whose path has another now, and is named by the path, gets a path of its own."""
    path = one.get("path")
    if path is None or one["current"]:
        return
    if not mentions(command, path):
        provided.notes.append(f"{path} has been replaced or removed since: {one['ref']} is only there by its number")
        return
    place = f"/reproduced/{task.replace(':', '-')}/{one['id']}/{posixpath.basename(path)}"
    with tempfile.TemporaryDirectory(prefix="autoflow-") as scratch:
        local = os.path.join(scratch, "file")
        save(api.transport.download("file-storage.download", {"id": one["id"]}), local)
        api.file.upload(one["teamId"], local, place)
    provided.swaps.append(Swap("file", path, place))


def unplaced(swaps: Sequence[Swap], command: Command) -> list[str]:
    """The swaps that have no place in a command: the app finds that data by itself."""
    placed = {(swap.kind, swap.new) for swap in command.placed}
    numbers = [swap for swap in swaps if swap.kind != "project" or swap.old.isdecimal()]
    names = {swap.new for swap in command.placed if swap.kind == "project"}
    return [
        f"nothing on the command line names {swap.kind} {swap.old}: the app has to find {swap.new} by itself"
        for swap in numbers
        if (swap.kind, swap.new) not in placed and not (swap.kind == "project" and names)
    ]
