"""Searches for entities downstream of others, without a limit on the cards between them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select

from autoflow.model.entity import EntityRef
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.lineage.downstream import DownstreamTraversal, ReadSpan, Step

_UNLIMITED = 2**53  # cards; the limits that are multiples of it are numbers of both databases
_PART = 1000  # rows that are fetched at once


class Reachability(DownstreamTraversal):
    """Searches downstream of one entity after the other for the first of some entities.

    It follows what an impact follows, keeps no edges, and visits what leads to none of them once.

    Args:
        conn: the transaction.
        targets: the keys of their cards.
    """

    def __init__(self, conn: Connection, targets: Collection[str]) -> None:
        super().__init__(conn, _UNLIMITED)
        self._max_contained = _UNLIMITED
        self._targets = targets
        self._changed: dict[str, list[ReadSpan]] = {}  # the spans of visited cards as they were before this search

    def first_target(self, ref: EntityRef) -> str | None:
        """Return the key of a target that is downstream of an entity, or is the entity; None if there is none."""
        self._changed = {}
        key = self._search(ref) if self._targets else None
        if key is not None:
            self._spans.update(self._changed)  # what was visited may lead to the target
        return key

    def _search(self, ref: EntityRef) -> str | None:
        following: Iterable[Step] = [(ref, ReadSpan())]
        while frontier := self._visit(following):
            for step, _ in frontier:
                if step.key in self._targets:
                    return step.key
            following = self._following(frontier)
        return None

    def _visit(self, steps: Iterable[Step]) -> list[Step]:
        to_follow = super()._visit(self._noting(steps))
        self._cards.clear()
        self._task_keys.clear()
        self.authors.clear()
        return to_follow

    def _noting(self, steps: Iterable[Step]) -> Iterable[Step]:
        for step in steps:
            self._changed.setdefault(step[0].key, self._spans.get(step[0].key, []))
            yield step

    def _take(self, query: Select[Any], exact: Callable[[], ColumnElement[bool]] | None = None) -> Iterable[RowMapping]:
        by_meta = [column for column in query.selected_columns if column.key not in {"meta", "updated_ns"}]
        narrow = query.where(visible(self._conn, edges)).with_only_columns(*by_meta, maintain_column_froms=True)
        return self._conn.execute(narrow.execution_options(yield_per=_PART)).mappings()

    def _add_edge(self, row: RowMapping, task_key: str) -> None:
        """Edges are not shown."""
