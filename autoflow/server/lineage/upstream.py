"""The upstream lineage of an entity: the runs that wrote it, their inputs, the runs that wrote those, and so on.

An input counts as it was when it was read: of the runs that wrote it only those up to that time are followed, the
latest or all of them. Containment is followed as well: a version into its project; a dataset that no run wrote into
its project, such a file into a folder that a run wrote, a project that no run wrote into its datasets; a restored
project into the version it was restored from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, or_, select

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES, WireType
from autoflow.server.db.access import visible
from autoflow.server.db.schema import datasets, edges, files, projects, tasks, versions
from autoflow.server.db.tasks import tasks_of_cards
from autoflow.server.lineage.containment import parent_folders, restored_version
from autoflow.server.lineage.walk import LineageEdge, LineageRows, entity_of, specialize
from autoflow.server.paging import chunks

NOW = "~"  # sorts after every ISO timestamp
_QUERY_CARDS = 100  # cards of one query, each with its own bound on the time
_MAX_DATASETS = 200  # datasets of one project that are looked at


class UpstreamTraversal:
    """One trace.

    Args:
        conn: the transaction.
        cap: the most cards.
        every: whether to follow every run that wrote an entity, not the latest alone.
    """

    def __init__(self, conn: Connection, cap: int, *, every: bool) -> None:
        self._conn = conn
        self._cap = cap
        self._every = every
        self._read_at: dict[str, str] = {}  # by card key, the latest time it was read
        self._cards: dict[str, EntityRef] = {}
        self._task_keys: dict[int, str] = {}
        self._edges: dict[int, LineageEdge] = {}
        self._containments: dict[tuple[str, str], None] = {}
        self._writer_counts: dict[str, int] = {}  # runs that wrote a card up to when it was read
        self._more: dict[str, int] = {}
        self.truncated = False

    def trace(self, entry: EntityRef) -> LineageRows:
        """Return everything upstream of an entity."""
        frontier = self._visit([(entry, NOW)])
        while frontier:
            writers = list(self._writers(frontier))
            inputs = list(self._inputs([ref for ref in frontier if ref.type == "task"]))
            written_keys = {key for _, _, key in writers}
            unwritten = [ref for ref in frontier if ref.key not in written_keys]
            containers = list(self._containers(frontier, unwritten))
            frontier = self._visit([(ref, read_at) for ref, read_at, _ in writers] + inputs + containers)
        shown_edges = self._shown_edges()
        specialize(self._cards, shown_edges)
        containments = [pair for pair in self._containments if pair[0] in self._cards and pair[1] in self._cards]
        task_ids = {key: task_id for task_id, key in self._task_keys.items() if key in self._cards}
        return LineageRows(self._cards, task_ids, shown_edges, containments, self._more)

    def _visit(self, refs: Iterable[tuple[EntityRef, str]]) -> list[EntityRef]:
        """Add cards with the time they were read; return those to follow: new ones, and ones read later than known."""
        to_follow: dict[str, EntityRef] = {}
        for ref, read_at in refs:
            known = self._read_at.get(ref.key)
            if known is not None and known >= read_at:
                continue
            if known is None and len(self._cards) >= self._cap:
                self.truncated = True
                continue
            self._read_at[ref.key] = read_at
            self._cards.setdefault(ref.key, ref)
            to_follow[ref.key] = self._cards[ref.key]
        return list(to_follow.values())

    def _shown_edges(self) -> list[LineageEdge]:
        """Return the edges between visited cards; edges to others are counted on the card that is visited."""
        more = Counter(self._writer_counts)
        shown = []
        for _, edge in sorted(self._edges.items()):
            if edge.entity_key in self._cards and edge.task_key in self._cards:
                shown.append(edge)
                more[edge.entity_key] -= edge.direction == "output"
            elif edge.direction == "input":
                more[edge.task_key] += 1
        self._more = {key: count for key, count in more.items() if count > 0 and key in self._cards}
        return shown

    def _add_edge(self, row: RowMapping, task_key: str) -> None:
        self._task_keys[row["task_id"]] = task_key
        self._edges[row["id"]] = LineageEdge.of(row, task_key)

    def _writers(self, refs: Sequence[EntityRef]) -> Iterator[tuple[EntityRef, str, str]]:
        """Yield the runs that wrote each of these no later than it was read, with the key of what they wrote."""
        rank = func.row_number().over(partition_by=edges.c.entity_key, order_by=(edges.c.at.desc(), edges.c.id.desc()))
        count = func.count().over(partition_by=edges.c.entity_key)
        for chunk in chunks(refs, _QUERY_CARDS):
            by_then = or_(*(and_(edges.c.entity_key == ref.key, edges.c.at <= self._read_at[ref.key]) for ref in chunk))
            query = select(edges, rank.label("rank"), count.label("count"))
            ranked = query.where(edges.c.direction == "output", by_then, visible(self._conn, edges)).subquery()
            query = select(ranked, tasks.c.origin.label("task_origin"), tasks.c.number.label("task_number"))
            query = query.join(tasks, tasks.c.id == ranked.c.task_id)
            query = query.where(ranked.c.rank <= (self._cap if self._every else 1)).order_by(ranked.c.id)
            for row in self._conn.execute(query).mappings():
                run = EntityRef(row["task_origin"], "task", row["task_number"])
                if run.key == row["entity_key"]:
                    continue
                self._add_edge(row, run.key)
                self._writer_counts[row["entity_key"]] = row["count"]
                yield run, NOW, row["entity_key"]

    def _inputs(self, refs: Sequence[EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        """Yield the inputs of runs, with the time each was read."""
        task_keys = tasks_of_cards(self._conn, refs)
        self._task_keys.update(task_keys)
        for chunk in chunks(list(task_keys)):
            query = select(edges).where(edges.c.task_id.in_(chunk), edges.c.direction == "input")
            query = query.where(visible(self._conn, edges)).order_by(edges.c.id).limit(2 * self._cap + 1)
            for row in self._conn.execute(query).mappings():
                self._add_edge(row, task_keys[row["task_id"]])
                yield entity_of(row), row["at"]

    def _containers(self, refs: Sequence[EntityRef], unwritten: Sequence[EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        """Yield the entities that contain these, or that these contain; `unwritten` are those that no run wrote."""
        yield from self._projects_of_versions(_own(refs, "project_version"))
        yield from self._projects_of_datasets(_own(unwritten, "dataset"))
        yield from self._folders_of_files(_own(unwritten, "file"))
        yield from self._datasets_of_projects(_own(unwritten, "project"))
        yield from self._origins_of_projects(_own(refs, "project"))

    def _projects_of_versions(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        for chunk in chunks(list(refs)):
            query = select(versions.c.id, versions.c.project_id, versions.c.created_at)
            for row in self._conn.execute(query.where(versions.c.id.in_(chunk), visible(self._conn, versions))):
                yield self._contain(EntityRef("", "project", row.project_id), refs[row.id], row.created_at)

    def _projects_of_datasets(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        for chunk in chunks(list(refs)):
            query = select(datasets.c.id, datasets.c.project_id)
            for row in self._conn.execute(query.where(datasets.c.id.in_(chunk), visible(self._conn, datasets))):
                yield self._contain(EntityRef("", "project", row.project_id), refs[row.id])

    def _folders_of_files(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        for chunk in chunks(list(refs)):
            query = select(files.c.id, files.c.path).where(files.c.id.in_(chunk), visible(self._conn, files))
            for row in self._conn.execute(query):
                for folder in self._written(parent_folders(row.path))[:1]:
                    yield self._contain(folder, refs[row.id])

    def _datasets_of_projects(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        for project_id, ref in refs.items():
            query = select(datasets.c.id).where(datasets.c.project_id == project_id, visible(self._conn, datasets))
            dataset_ids = self._conn.execute(query.order_by(datasets.c.id).limit(_MAX_DATASETS)).scalars()
            for dataset in self._written([EntityRef("", "dataset", dataset_id) for dataset_id in dataset_ids]):
                yield self._contain(dataset, ref)

    def _origins_of_projects(self, refs: dict[Any, EntityRef]) -> Iterator[tuple[EntityRef, str]]:
        """Yield the versions that projects were restored from."""
        origins: dict[int, EntityRef] = {}
        for chunk in chunks(list(refs)):
            query = select(projects.c.id, projects.c.custom_data)
            for row in self._conn.execute(query.where(projects.c.id.in_(chunk), visible(self._conn, projects))):
                version_id = restored_version(row.custom_data)
                if version_id is not None:
                    origins[row.id] = EntityRef("", "project_version", version_id)
        for chunk in chunks(list({ref.id for ref in origins.values()})):
            query = select(versions.c.id).where(versions.c.id.in_(chunk), visible(self._conn, versions))
            existing = set(self._conn.execute(query).scalars())
            for project_id, version in origins.items():
                if version.id in existing:
                    yield self._contain(version, refs[project_id])

    def _contain(self, source: EntityRef, target: EntityRef, read_at: str | None = None) -> tuple[EntityRef, str]:
        """Note a containment; return the entity to follow, with the time up to which its writers count."""
        self._containments[source.key, target.key] = None
        return source, read_at or self._read_at[target.key]

    def _written(self, refs: Sequence[EntityRef]) -> list[EntityRef]:
        """Return those that any run wrote."""
        query = select(edges.c.entity_key).where(edges.c.direction == "output", visible(self._conn, edges))
        written = set(self._conn.execute(query.where(edges.c.entity_key.in_([ref.key for ref in refs]))).scalars())
        return [ref for ref in refs if ref.key in written]


def _own(refs: Sequence[EntityRef], card_type: WireType) -> dict[Any, EntityRef]:
    """Return this server's entities whose cards are of a type, by id."""
    return {ref.id: ref for ref in refs if ENTITY_TYPES[ref.type].card_type == card_type and not ref.origin}
