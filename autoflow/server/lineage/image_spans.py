"""Images and datasets over time: the versions whose rows hold them, and when reads of a project included them.

A row is read with a project from its creation on; that of a deleted image until the next version was saved, because
the time of a deletion is not stored. If the content of an image was replaced, its new content counts from the version
before that on.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, null, select

from autoflow.model.entity import EntityRef
from autoflow.model.graph_json import ImageHolding
from autoflow.server.db import tombstones
from autoflow.server.db.access import visible
from autoflow.server.db.schema import blobs, datasets, datasets_history, edges, items, items_history, projects, versions
from autoflow.server.lineage.downstream import Contents, ReadSpan, Step
from autoflow.server.lineage.upstream import NOW
from autoflow.server.paging import chunks

MAX_ROWS = 10_000  # of one image's content, current and in the history each
_COLUMNS = ("id", "name", "hash", "dataset_id", "project_id", "created_at", "valid_from")


class HeldRow(NamedTuple):
    """A row of a dataset or an image, and the epochs of its project that hold it.

    Args:
        id: the dataset's or the image's.
        start: the first epoch.
        end: the first one after it that does not hold the row; None for a current row.
    """

    id: int
    name: str
    hash: str | None
    dataset: int
    project: int
    created_at: str
    start: int
    end: int | None


class _SavedVersion(NamedTuple):
    epoch: int
    id: int
    number: int
    created_at: str
    status: str


def rows_of_image(conn: Connection, image_id: int) -> list[HeldRow]:
    """Return the rows of an image's content, wherever it is, the image's own first; those of a link are its own."""
    # the key of the history begins with the project
    any_project = select(projects.c.id)
    own = _rows(conn, lambda table: [and_(table.c.project_id.in_(any_project), table.c.id == image_id)])
    if not own:
        return []
    content = own[-1].hash  # the current one, or the last it had
    if content is None:
        return own
    others = rows_of_content(conn, content)
    return sorted(others, key=lambda row: row.id != image_id)


def rows_of_name(conn: Connection, dataset_id: int, name: str) -> list[HeldRow]:
    """Return the rows of the content of the image with a name in a dataset, see `rows_of_image`."""
    query = select(items.c.id).where(items.c.dataset_id == dataset_id, items.c.name == name, visible(conn, items))
    image_id = conn.execute(query).scalar()
    return [] if image_id is None else rows_of_image(conn, image_id)


def rows_of_content(conn: Connection, content_hash: str) -> list[HeldRow]:
    """Return the rows of images by the wire's hash of their content."""
    blob_id = conn.execute(select(blobs.c.id).where(blobs.c.hash == content_hash)).scalar()

    def conditions(table: Table) -> list[ColumnElement[bool]]:
        of_blob = [table.c.blob_id == blob_id] if blob_id is not None else []
        return [*of_blob, and_(table.c.blob_id.is_(None), table.c.hash.is_not(None), table.c.hash == content_hash)]

    return _rows(conn, conditions)


def _rows(conn: Connection, conditions: Any) -> list[HeldRow]:
    """Return the rows that any of the conditions selects, in the history first, as each uses an index of its own."""
    rows: list[HeldRow] = []
    for table in (items_history, items):
        end = table.c.valid_to if table is items_history else null()
        columns = [*(table.c[name] for name in _COLUMNS), end.label("valid_to")]
        for condition in conditions(table):
            query = select(*columns).where(condition, _in_visible_project(conn, table))
            rows += (HeldRow(*row) for row in conn.execute(query.limit(MAX_ROWS)))
    return rows


def _in_visible_project(conn: Connection, table: Table) -> ColumnElement[bool]:
    query = select(projects.c.id).where(projects.c.id == table.c.project_id, visible(conn, projects))
    return query.correlate(table).exists()


def rows_of_dataset(conn: Connection, dataset_id: int) -> list[HeldRow]:
    """Return the rows of a dataset, current and in the history."""
    project_ids = select(projects.c.id).where(visible(conn, projects))
    rows = []
    for table in (datasets_history, datasets):
        query = select(table).where(table.c.id == dataset_id, table.c.project_id.in_(project_ids))
        for row in conn.execute(query).mappings():
            span = (row["created_at"], row["valid_from"], row.get("valid_to"))
            rows.append(HeldRow(row["id"], row["name"], None, dataset_id, row["project_id"], *span))
    return rows


class Holders:
    """The projects, datasets and versions that hold some rows.

    Args:
        conn: the transaction.
        rows: rows of images or of a dataset.
    """

    def __init__(self, conn: Connection, rows: Sequence[HeldRow]) -> None:
        self._conn = conn
        self._rows = rows
        self._versions: dict[int, list[_SavedVersion]] = {row.project: [] for row in rows}
        for chunk in chunks(list(self._versions)):
            columns = (versions.c.epoch, versions.c.id, versions.c.number, versions.c.created_at, versions.c.status)
            query = select(versions.c.project_id, *columns).where(versions.c.project_id.in_(chunk))
            for row in conn.execute(query.order_by(versions.c.epoch)):
                self._versions[row.project_id].append(_SavedVersion(*row[1:]))
        self._replaced = self._replacements()

    def steps(self) -> list[Step]:
        """Return where a traversal begins: the projects and datasets, with the spans in which reads of them included a
        row, and the versions that hold one and that a run used.
        """
        spans: dict[EntityRef, list[ReadSpan]] = {}
        holding: dict[int, None] = {}
        ancestors = self._ancestors()
        for row in self._rows:
            span = self._span(row)
            spans.setdefault(EntityRef("", "project", row.project), []).append(span)
            for dataset_id in ancestors[row.dataset]:
                spans.setdefault(EntityRef("", "dataset", dataset_id), []).append(span)
            holding.update((version.id, None) for version in self._held_by(row))
        merged = [(ref, span) for ref, parts in spans.items() for span in merge(parts)]
        return [*((ref, ReadSpan(contents=Contents.NONE)) for ref in self._used(list(holding))), *merged]

    def images(self, limit: int) -> list[ImageHolding]:
        """Return the first datasets that have an image, or had it."""
        numbers: dict[tuple[int, int], set[int]] = {}
        latest: dict[tuple[int, int], HeldRow] = {}
        for row in self._rows:
            key = (row.dataset, row.id)
            numbers.setdefault(key, set()).update(v.number for v in self._held_by(row) if v.status == "committed")
            latest[key] = row if row.end is None else latest.get(key, row)
        names = self._project_names()
        return [
            {
                "image": row.id,
                "name": tombstones.NAME if tombstones.is_tombstone({"name": row.name}) else row.name,
                "datasetId": row.dataset,
                "projectId": row.project,
                "projectName": names.get(row.project, ""),
                "current": row.end is None,
                "versions": len(numbers[key]),
                "firstVersion": min(numbers[key], default=None),
                "lastVersion": max(numbers[key], default=None),
            }
            for key, row in list(latest.items())[:limit]
        ]

    def _held_by(self, row: HeldRow) -> Iterator[_SavedVersion]:
        saved = self._versions[row.project]
        start = bisect.bisect_left(saved, row.start, key=lambda version: version.epoch)
        end = len(saved) if row.end is None else bisect.bisect_left(saved, row.end, key=lambda version: version.epoch)
        yield from saved[start:end]

    def _span(self, row: HeldRow) -> ReadSpan:
        saved = self._versions[row.project]
        since, until = row.created_at, NOW
        replaced = self._replaced.get((row.project, row.id, row.start))
        if replaced is not None:
            before = bisect.bisect_left(saved, replaced, key=lambda version: version.epoch)
            since = max([since, *(version.created_at for version in saved[before - 1 : before])])
        if row.end is not None:
            after = bisect.bisect_left(saved, row.end, key=lambda version: version.epoch)
            until = saved[after].created_at if after < len(saved) else NOW
        return ReadSpan(since, until, contents=Contents.NONE)

    def _replacements(self) -> dict[tuple[int, int, int], int]:
        """Return, for rows whose image had other content before, the epoch in which that ended."""
        ends: dict[tuple[int, int, int], int] = {}
        by_project: dict[int, list[HeldRow]] = {}
        for row in self._rows:
            if row.start > 1 and row.hash is not None:
                by_project.setdefault(row.project, []).append(row)
        for project_id, project_rows in by_project.items():
            earlier: dict[int, list[tuple[str | None, int]]] = {}
            for chunk in chunks(list({row.id for row in project_rows})):
                table = items_history
                query = select(table.c.id, table.c.hash, table.c.valid_to).where(table.c.project_id == project_id)
                for other in self._conn.execute(query.where(table.c.id.in_(chunk))):
                    earlier.setdefault(other.id, []).append((other.hash, other.valid_to))
            for row in project_rows:
                others = [end for other, end in earlier.get(row.id, []) if other != row.hash and end <= row.start]
                if others:
                    ends[project_id, row.id, row.start] = max(others)
        return ends

    def _ancestors(self) -> dict[int, list[int]]:
        """Return the datasets that contain each dataset of the rows, with itself."""
        parents: dict[int, int | None] = {}
        unknown = {row.dataset for row in self._rows}
        while unknown:
            parents.update(dict.fromkeys(unknown, None))
            for table in (datasets_history, datasets):
                for chunk in chunks(list(unknown)):
                    query = select(table.c.id, table.c.parent_id).where(table.c.id.in_(chunk))
                    query = query.where(table.c.project_id.in_(list(self._versions)))
                    parents.update({row.id: row.parent_id for row in self._conn.execute(query)})
            unknown = {parent for parent in parents.values() if parent is not None} - parents.keys()
        ancestors: dict[int, list[int]] = {}
        for dataset_id in {row.dataset for row in self._rows}:
            chain = [dataset_id]
            while (parent := parents[chain[-1]]) is not None and parent not in chain:
                chain.append(parent)
            ancestors[dataset_id] = chain
        return ancestors

    def _used(self, version_ids: Sequence[int]) -> Iterator[EntityRef]:
        refs = [EntityRef("", "project_version", number) for number in version_ids]
        for chunk in chunks(refs):
            query = select(edges.c.entity_key).where(edges.c.entity_key.in_([ref.key for ref in chunk])).distinct()
            used = set(self._conn.execute(query.where(visible(self._conn, edges))).scalars())
            yield from (ref for ref in chunk if ref.key in used)

    def _project_names(self) -> Mapping[int, str]:
        names: dict[int, str] = {}
        for chunk in chunks(list(self._versions)):
            query = select(projects.c.id, projects.c.name).where(projects.c.id.in_(chunk))
            names.update({row.id: row.name for row in self._conn.execute(query)})
        return names


def merge(spans: Iterable[ReadSpan]) -> list[ReadSpan]:
    """Return the union of spans as spans that do not touch, in the order of time."""
    merged: list[ReadSpan] = []
    for span in sorted(spans):
        if merged and span.since <= merged[-1].until:
            merged[-1] = merged[-1]._replace(until=max(merged[-1].until, span.until))
        else:
            merged.append(span)
    return merged
