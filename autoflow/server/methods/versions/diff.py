"""What changed from one version of a project to another, or to its current state: ``autoflow.versions.diff``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.server.db import items, json_codec, projects
from autoflow.server.errors import Invalid
from autoflow.server.operations import Operation
from autoflow.server.paging import chunks
from autoflow.server.request_parser import RequestParser
from autoflow.server.versions import diff as difference
from autoflow.server.versions import snapshot, versions
from autoflow.server.versions.diff import ASPECTS, EpochRange, ItemChange
from autoflow.server.versions.snapshot import SnapshotRef
from autoflow.wire import methods

PAGE = 100
LARGEST = 1000

Parts = dict[str, list[str]]  # names of what was added, removed, changed
Side = tuple[SnapshotRef, Mapping[int, tuple[str, ...]]]  # a moment, and where its datasets stand


def _parts(before: Mapping[Any, tuple[str, Any]], after: Mapping[Any, tuple[str, Any]]) -> Parts:
    """Compare things by what they are told by: each has a name and its content."""
    return {
        "added": [name for key, (name, _) in after.items() if key not in before],
        "removed": [name for key, (name, _) in before.items() if key not in after],
        "changed": [one[0] for key, one in after.items() if key in before and before[key] != one],
    }


def _entries(meta: Mapping[str, Any], kind: str, name: str) -> dict[Any, tuple[str, Any]]:
    return {entry["id"]: (entry[name], entry) for entry in meta[kind]}


def _standing(found: Sequence[RowMapping]) -> dict[Any, tuple[str, Any]]:
    known, places = snapshot.original_ids(list(found)), snapshot.dataset_paths(list(found))
    return {
        known[row["id"]]: ("/".join(places[row["id"]]), (row["parent_id"], row["description"], row["custom_data"]))
        for row in found
    }


def compared(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """How many of an image's labels were added, removed and changed.

    Equal ones are the same, wherever they stand; of the others, those of one number are one that changed.
    """
    was, now = (
        [(one["id"], json_codec.dump({**one, "id": 0}, canonical=True)) for one in side] for side in (before, after)
    )
    same = Counter(text for _, text in was) & Counter(text for _, text in now)
    left = [_but(side, same) for side in (was, now)]
    changed = len(left[0] & left[1])
    return Counter(added=len(left[1]) - changed, removed=len(left[0]) - changed, changed=changed)


def _but(side: Sequence[tuple[int, str]], same: Counter[str]) -> set[int]:
    """The numbers of the labels that have no equal on the other side."""
    left = Counter(same)
    others = set()
    for number, text in side:
        if left[text]:
            left[text] -= 1
        else:
            others.add(number)
    return others


_PICKS: tuple[Callable[[ItemChange], int | None], ...] = (attrgetter("before"), attrgetter("after"))


class _Shapes:
    """Changes as the wire shows them: each with the item as it was and as it is."""

    def __init__(self, conn: Connection, before: Side, after: Side) -> None:
        self._rows = conn
        self._sides = (before, after)

    def of(self, part: Sequence[ItemChange]) -> Iterator[dict[str, Any]]:
        """Shape changes, with what became of their labels."""
        found = [
            difference.items_by_id(self._rows, moment, [number for one in part if (number := pick(one)) is not None])
            for pick, (moment, _) in zip(_PICKS, self._sides, strict=True)
        ]
        hashes = {row["annotation"] for side in found for row in side.values()} - {None}
        texts = items.read_documents(self._rows, sorted(hashes))
        for change in part:
            rows = [side.get(pick(change) or 0) for side, pick in zip(found, _PICKS, strict=True)]
            objects = [texts[row["annotation"]]["objects"] if row and row["annotation"] else [] for row in rows]
            shapes = [_item(row, places) if row else None for row, (_, places) in zip(rows, self._sides, strict=True)]
            yield {
                "status": change.status,
                "aspects": list(change.aspects),
                "before": shapes[0],
                "after": shapes[1],
                "labels": _told(compared(*objects)),
            }


def _item(row: RowMapping, places: Mapping[int, tuple[str, ...]]) -> dict[str, Any]:
    plain = ("id", "name", "hash", "link", "mime", "size", "width", "height", "description", "labels")
    return {
        **{name: row[name] for name in plain},
        "datasetId": row["dataset_id"],
        "dataset": list(places[row["dataset_id"]]),
        "meta": json_codec.load(row["meta"]),
        "tags": json_codec.load(row["tags"]),
    }


def _told(counted: Mapping[str, int]) -> dict[str, int]:
    return {name: counted.get(name, 0) for name in ("added", "removed", "changed")}


def _turned(change: ItemChange) -> ItemChange:
    status = {"added": "removed", "removed": "added"}.get(change.status, change.status)
    return ItemChange(status, change.after, change.before, change.aspects, (change.labels[1], change.labels[0]))


def _counts(found: Sequence[ItemChange]) -> dict[str, Any]:
    aspects = Counter(aspect for change in found for aspect in change.aspects)
    before, after = (sum(change.labels[side] for change in found) for side in (0, 1))
    return {
        "items": {**_told(Counter(change.status for change in found)), **{name: aspects[name] for name in ASPECTS}},
        "labels": {"before": before, "after": after},
    }


def _epochs(conn: Connection, request: RequestParser) -> tuple[RowMapping, RowMapping | None, int]:
    """The versions a request names, and the epoch of the second: without one that being written."""
    first = versions.get(conn, request.number("from"))
    if not request.has("to"):
        return first, None, projects.get(conn, first["project_id"])["epoch"]
    second = versions.get(conn, request.number("to"))
    if second["project_id"] != first["project_id"]:
        raise Invalid(f"versions {first['id']} and {second['id']} are of two projects")
    return first, second, second["epoch"]


def diff(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.versions.diff``: counts, the names of what changed in classes, tags and datasets, a page of items.

    Of all changed items, ``labels`` counts those added, removed and changed only when the body's ``labels`` asks for
    it, as each document must be read; of the items of the page they are counted always.
    """
    first, second, until = _epochs(conn, request)
    limit = min(max(request.number("limit") if request.has("limit") else PAGE, 0), LARGEST)
    span = EpochRange(first["project_id"], *sorted((first["epoch"], until)))
    found = difference.find_changes(conn, span)
    if until < first["epoch"]:
        found = [_turned(change) for change in found]
    moments = [SnapshotRef(span.project, epoch) for epoch in (first["epoch"], until)]
    standing = [snapshot.datasets_at(conn, moment) for moment in moments]
    metas = [snapshot.meta_at(conn, moment) for moment in moments]
    parts = {
        "classes": _parts(*(_entries(meta, "classes", "title") for meta in metas)),
        "tags": _parts(*(_entries(meta, "tags", "name") for meta in metas)),
        "datasets": _parts(*(_standing(side) for side in standing)),
    }
    counts = {**_counts(found), **{kind: {how: len(names) for how, names in of.items()} for kind, of in parts.items()}}
    shapes = _Shapes(
        conn, *((moment, snapshot.dataset_paths(side)) for moment, side in zip(moments, standing, strict=True))
    )
    if request.flag("labels", default=False):
        shaped = (one for part in chunks(found) for one in shapes.of(part))
        counts["labels"].update(_told(sum((Counter(one["labels"]) for one in shaped), Counter())))
    after = request.optional_number("after") or 0
    left = [change for change in found if change.number > after]
    return {
        "projectId": span.project,
        "from": _version(first),
        "to": _version(second) if second is not None else None,
        "counts": counts,
        **parts,
        "changes": list(shapes.of(left[:limit])),
        "after": left[limit - 1].number if 0 < limit < len(left) else None,
    }


def _version(row: RowMapping) -> dict[str, Any]:
    return {"id": row["id"], "version": row["number"], "name": row["name"], "createdAt": row["created_at"]}


READS: Mapping[str, Operation] = {methods.VERSION_DIFF: diff}
WRITES: Mapping[str, Operation] = {}
