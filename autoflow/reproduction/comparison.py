"""What came out, beside what had come out: files by their sha256, and whether the restored data was what was read."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

SAME, DIFFERENT, MISSING, NOT_COMPARED, READ, NOT_READ = (
    "same",
    "different",
    "missing",
    "not compared",
    "read",
    "not read",
)
GOOD = {SAME, NOT_COMPARED, READ}
FILES = {"file", "model_weight"}


class Row(NamedTuple):
    """One thing compared: a file by its sha256, a version by its digest, in hexadecimal digits."""

    side: str  # input or output
    name: str
    recorded: str | None
    reproduced: str | None
    verdict: str
    ref: str | None = None  # of what was made now


def outputs(
    recorded: Sequence[Mapping[str, Any]], made: Sequence[Mapping[str, Any]], restored: Collection[int]
) -> list[Row]:
    """Every recorded output beside its counterpart: the file at the same path, else the one whose path ends most
    alike, as a path may have the project's name in it.

    A version is compared by its digest, if it is one of a project in `restored`: any other's rows have numbers that
    no other project's have.
    """
    left = [one for one in made if one["type"] in FILES and one.get("sha256")]
    versions = [one for one in made if one["type"] == "project_version" and one.get("projectId") in restored]
    rows = []
    for one in recorded:
        if one["type"] in FILES and one.get("sha256"):
            rows.append(_file(one, left))
        elif one["type"] == "project_version" and one.get("digest") and versions:
            rows.append(_row(one, one["digest"], versions.pop(0), "digest"))
        else:
            rows.append(Row("output", one["ref"], None, None, NOT_COMPARED))
    return rows


def _file(one: Mapping[str, Any], left: list[Mapping[str, Any]]) -> Row:
    found = max(left, key=lambda other: _alike(one["path"], other["path"]), default=None)
    if found is None or not _alike(one["path"], found["path"]):
        return Row("output", one["path"], one["sha256"], None, MISSING)
    left.remove(found)
    return _row(one, one["sha256"], found, "sha256")


def _row(one: Mapping[str, Any], was: str, found: Mapping[str, Any], name: str) -> Row:
    verdict = SAME if found[name] == was else DIFFERENT
    return Row("output", one.get("path") or one["ref"], was, found[name], verdict, found["ref"])


def inputs(restored: Mapping[int, str], read: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Whether each restored project, given by number and name, was read: itself, a version or a dataset of it."""
    seen = {one["id"] if one["type"] == "project" else one.get("projectId") for one in read if not one["origin"]}
    return [
        Row("input", f"{name} (project:{number})", None, None, READ if number in seen else NOT_READ)
        for number, name in restored.items()
    ]


def equal(rows: Sequence[Row]) -> bool:
    """Whether something was compared, and nothing differs."""
    return any(row.verdict == SAME for row in rows) and all(row.verdict in GOOD for row in rows)


def _alike(path: str, other: str) -> float:
    """How many last steps two paths share; equal paths are more alike than any others."""
    if path == other:
        return float("inf")
    one, two = (posixpath.normpath(given).split("/")[::-1] for given in (path, other))
    shared = 0
    for step, same in zip(one, two, strict=False):
        if step != same:
            break
        shared += 1
    return shared
