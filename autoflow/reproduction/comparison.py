"""Comparison of a reproduction with the recorded run: files by sha256, versions by digest, inputs by what was read.

A folder is compared by the files that were uploaded to it while each run was open.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

from autoflow.model.entity_types import names_where
from autoflow.model.graph_json import DataJson
from autoflow.model.local_file import SCHEME
from autoflow.model.reproduction import (
    ADDED,
    DIFFERENT,
    INPUT,
    MISSING,
    NOT_COMPARED,
    NOT_READ,
    OUTPUT,
    READ,
    SAME,
    ComparisonRow,
)
from autoflow.wire.contract.lineage import FilesWrittenResponse, WrittenFile

_OF_PROJECTS = frozenset({"project", "project_version", "dataset"})
FILES = names_where(lambda row: row.card_type == "file")


def compare_outputs(
    recorded: Sequence[DataJson], reproduced: Sequence[DataJson], restored: Collection[int]
) -> list[ComparisonRow]:
    """Compare each recorded output with its counterpart: the file at the same path, else the one whose path shares the
    most trailing steps, because a path may contain the project's name.

    A version is compared by its digest if its project is in `restored`. Rows of other projects have other ids, so
    their digests always differ. A file of a folder that has no counterpart among the recorded files is added.
    """
    files = [output for output in reproduced if output["type"] in FILES and output.get("sha256")]
    versions = [
        output for output in reproduced if output["type"] == "project_version" and output.get("projectId") in restored
    ]
    rows = []
    for output in recorded:
        if output["type"] in FILES and output.get("sha256"):
            rows.append(_compare_file(output, files))
        elif output["type"] == "project_version" and output.get("digest") and versions:
            rows.append(_compare(output, versions.pop(0), "digest"))
        else:
            rows.append(ComparisonRow(OUTPUT, output["ref"], None, None, NOT_COMPARED))
    added = (file for file in files if file["ref"] == file.get("path"))  # see `_part_of_folder`
    return rows + [ComparisonRow(OUTPUT, _name(file), None, file.get("sha256"), ADDED, file["ref"]) for file in added]


def expand_folders(outputs: Sequence[DataJson], written: Callable[[str], FilesWrittenResponse]) -> list[DataJson]:
    """Replace each output folder by its files, except those that are outputs themselves.

    Args:
        outputs: the outputs of a run.
        written: returns the files that the run wrote into a folder. The folder itself is left if there are none, or
            if these are not all: then it is not compared.
    """
    paths = {output.get("path") for output in outputs}
    expanded: list[DataJson] = []
    for output in outputs:
        if output["type"] != "folder" or output["origin"]:
            expanded.append(output)
            continue
        response = written(str(output["id"]))
        expanded += [_part_of_folder(file) for file in response["files"] if file["path"] not in paths]
        if not response["files"] or not response["complete"]:
            expanded.append(output)
    return expanded


def _part_of_folder(file: WrittenFile) -> DataJson:
    """Return an output for a file of a folder: its path is its reference, unlike that of an output of its own."""
    path = file["path"]
    name = posixpath.basename(path)
    return {
        "type": "file",
        "ref": path,
        "id": path,
        "origin": "",
        "name": name,
        "path": path,
        "sha256": file["sha256"],
    }


def requested_names(entity: DataJson | None) -> tuple[str, ...]:
    """Return the names that the row of a requested entity may have; none unless it can be compared."""
    if entity is None or entity["type"] not in {*FILES, "folder", "project_version"}:
        return ()
    return tuple(name for name in (entity.get("path"), entity["ref"]) if name)


def mark_requested(rows: Sequence[ComparisonRow], names: Collection[str]) -> list[ComparisonRow]:
    """Mark the output that the reproduction was asked for.

    Args:
        rows: the compared outputs.
        names: path and reference of a requested file, folder or version, empty if something else was requested. If
            no row has one of them, a row is added: what was requested could not be compared.
    """
    folders = tuple(name.rstrip("/") + "/" for name in names if name.startswith("/"))
    marked = [row._replace(requested=row.name in names or row.name.startswith(folders)) for row in rows]
    if names and not any(row.requested for row in marked):
        marked.append(ComparisonRow(OUTPUT, next(iter(names)), None, None, NOT_COMPARED, requested=True))
    return marked


def _compare_file(output: DataJson, candidates: list[DataJson]) -> ComparisonRow:
    """Compare a file with the most similar candidate and remove that from the list."""
    path = output.get("path", "")
    match = max(candidates, key=lambda candidate: _similarity(path, candidate.get("path", "")), default=None)
    if match is None or not _similarity(path, match.get("path", "")):
        return ComparisonRow(OUTPUT, path, output.get("sha256"), None, MISSING)
    candidates.remove(match)
    return _compare(output, match, "sha256")


def _compare(output: DataJson, match: DataJson, field: Literal["sha256", "digest"]) -> ComparisonRow:
    recorded, reproduced = output.get(field), match.get(field)
    verdict = SAME if reproduced == recorded else DIFFERENT
    return ComparisonRow(OUTPUT, _name(output), recorded, reproduced, verdict, match["ref"])


def _name(output: DataJson) -> str:
    return output.get("path") or output["ref"]


def compare_files_read(recorded: Sequence[DataJson], inputs: Sequence[DataJson]) -> list[ComparisonRow]:
    """Compare the files that a run read with those that its reproduction read, by sha256; name what else it read.

    Projects are compared by `compare_inputs`, so a version or dataset needs no row here.
    """
    candidates: dict[bool, list[DataJson]] = {True: [], False: []}
    for entity in inputs:
        if entity["type"] in FILES:
            candidates[is_local(entity)].append(entity)
    rows = []
    for entity in recorded:
        if entity["type"] in FILES and entity.get("sha256"):
            row = _compare_file(entity, candidates[is_local(entity)])._replace(side=INPUT)
            rows.append(row._replace(verdict={SAME: READ, MISSING: NOT_READ}.get(row.verdict, row.verdict)))
        elif entity["type"] not in _OF_PROJECTS or entity["origin"] or entity["type"] == "project":
            rows.append(ComparisonRow(INPUT, _name(entity), None, None, NOT_COMPARED))
    return rows


def is_local(entity: DataJson) -> bool:
    """Return whether an entity is a file of a machine."""
    return entity["type"] in FILES and entity["origin"].startswith(SCHEME)


def compare_inputs(restored: Mapping[int, str], inputs: Sequence[DataJson]) -> list[ComparisonRow]:
    """Check that each restored project was read: the project itself, a version or a dataset of it.

    Args:
        restored: names of the restored projects by their ids.
        inputs: what the reproduction read.
    """
    read_ids = {
        entity["id"] if entity["type"] == "project" else entity.get("projectId")
        for entity in inputs
        if not entity["origin"]
    }
    return [
        ComparisonRow(INPUT, f"{name} (project:{project_id})", None, None, READ if project_id in read_ids else NOT_READ)
        for project_id, name in restored.items()
    ]


def _similarity(path: str, other: str) -> float:
    """Return the number of trailing steps two paths share; infinity for equal paths."""
    if path == other:
        return float("inf")
    reversed_steps = (posixpath.normpath(text).split("/")[::-1] for text in (path, other))
    shared = 0
    for step, other_step in zip(*reversed_steps, strict=False):
        if step != other_step:
            break
        shared += 1
    return shared
