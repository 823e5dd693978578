"""`capture`: every edge that a block of a test records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from autoflow.outbox import outbox
from autoflow.runtime import context, destination, lifecycle
from autoflow.transport.memory import ORIGIN as MEMORY
from autoflow.wire import cards

SECONDS = 60.0


class Edge(NamedTuple):
    """One recorded edge, as it would be delivered.

    `type` is the wire's (a version is a ``project_version``, weights are a ``model_weight``), `id` a number, or a path
    where only a server could tell the number; `card` and `node` hold what the cards show: ``title``, ``description``,
    ``icon``, ``link``.
    """

    direction: str
    type: str
    id: int | str
    card: dict[str, Any]
    node: dict[str, Any]
    run: str


class Captured:
    """What was recorded since the block began."""

    def __init__(self) -> None:
        self._from = len(destination.memory().records)

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record (`autoflow.wire.records`), in the order recorded."""
        outbox.flush_all(SECONDS)
        return destination.memory().records[self._from :]

    @property
    def edges(self) -> list[Edge]:
        """Every edge, in the order recorded."""
        return [_edge(record) for record in self.records if record["type"] == "edge"]


def _edge(record: dict[str, Any]) -> Edge:
    meta = record.get("meta") or {}
    entity = record["entity"]
    return Edge(
        record["direction"],
        entity["type"],
        entity["id"],
        cards.plain(meta.get(cards.RELATION, {})),
        cards.plain(meta.get(cards.NODE, {})),
        record["run"],
    )


@contextmanager
def capture() -> Iterator[Captured]:
    """Keep what is recorded inside the block in memory, whatever the environment says, and give it back."""
    before = destination.forced
    destination.forced = MEMORY
    token = context.current.set(lifecycle.start("captured"))
    try:
        yield Captured()
    finally:
        context.current.reset(token)
        destination.forced = before
