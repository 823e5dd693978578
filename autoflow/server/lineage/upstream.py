"""What a thing came from: the runs that wrote it, what these read, what wrote that, and so on to the first data.

A thing counts as it was when it was read: of the runs that wrote it only those up to then are followed, the latest
alone or every one. What is held by something else is followed into it: a version into its project; a dataset nobody
wrote into its project, such a file into the folder somebody wrote, a project nobody wrote into its datasets. A project
that was restored is followed into the version it was made of.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from autoflow.model.entity import EntityRef, WireType
from autoflow.server.db import json_codec
from autoflow.server.db.access import visible
from autoflow.server.db.schema import datasets, edges, files, projects, tasks, versions
from autoflow.server.db.tasks import tasks_of_cards
from autoflow.server.lineage.walk import Found, entity_of
from autoflow.server.paging import chunks
from autoflow.server.request_parser import as_number

NOW = "~"  # later than every time, as text
_FEW = 100  # cards of one query, each with a time of its own
_MOST = 200  # pieces looked at of a thing that is followed into what it holds


class Upstream:
    """One tracing.

    Args:
        rows: the transaction.
        cap: the most cards.
        every: follow every run that wrote a thing, not the latest alone.
    """

    def __init__(self, conn: Connection, cap: int, *, every: bool) -> None:
        self._rows = conn
        self._cap = cap
        self._every = every
        self._until: dict[str, str] = {}
        self._cards: dict[str, EntityRef] = {}
        self._tasks: dict[int, str] = {}
        self._edges: dict[int, dict[str, Any]] = {}
        self._holds: dict[tuple[str, str], None] = {}
        self._writings: dict[str, int] = {}  # by how many runs, up to when it was read
        self._more: dict[str, int] = {}
        self.cut = False

    def trace(self, entry: EntityRef) -> Found:
        """Follow everything from one thing."""
        frontier = self._visit([(entry, NOW)])
        while frontier:
            written = list(self._writers(frontier))
            read = list(self._inputs([ref for ref in frontier if ref.type == "task"]))
            alone = [ref for ref in frontier if ref.key not in {key for _, _, key in written}]
            held = list(self._holders(frontier, alone))
            frontier = self._visit([(ref, until) for ref, until, _ in written] + read + held)
        arrows = self._arrows()
        for row in arrows:
            if row["type"] == "model_weight":
                self._cards[row["card"]] = self._cards[row["card"]]._replace(type="model_weight")
        holds = [pair for pair in self._holds if pair[0] in self._cards and pair[1] in self._cards]
        numbers = {key: number for number, key in self._tasks.items() if key in self._cards}
        return Found(self._cards, numbers, arrows, holds, self._more)

    def _visit(self, found: Iterable[tuple[EntityRef, str]]) -> list[EntityRef]:
        """Take cards in; gives those that are new, or that were written again before they were read again."""
        fresh: dict[str, EntityRef] = {}
        for ref, until in found:
            known = self._until.get(ref.key)
            if known is not None and known >= until:
                continue
            if known is None and len(self._cards) >= self._cap:
                self.cut = True
                continue
            self._until[ref.key] = until
            self._cards.setdefault(ref.key, ref)
            fresh[ref.key] = self._cards[ref.key]
        return list(fresh.values())

    def _arrows(self) -> list[dict[str, Any]]:
        """The edges between cards that are shown; what is not is counted on the card it would lead to."""
        more = Counter(self._writings)
        shown = []
        for _, row in sorted(self._edges.items()):
            if row["card"] in self._cards and row["task_card"] in self._cards:
                shown.append(row)
                more[row["card"]] -= row["direction"] == "output"
            elif row["direction"] == "input":
                more[row["task_card"]] += 1
        self._more = {key: count for key, count in more.items() if count > 0 and key in self._cards}
        return shown

    def _add(self, row: Any, task_card: str) -> None:
        self._tasks[row["task_id"]] = task_card
        self._edges[row["id"]] = {**row, "task_card": task_card}

    def _writers(self, refs: Sequence[EntityRef]) -> Iterator[tuple[EntityRef, str, str]]:
        """The runs that wrote each of these, no later than it was read; with the key of what they wrote."""
        place = func.row_number().over(partition_by=edges.c.card, order_by=(edges.c.at.desc(), edges.c.id.desc()))
        count = func.count().over(partition_by=edges.c.card)
        for part in chunks(refs, _FEW):
            then = or_(*(and_(edges.c.card == ref.key, edges.c.at <= self._until[ref.key]) for ref in part))
            query = select(edges, place.label("place"), count.label("count"))
            inner = query.where(edges.c.direction == "output", then, visible(self._rows, edges)).subquery()
            query = select(inner, tasks.c.origin.label("task_origin"), tasks.c.number.label("task_number"))
            query = query.join(tasks, tasks.c.id == inner.c.task_id)
            query = query.where(inner.c.place <= (self._cap if self._every else 1)).order_by(inner.c.id)
            for row in self._rows.execute(query).mappings():
                run = EntityRef(row["task_origin"], "task", row["task_number"])
                if run.key == row["card"]:
                    continue
                self._add(row, run.key)
                self._writings[row["card"]] = row["count"]
                yield run, NOW, row["card"]

    def _inputs(self, refs: Sequence[EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        """What runs read, and when."""
        keys = tasks_of_cards(self._rows, refs)
        self._tasks.update(keys)
        for numbers in chunks(list(keys)):
            query = select(edges).where(edges.c.task_id.in_(numbers), edges.c.direction == "input")
            query = query.where(visible(self._rows, edges)).order_by(edges.c.id).limit(2 * self._cap + 1)
            for row in self._rows.execute(query).mappings():
                self._add(row, keys[row["task_id"]])
                yield entity_of(row), row["at"]

    def _holders(self, refs: Sequence[EntityRef], alone: Sequence[EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        """What holds these, or what they hold; `alone` are those of them that no run wrote."""
        yield from self._projects_of_versions(_own(refs, "project_version"))
        yield from self._projects_of_datasets(_own(alone, "dataset"))
        yield from self._folders_of_files(_own(alone, "file", "model_weight"))
        yield from self._datasets_of_projects(_own(alone, "project"))
        yield from self._versions_of_projects(_own(refs, "project"))

    def _projects_of_versions(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        for part in chunks(list(refs)):
            query = select(versions.c.id, versions.c.project_id, versions.c.created_at)
            for row in self._rows.execute(query.where(versions.c.id.in_(part), visible(self._rows, versions))):
                yield self._hold(EntityRef("", "project", row.project_id), refs[row.id], row.created_at)

    def _projects_of_datasets(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        for part in chunks(list(refs)):
            query = select(datasets.c.id, datasets.c.project_id)
            for row in self._rows.execute(query.where(datasets.c.id.in_(part), visible(self._rows, datasets))):
                yield self._hold(EntityRef("", "project", row.project_id), refs[row.id])

    def _folders_of_files(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        for part in chunks(list(refs)):
            query = select(files.c.id, files.c.path).where(files.c.id.in_(part), visible(self._rows, files))
            for row in self._rows.execute(query):
                for folder in self._written(_folders(row.path))[:1]:
                    yield self._hold(folder, refs[row.id])

    def _datasets_of_projects(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        for number, ref in refs.items():
            query = select(datasets.c.id).where(datasets.c.project_id == number, visible(self._rows, datasets))
            inside = self._rows.execute(query.order_by(datasets.c.id).limit(_MOST)).scalars()
            for dataset in self._written([EntityRef("", "dataset", one) for one in inside]):
                yield self._hold(dataset, ref)

    def _versions_of_projects(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        """The versions that projects were restored from: what they are made of says so, and may say anything."""
        origins: dict[int, EntityRef] = {}
        for part in chunks(list(refs)):
            query = select(projects.c.id, projects.c.custom_data)
            for row in self._rows.execute(query.where(projects.c.id.in_(part), visible(self._rows, projects))):
                told = json_codec.load(row.custom_data).get("restored_from")
                number = as_number(told.get("version_id")) if isinstance(told, Mapping) else None
                if number is not None:
                    origins[row.id] = EntityRef("", "project_version", number)
        for part in chunks(list({ref.id for ref in origins.values()})):
            query = select(versions.c.id).where(versions.c.id.in_(part), visible(self._rows, versions))
            there = set(self._rows.execute(query).scalars())
            for number, version in origins.items():
                if version.id in there:
                    yield self._hold(version, refs[number])

    def _hold(self, source: EntityRef, target: EntityRef, until: str | None = None) -> tuple[EntityRef, str]:
        self._holds[source.key, target.key] = None
        return source, until or self._until[target.key]

    def _written(self, refs: Sequence[EntityRef]) -> list[EntityRef]:
        """Those of these that any run wrote."""
        query = select(edges.c.card).where(edges.c.direction == "output", visible(self._rows, edges))
        found = set(self._rows.execute(query.where(edges.c.card.in_([ref.key for ref in refs]))).scalars())
        return [ref for ref in refs if ref.key in found]


def _own(refs: Sequence[EntityRef], *kinds: WireType) -> dict[Any, EntityRef]:
    """Those of the server's own that are of these kinds, by number."""
    return {ref.id: ref for ref in refs if ref.type in kinds and not ref.origin}


def _folders(path: str) -> list[EntityRef]:
    """The folders a file is in, the nearest first."""
    found = []
    while (path := posixpath.dirname(path)) not in {"", "/"}:
        found.append(EntityRef("", "folder", path))
    return found
