"""The downstream lineage of entities: the runs that read them, what these wrote, the runs that read that, and so on.

The inverse of `lineage.upstream` with all writers: a read counts if it is not earlier than the write, whatever a run
wrote counts if any of its reads does, and containment is followed the other way: a project into its versions saved
since, and into the datasets that no run wrote; a dataset into its project if no run wrote that; a folder into the files
that no run wrote; a version into the projects restored from it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Text, and_, cast, func, literal, or_, select

from autoflow.model.entity import EntityRef
from autoflow.server.db.access import visible
from autoflow.server.db.json_rows import among
from autoflow.server.db.schema import datasets, edges, files, projects, tasks, teams, versions
from autoflow.server.db.tasks import tasks_of_cards
from autoflow.server.lineage.containment import parent_folders, restored_version
from autoflow.server.lineage.upstream import NOW
from autoflow.server.lineage.walk import LineageEdge, LineageRows, entity_of, specialize
from autoflow.server.paging import chunks
from autoflow.server.request_parser import as_number

ALWAYS = ""  # sorts before every ISO timestamp
_QUERY_CARDS = 200  # cards of one query, each with its own span
_EDGES_PER_CARD = 10  # edges read for each card of the cap
_MAX_CONTAINED = 1000  # versions, datasets or files in one container


class Contents(IntEnum):
    """The contents of an entity that count with it."""

    NONE = 0
    VERSIONS = 1
    ALL = 2


class ReadSpan(NamedTuple):
    """The time in which a read of an entity counts.

    Args:
        since: ISO 8601, the first time; `ALWAYS` for no bound.
        until: ISO 8601, not included; `NOW` for no bound.
        contents: what counts beside the entity itself: nothing, a project's versions, or all that it contains.
    """

    since: str = ALWAYS
    until: str = NOW
    contents: Contents = Contents.ALL

    def covers(self, other: ReadSpan) -> bool:
        """Return whether all reads of another span count in this one."""
        return self.since <= other.since and self.until >= other.until and self.contents >= other.contents


Step = tuple[EntityRef, ReadSpan]


class DownstreamTraversal:
    """One impact.

    Args:
        conn: the transaction.
        cap: the most cards.
    """

    def __init__(self, conn: Connection, cap: int) -> None:
        self._conn = conn
        self._cap = cap
        self._edges_left = cap * _EDGES_PER_CARD
        self._max_contained = _MAX_CONTAINED
        self._spans: dict[str, list[ReadSpan]] = {}  # by card key
        self._cards: dict[str, EntityRef] = {}
        self._task_keys: dict[int, str] = {}
        self._edges: dict[int, LineageEdge] = {}
        self._containments: dict[tuple[str, str], None] = {}
        self._restored: dict[int | None, list[int]] | None = None  # projects, by the version they were restored from
        self.omitted: set[str] = set()  # keys of cards beyond the cap
        self.authors: dict[str, int] = {}  # ids of the users whose runs wrote data, by card key
        self.truncated = False

    def follow(self, steps: Sequence[Step], contained: Iterable[tuple[str, str]] = ()) -> None:
        """Visit everything downstream of some entities.

        Args:
            steps: the entities, with the spans in which reads of them count.
            contained: pairs of keys, of a container and what it contains, among them.
        """
        self._containments.update(dict.fromkeys(contained))
        frontier = self._visit(steps)
        while frontier:
            frontier = self._visit(self._following(frontier))

    def rows(self, kept_keys: Iterable[str]) -> LineageRows:
        """Return the visited cards and the edges followed between them; of the first ones only those with edges, and
        those of `kept_keys`.
        """
        shown = [
            edge
            for _, edge in sorted(self._edges.items())
            if edge.entity_key in self._cards and edge.task_key in self._cards
        ]
        pairs = [pair for pair in self._containments if pair[0] in self._cards and pair[1] in self._cards]
        used = {key for edge in shown for key in (edge.entity_key, edge.task_key)}
        used.update(key for _, key in pairs if key in used)
        used.update(container for container, key in pairs if key in used)
        used.update(kept_keys)
        cards = {key: ref for key, ref in self._cards.items() if key in used}
        specialize(cards, shown)
        task_ids = {key: task_id for task_id, key in self._task_keys.items() if key in cards}
        return LineageRows(cards, task_ids, shown, [pair for pair in pairs if {*pair} <= cards.keys()], {})

    def _following(self, frontier: Sequence[Step]) -> list[Step]:
        """Return what is one step downstream of some cards."""
        runs = tasks_of_cards(self._conn, [ref for ref, _ in frontier])
        self._task_keys.update(runs)
        return [*self._readers(frontier), *self._outputs(runs), *self._contents(frontier)]

    def _visit(self, steps: Iterable[Step]) -> list[Step]:
        """Add cards; return those to follow: new ones, and ones with a span that none known covers."""
        to_follow: list[Step] = []
        for ref, span in steps:
            known = self._spans.get(ref.key, [])
            if span.since >= span.until or any(earlier.covers(span) for earlier in known):
                continue
            if not known and len(self._cards) >= self._cap:
                self.truncated = True
                self.omitted.add(ref.key)
                continue
            self._spans[ref.key] = [*known, span]
            to_follow.append((self._cards.setdefault(ref.key, ref), span))
        return to_follow

    def _take(self, query: Select[Any], exact: Callable[[], ColumnElement[bool]] | None = None) -> Iterable[RowMapping]:
        """Return the rows of a query for edges, in the order of time, as many as this traversal may still read.

        Args:
            query: selects edges, perhaps more than are needed.
            exact: returns the condition for those that are needed, which is applied if there are too many.
        """
        query = query.where(visible(self._conn, edges)).order_by(edges.c.at, edges.c.id).limit(self._edges_left + 1)
        rows = self._conn.execute(query).mappings().all()
        if len(rows) > self._edges_left and exact is not None:
            rows = self._conn.execute(query.where(exact())).mappings().all()
        self.truncated |= len(rows) > self._edges_left
        return list(rows[: self._edges_left])

    def _add_edge(self, row: RowMapping, task_key: str) -> None:
        self._task_keys[row["task_id"]] = task_key
        self._edges[row["id"]] = LineageEdge.of(row, task_key)

    def _readers(self, steps: Sequence[Step]) -> Iterator[Step]:
        """Yield the runs that read entities within their spans.

        A condition on each span takes longer to build than its rows to read: the rows of all are read, and filtered.
        """
        for chunk in chunks(steps, _QUERY_CARDS):
            spans: dict[str, list[ReadSpan]] = {}
            for ref, span in chunk:
                spans.setdefault(ref.key, []).append(span)
            query = select(edges, tasks.c.origin.label("task_origin"), tasks.c.number.label("task_number"))
            query = query.join(tasks, tasks.c.id == edges.c.task_id)
            query = query.where(edges.c.direction == "input", among(self._conn, edges.c.entity_key, spans))
            exact = functools.partial(_are_reads, chunk)
            for row in self._take(query, exact):
                run = EntityRef(row["task_origin"], "task", row["task_number"])
                is_read = any(span.since <= row["at"] < span.until for span in spans[row["entity_key"]])
                if is_read and run.key != row["entity_key"]:
                    self._edges_left -= 1
                    self._add_edge(row, run.key)
                    yield run, ReadSpan()

    def _outputs(self, task_keys: dict[int, str]) -> Iterator[Step]:
        """Yield what runs wrote, with the time since which reads of it count."""
        for chunk in chunks(list(task_keys)):
            query = select(edges).where(among(self._conn, edges.c.task_id, chunk), edges.c.direction == "output")
            for row in self._take(query):
                self._edges_left -= 1
                self._add_edge(row, task_keys[row["task_id"]])
                self.authors[row["entity_key"]] = row["created_by"]
                yield entity_of(row), ReadSpan(row["at"])

    def _contents(self, steps: Sequence[Step]) -> Iterator[Step]:
        """Yield the entities that contain these, or that these contain."""
        for ref, span in steps:
            if ref.origin or span.contents == Contents.NONE:
                continue
            if ref.type == "project":
                yield from self._versions_of_project(ref, span)
                yield from self._datasets_of_project(ref, span) if span.contents == Contents.ALL else ()
            elif ref.type == "dataset":
                yield from self._project_of_dataset(ref, span)
            elif ref.type == "folder":
                yield from self._files_of_folder(ref, span)
            elif ref.type == "project_version":
                yield from self._restored_projects(ref)

    def _versions_of_project(self, ref: EntityRef, span: ReadSpan) -> Iterator[Step]:
        saved = (versions.c.created_at >= span.since, versions.c.created_at < span.until)
        query = select(versions.c.id).where(versions.c.project_id == ref.id, *saved, visible(self._conn, versions))
        query = query.where(_is_used("project_version", versions.c.id)).order_by(versions.c.id)
        for version_id in self._bounded(query):
            yield self._contain(ref, EntityRef("", "project_version", version_id)), ReadSpan()

    def _datasets_of_project(self, ref: EntityRef, span: ReadSpan) -> Iterator[Step]:
        query = select(datasets.c.id).where(datasets.c.project_id == ref.id, visible(self._conn, datasets))
        query = query.where(_is_used("dataset", datasets.c.id, "input")).order_by(datasets.c.id)
        yield from self._unwritten(ref, span, [EntityRef("", "dataset", number) for number in self._bounded(query)])

    def _project_of_dataset(self, ref: EntityRef, span: ReadSpan) -> Iterator[Step]:
        query = select(datasets.c.project_id).where(datasets.c.id == ref.id, visible(self._conn, datasets))
        project_ids = self._conn.execute(query).scalars()
        within = span._replace(contents=Contents.VERSIONS)  # its other datasets are not affected
        yield from self._unwritten(ref, within, [EntityRef("", "project", number) for number in project_ids])

    def _files_of_folder(self, ref: EntityRef, span: ReadSpan) -> Iterator[Step]:
        """Yield the files whose nearest folder that a run wrote is this one."""
        folders = {file: parent_folders(path) for file, path in self.files_in(str(ref.id))}
        written = self._first_writes([folder for parents in folders.values() for folder in parents])
        nearest = {
            file: next((folder.key for folder in parents if folder.key in written), None)
            for file, parents in folders.items()
        }
        yield from self._unwritten(ref, span, [file for file, folder in nearest.items() if folder == ref.key])

    def _restored_projects(self, ref: EntityRef) -> Iterator[Step]:
        if self._restored is None:  # read once; it scans the projects, of which there are few
            query = select(projects.c.id, projects.c.custom_data).where(visible(self._conn, projects))
            query = query.where(projects.c.custom_data.contains('"restored_from"')).order_by(projects.c.id)
            self._restored = {}
            for row in self._conn.execute(query):
                self._restored.setdefault(restored_version(row.custom_data), []).append(row.id)
        for project_id in self._restored.get(as_number(ref.id), []):
            yield self._contain(ref, EntityRef("", "project", project_id)), ReadSpan()

    def files_in(self, folder: str) -> list[tuple[EntityRef, str]]:
        """Return the files below a folder that any run read, with their paths."""
        team_ids = select(teams.c.id).where(visible(self._conn, teams))
        query = select(files.c.id, files.c.path).where(files.c.team_id.in_(team_ids), _is_used("file", files.c.id))
        query = query.where(files.c.path >= f"{folder}/", files.c.path < f"{folder}0")  # 0 follows the slash
        rows = self._conn.execute(query.order_by(files.c.path, files.c.id).limit(self._max_contained + 1)).all()
        self.truncated |= len(rows) > self._max_contained
        return [(EntityRef("", "file", row.id), row.path) for row in rows[: self._max_contained]]

    def _bounded(self, query: Any) -> list[int]:
        numbers = self._conn.execute(query.limit(self._max_contained + 1)).scalars().all()
        self.truncated |= len(numbers) > self._max_contained
        return list(numbers[: self._max_contained])

    def _unwritten(self, container: EntityRef, span: ReadSpan, refs: Sequence[EntityRef]) -> Iterator[Step]:
        """Yield contained entities, or the containing one, until a run first wrote them."""
        written = self._first_writes(refs)
        for ref in refs:
            until = min(span.until, written.get(ref.key, NOW))
            if span.since < until:
                yield self._contain(container, ref), span._replace(until=until)

    def _first_writes(self, refs: Sequence[EntityRef]) -> dict[str, str]:
        """Return when a run first wrote each of these, by card key; those that none wrote are left out."""
        first: dict[str, str] = {}
        for chunk in chunks(list({ref.key for ref in refs})):
            query = select(edges.c.entity_key, func.min(edges.c.at)).where(among(self._conn, edges.c.entity_key, chunk))
            query = query.where(edges.c.direction == "output", visible(self._conn, edges))
            first.update(self._conn.execute(query.group_by(edges.c.entity_key)).all())
        return first

    def _contain(self, source: EntityRef, target: EntityRef) -> EntityRef:
        self._containments[source.key, target.key] = None
        return target


def _are_reads(steps: Sequence[Step]) -> ColumnElement[bool]:
    """Return the condition that an edge is to an entity and within its span."""
    return or_(
        *(and_(edges.c.entity_key == ref.key, edges.c.at >= span.since, edges.c.at < span.until) for ref, span in steps)
    )


def _is_used(card_type: str, number: ColumnElement[int], direction: str | None = None) -> ColumnElement[bool]:
    """Return the condition that an edge names an entity of this server by its id."""
    card = literal(f"{card_type}:", Text) + cast(number, Text)
    query = select(edges.c.id).where(edges.c.entity_key == card)
    return (query if direction is None else query.where(edges.c.direction == direction)).exists()
