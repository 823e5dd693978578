"""The lines that ``autoflow versions diff`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from autoflow.graph.render.labels import printable
from autoflow.wire.contract.class_counts import ClassCounts
from autoflow.wire.contract.data_pages import UseCounts
from autoflow.wire.contract.versions import ItemDiff, VersionDiffResponse

MAX_LISTED_JSON = 1000  # changed items
_SIGNS: dict[Literal["added", "removed", "changed"], str] = {"added": "+", "removed": "-", "changed": "~"}
_SIDES: tuple[Literal["before", "after"], ...] = ("before", "after")
_DEFINED: tuple[Literal["classes", "tags", "datasets"], ...] = ("classes", "tags", "datasets")
_COUNTED: tuple[Literal["items", "labels", "classes", "tags", "datasets"], ...] = ("items", "labels", *_DEFINED)


def diff_lines(differences: VersionDiffResponse, tables: Mapping[str, str]) -> Iterator[str]:
    """Return the lines of a diff: counts first, then names, each table with what changed of it."""
    end = differences["to"]
    other = f"version:{end['id']} (V{end['version']})" if end else "now"
    start = differences["from"]
    yield f"project:{differences['projectId']}, version:{start['id']} (V{start['version']}) to {other}"
    counts = differences["counts"]
    if not any(counts[kind].get(status) for kind in _COUNTED if kind != "labels" for status in _SIGNS):
        yield "  nothing changed"
        return
    for counted in _COUNTED:
        by_status = {status: counts[counted].get(status, 0) for status in _SIGNS}
        if any(by_status.values()):
            yield f"  {counted:<9}" + ", ".join(f"{count:,} {status}" for status, count in by_status.items() if count)
    for kind in _DEFINED:
        for status, sign in _SIGNS.items():
            for name in differences[kind][status]:
                yield f"  {sign} {kind.rstrip('s').removesuffix('se')} {name}"
    for change in differences["changes"]:
        yield from _change_lines(change, tables)
    unlisted = sum(counts["items"].get(status, 0) for status in _SIGNS) - len(differences["changes"])
    if unlisted > 0:
        yield f"  and {unlisted:,} more; --json lists up to {MAX_LISTED_JSON:,}"


def _change_lines(change: ItemDiff, tables: Mapping[str, str]) -> Iterator[str]:
    """Return the line of a changed item, with its path before if that is another, and that of its table."""
    item = change["after"] or change["before"]
    path = shown = "/".join([*item["dataset"], item["name"]]) if item is not None else ""
    aspects = f"  ({', '.join(change['aspects'])})" if change["aspects"] else ""
    before = change["before"]
    if before is not None and {"name", "dataset"} & {*change["aspects"]}:
        shown = f"{'/'.join([*before['dataset'], before['name']])} -> {path}"
    yield f"  {_SIGNS[change['status']]} {shown}{aspects}"
    if change["status"] == "changed" and path in tables:
        yield f"      {tables[path]}"


def class_rows(classes: Sequence[ClassCounts]) -> list[tuple[str, ...]]:
    """Return the rows of a table of classes: labels and images of each before and after, and by how many more."""
    if not classes:
        return []
    rows = [
        (f"  {printable(counted['title'])}", _uses(counted, "objects"), _uses(counted, "images")) for counted in classes
    ]
    return [("  class", "labels", "images"), *rows]


def _uses(counted: ClassCounts, name: Literal["objects", "images"]) -> str:
    before, after = (_number(counted[side], name) for side in _SIDES)
    difference = (after or 0) - (before or 0)
    sides = " -> ".join("-" if number is None else f"{number:,}" for number in (before, after))
    return f"{sides}  ({difference:+,})" if difference else sides


def _number(uses: UseCounts | None, name: Literal["objects", "images"]) -> int | None:
    return None if uses is None else uses[name]
