"""``autoflow.versions.diff``: the changes from one version of a project to another, or to its current state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.server.db import items, json_codec, projects, tombstones
from autoflow.server.errors import Invalid
from autoflow.server.methods.versions.snapshots import item_fields
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.paging import chunks
from autoflow.server.project_types import registry
from autoflow.server.project_types.base import ProjectType
from autoflow.server.versions import diff as version_diff
from autoflow.server.versions import snapshot, versions
from autoflow.server.versions.diff import EpochRange, ItemChange
from autoflow.server.versions.snapshot import SnapshotRef
from autoflow.wire.contract import versions as contract

DEFAULT_LIMIT = 100  # items of one response
MAX_LIMIT = 1000

Entries = Mapping[Any, tuple[str, Any]]  # names and contents, by what identifies an entry in both states
Side = tuple[SnapshotRef, Mapping[int, tuple[str, ...]]]  # a snapshot, and the paths of its datasets by id


def _changed_names(before: Entries, after: Entries) -> contract.ChangedNames:
    """Compare entries by their keys."""
    return {
        "added": [name for key, (name, _) in after.items() if key not in before],
        "removed": [name for key, (name, _) in before.items() if key not in after],
        "changed": [entry[0] for key, entry in after.items() if key in before and before[key] != entry],
    }


def _entries(entries: Sequence[Mapping[str, Any]], name: str) -> Entries:
    return {entry["id"]: (entry[name], entry) for entry in entries}


def _dataset_entries(dataset_rows: Sequence[RowMapping]) -> Entries:
    original_ids, paths = snapshot.original_ids(list(dataset_rows)), snapshot.dataset_paths(list(dataset_rows))
    return {
        original_ids[row["id"]]: (
            "/".join(paths[row["id"]]),
            (row["parent_id"], row["description"], row["custom_data"]),
        )
        for row in dataset_rows
    }


def count_label_changes(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Count the labels of an item that were added, removed and changed.

    Labels with equal content are unchanged, whatever their position and id; of the others, two with the same id are one
    changed label.
    """
    old, new = (
        [(label["id"], json_codec.dump({**label, "id": 0}, canonical=True)) for label in side]
        for side in (before, after)
    )
    unchanged = Counter(text for _, text in old) & Counter(text for _, text in new)
    old_ids, new_ids = _ids_without(old, unchanged), _ids_without(new, unchanged)
    changed = len(old_ids & new_ids)
    return Counter(added=len(new_ids) - changed, removed=len(old_ids) - changed, changed=changed)


def _ids_without(labels: Sequence[tuple[int, str]], unchanged: Counter[str]) -> set[int]:
    """Return the ids of the labels that are not among the unchanged ones."""
    remaining = Counter(unchanged)
    ids = set()
    for label_id, text in labels:
        if remaining[text]:
            remaining[text] -= 1
        else:
            ids.add(label_id)
    return ids


_ITEM_IDS: tuple[Callable[[ItemChange], int | None], ...] = (attrgetter("before"), attrgetter("after"))


class _ChangeReader:
    """Reads changes into wire form, each with the item before and after."""

    def __init__(self, conn: Connection, project_type: ProjectType, before: Side, after: Side) -> None:
        self._conn = conn
        self._type = project_type
        self._sides = (before, after)

    def read(self, changes: Sequence[ItemChange]) -> Iterator[contract.ItemDiff]:
        """Yield changes with the counts of their labels' changes."""
        rows_by_side = [
            version_diff.items_by_id(
                self._conn, ref, [item_id for change in changes if (item_id := id_of(change)) is not None]
            )
            for id_of, (ref, _) in zip(_ITEM_IDS, self._sides, strict=True)
        ]
        hashes = {row["annotation"] for rows in rows_by_side for row in rows.values()} - {None}
        documents = items.read_documents(self._conn, sorted(hashes))
        for change in changes:
            pair = [rows.get(id_of(change) or 0) for rows, id_of in zip(rows_by_side, _ITEM_IDS, strict=True)]
            labels = [
                self._type.labels(documents[row["annotation"]])
                if row and row["annotation"] and not tombstones.is_tombstone(row)
                else ()
                for row in pair
            ]
            before, after = (
                _item(row, paths) if row else None for row, (_, paths) in zip(pair, self._sides, strict=True)
            )
            yield {
                "status": change.status,
                "aspects": list(change.aspects),
                "before": before,
                "after": after,
                "labels": _change_counts(count_label_changes(*labels)),
            }


def _item(row: RowMapping, paths: Mapping[int, tuple[str, ...]]) -> contract.DiffItem:
    tags = [] if tombstones.is_tombstone(row) else json_codec.load(row["tags"])
    return {**item_fields(row, paths), "labels": row["labels"], "tags": tags}


def _change_counts(counts: Mapping[str, int]) -> contract.ChangeCounts:
    return {
        "added": counts.get("added", 0),
        "removed": counts.get("removed", 0),
        "changed": counts.get("changed", 0),
    }


def _name_counts(names: contract.ChangedNames) -> contract.ChangeCounts:
    return {"added": len(names["added"]), "removed": len(names["removed"]), "changed": len(names["changed"])}


_REVERSED: Mapping[contract.ChangeStatus, contract.ChangeStatus] = {
    "added": "removed",
    "removed": "added",
    "changed": "changed",
}


def _reversed(change: ItemChange) -> ItemChange:
    labels = change.labels[1], change.labels[0]
    return ItemChange(_REVERSED[change.status], change.after, change.before, change.aspects, labels)


def _item_counts(changes: Sequence[ItemChange]) -> contract.ItemCounts:
    aspects = Counter[str]()
    for together, count in Counter(map(attrgetter("aspects"), changes)).items():
        aspects.update(dict.fromkeys(together, count))
    return {
        **_change_counts(Counter(map(attrgetter("status"), changes))),
        "bytes": aspects["bytes"],
        "name": aspects["name"],
        "dataset": aspects["dataset"],
        "meta": aspects["meta"],
        "tags": aspects["tags"],
        "labels": aspects["labels"],
        "description": aspects["description"],
    }


def _label_totals(changes: Sequence[ItemChange]) -> contract.LabelTotals:
    numbers = Counter(map(attrgetter("labels"), changes))
    before, after = (sum(pair[side] * count for pair, count in numbers.items()) for side in (0, 1))
    return {"before": before, "after": after}


def compared_versions(conn: Connection, from_: int, to: int | None) -> tuple[RowMapping, RowMapping | None, int]:
    """Return two versions of a project, and the epoch of the second; without it, that of the current state."""
    first = versions.get(conn, from_)
    if to is None:
        return first, None, projects.get(conn, first["project_id"])["epoch"]
    second = versions.get(conn, to)
    if second["project_id"] != first["project_id"]:
        raise Invalid(f"versions {first['id']} and {second['id']} belong to different projects")
    return first, second, second["epoch"]


@implements(contract.VERSION_DIFF)
def diff(conn: Connection, request: contract.VersionDiffRequest) -> contract.VersionDiffResponse:
    """Return counts, the names of changed classes, tags and datasets, and a page of changed items.

    The changes of labels are counted for the items of the page. They are counted for all changed items only if the
    request sets ``labels``, as every document must be read.
    """
    first, second, last_epoch = compared_versions(conn, request.from_, request.to)
    limit = min(DEFAULT_LIMIT if request.limit is None else request.limit, MAX_LIMIT)
    epochs = EpochRange(first["project_id"], *sorted((first["epoch"], last_epoch)))
    changes = version_diff.find_changes(conn, epochs)
    if last_epoch < first["epoch"]:
        changes = [_reversed(change) for change in changes]
    refs = [SnapshotRef(epochs.project, epoch) for epoch in (first["epoch"], last_epoch)]
    dataset_rows = [snapshot.datasets_at(conn, ref) for ref in refs]
    metas = [snapshot.meta_at(conn, ref) for ref in refs]
    classes = _changed_names(*(_entries(meta["classes"], "title") for meta in metas))
    tags = _changed_names(*(_entries(meta["tags"], "name") for meta in metas))
    datasets = _changed_names(*(_dataset_entries(rows) for rows in dataset_rows))
    labels: contract.LabelTotals = _label_totals(changes)
    sides = [(ref, snapshot.dataset_paths(rows)) for ref, rows in zip(refs, dataset_rows, strict=True)]
    reader = _ChangeReader(conn, registry.of_project(conn, epochs.project), *sides)
    if request.labels:
        all_changes = (change for chunk in chunks(changes) for change in reader.read(chunk))
        totals = Counter[str]()
        for change in all_changes:
            totals.update(change["labels"])
        labels = {**labels, **_change_counts(totals)}
    after = request.after
    remaining = [change for change in changes if change.number > after] if after else changes
    return {
        "projectId": epochs.project,
        "from": _version(first),
        "to": _version(second) if second is not None else None,
        "counts": {
            "items": _item_counts(changes),
            "labels": labels,
            "classes": _name_counts(classes),
            "tags": _name_counts(tags),
            "datasets": _name_counts(datasets),
        },
        "classes": classes,
        "tags": tags,
        "datasets": datasets,
        "changes": list(reader.read(remaining[:limit])),
        "after": remaining[limit - 1].number if 0 < limit < len(remaining) else None,
    }


def _version(row: RowMapping) -> contract.ComparedVersion:
    return {"id": row["id"], "version": row["number"], "name": row["name"], "createdAt": row["created_at"]}


READS: Mapping[str, Operation] = by_name(diff)
WRITES: Mapping[str, Operation] = {}
