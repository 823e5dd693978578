"""``autoflow.versions.classes``: how often two states of a project use each class, a batch of items at a time.

Labels are in documents that must be read to be counted. Of an item that both states have unchanged, the document is
read once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping

from autoflow.server.db import items
from autoflow.server.methods.versions.diff import compared_versions
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.project_types import registry
from autoflow.server.project_types.base import ProjectType
from autoflow.server.versions import snapshot
from autoflow.server.versions.snapshot import SnapshotRef
from autoflow.wire.contract import class_counts as contract
from autoflow.wire.contract.data_pages import UseCounts

BATCH_ITEMS = 1000
_NO_COLOR = "#888888"


@implements(contract.CLASS_COUNTS)
def class_counts(conn: Connection, request: contract.ClassCountsRequest) -> contract.ClassCountsResponse:
    """Count the labels and items of each class, of the items with ids above ``after``."""
    first, _, last_epoch = compared_versions(conn, request.from_, request.to)
    project_id = first["project_id"]
    refs = [SnapshotRef(project_id, epoch) for epoch in (first["epoch"], last_epoch)]
    pages = [snapshot.labeled_page(conn, ref, request.after, BATCH_ITEMS) for ref in refs]
    full = [page[-1]["id"] for page in pages if len(page) == BATCH_ITEMS]
    upto = min(full) if full else None
    batch = [[row for row in page if upto is None or row["id"] <= upto] for page in pages]
    hashes = {row["annotation"] for rows in batch for row in rows}
    project_type = registry.of_project(conn, project_id)
    classes_of = _classes_by_document(conn, project_type, sorted(hashes))
    before, after = (_Uses(rows, classes_of) for rows in batch)
    old, new = ({entry["id"]: entry for entry in snapshot.meta_at(conn, ref)["classes"]} for ref in refs)
    classes: list[contract.ClassCounts] = [
        {
            "id": number,
            "title": entry["title"],
            "color": entry.get("color") or _NO_COLOR,
            "before": before.of_class(number) if number in old else None,
            "after": after.of_class(number) if number in new else None,
        }
        for number, entry in {**new, **{number: entry for number, entry in old.items() if number not in new}}.items()
    ]
    return {"items": len({row["id"] for rows in batch for row in rows}), "classes": classes, "after": upto}


def _classes_by_document(conn: Connection, project_type: ProjectType, hashes: Sequence[str]) -> dict[str, Counter[int]]:
    """Return the number of labels of each class, by a document's hash."""
    return {
        name: Counter(label["classId"] for label in project_type.labels(document))
        for name, document in items.read_documents(conn, hashes).items()
    }


class _Uses:
    """Uses of classes by the rows of a batch."""

    def __init__(self, rows: Sequence[RowMapping], classes_of: Mapping[str, Counter[int]]) -> None:
        self._labels: Counter[int] = Counter()
        self._items: Counter[int] = Counter()
        for row in rows:
            classes = classes_of.get(row["annotation"], Counter())
            self._labels.update(classes)
            self._items.update(classes.keys())

    def of_class(self, number: int) -> UseCounts:
        return {"objects": self._labels[number], "images": self._items[number]}


READS: Mapping[str, Operation] = by_name(class_counts)
WRITES: Mapping[str, Operation] = {}
