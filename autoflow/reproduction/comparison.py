"""Comparison of a reproduction with the recorded run: files by sha256, versions by digest, inputs by what was read.

A folder is compared by the files that were uploaded to it while each run was open.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from autoflow.model.entity_types import names_where
from autoflow.model.reproduction import ADDED, DIFFERENT, MISSING, NOT_COMPARED, NOT_READ, READ, SAME, ComparisonRow
from autoflow.wire.contract.lineage import WrittenFile

FILES = names_where(lambda row: row.card_type == "file")


def compare_outputs(
    recorded: Sequence[Mapping[str, Any]], reproduced: Sequence[Mapping[str, Any]], restored: Collection[int]
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
            rows.append(ComparisonRow("output", output["ref"], None, None, NOT_COMPARED))
    added = (file for file in files if file.get("folder"))
    return rows + [ComparisonRow("output", file["path"], None, file["sha256"], ADDED, file["ref"]) for file in added]


def expand_folders(
    outputs: Sequence[Mapping[str, Any]], written: Callable[[str], Sequence[WrittenFile]]
) -> list[Mapping[str, Any]]:
    """Replace each output folder by its files, except those that are outputs themselves.

    Args:
        outputs: the outputs of a run.
        written: returns the files that the run wrote into a folder. If there are none, the folder is left.
    """
    paths = {output.get("path") for output in outputs}
    expanded: list[Mapping[str, Any]] = []
    for output in outputs:
        files = written(output["id"]) if output["type"] == "folder" and not output["origin"] else []
        expanded += [
            {"type": "file", "ref": file["path"], "path": file["path"], "sha256": file["sha256"], "folder": True}
            for file in files
            if file["path"] not in paths
        ]
        expanded += [] if files else [output]
    return expanded


def requested_names(entity: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that the row of a requested entity may have; none unless it can be compared."""
    comparable = entity.get("type") in {*FILES, "folder", "project_version"}
    return tuple(str(entity[name]) for name in ("path", "ref") if comparable and entity.get(name))


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
        marked.append(ComparisonRow("output", next(iter(names)), None, None, NOT_COMPARED, requested=True))
    return marked


def _compare_file(output: Mapping[str, Any], candidates: list[Mapping[str, Any]]) -> ComparisonRow:
    """Compare a file with the most similar candidate and remove that from the list."""
    match = max(candidates, key=lambda candidate: _similarity(output["path"], candidate["path"]), default=None)
    if match is None or not _similarity(output["path"], match["path"]):
        return ComparisonRow("output", output["path"], output["sha256"], None, MISSING)
    candidates.remove(match)
    return _compare(output, match, "sha256")


def _compare(output: Mapping[str, Any], match: Mapping[str, Any], field: str) -> ComparisonRow:
    verdict = SAME if match[field] == output[field] else DIFFERENT
    return ComparisonRow(
        "output", output.get("path") or output["ref"], output[field], match[field], verdict, match["ref"]
    )


def compare_inputs(restored: Mapping[int, str], inputs: Sequence[Mapping[str, Any]]) -> list[ComparisonRow]:
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
        ComparisonRow(
            "input", f"{name} (project:{project_id})", None, None, READ if project_id in read_ids else NOT_READ
        )
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
