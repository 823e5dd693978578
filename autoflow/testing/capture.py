"""`capture`: every edge that a block of a test records, in this process and in its children.

The process of the test keeps its records in memory. Children, forked or spawned, learn from ``AUTOFLOW_MEMORY`` of a
folder in which they leave theirs.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from autoflow import settings
from autoflow.outbox import outbox
from autoflow.runtime import context, destination, lifecycle
from autoflow.transport.memory import ORIGIN as MEMORY
from autoflow.wire import cards

SECONDS = 60.0
VARIABLE = "AUTOFLOW_MEMORY"


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
        outbox.flush_memory(SECONDS)  # what was recorded before is under way
        self._from = len(destination.memory_transport().records)
        self._sizes = {path: os.path.getsize(path) for path in _files_of_children()}

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record (`autoflow.wire.records`) of this process and its children, in the order recorded."""
        outbox.flush_all(SECONDS)
        own = destination.memory_transport().records[self._from :]
        of_children = [record for path in _files_of_children() for record in _read(path, self._sizes.get(path, 0))]
        return sorted([*own, *of_children], key=lambda record: record.get("at", 0)) if of_children else own

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


def _files_of_children() -> list[str]:
    found = settings.memory()
    if found is None or not os.path.isdir(found[1]):
        return []
    return sorted(entry.path for entry in os.scandir(found[1]) if entry.name.endswith(".jsonl"))


def _read(path: str, start: int) -> list[dict[str, Any]]:
    """Read the whole lines of a file from a position; a child may just be writing the last."""
    with open(path, "rb") as file:
        file.seek(start)
        return [json.loads(line) for line in file if line.endswith(b"\n")]


@contextmanager
def shared_folder() -> Iterator[None]:
    """Have children of this process leave their records in a folder of its own, while the block runs."""
    found = settings.memory()
    if found is not None and found[0] == os.getpid() and os.path.isdir(found[1]):
        yield  # a block around this one has made it
        return
    before = os.environ.get(VARIABLE)
    folder = tempfile.mkdtemp(prefix="autoflow-test-")
    os.environ[VARIABLE] = f"{os.getpid()}:{folder}"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def capture() -> Iterator[Captured]:
    """Keep what is recorded inside the block in memory, whatever the environment says, and give it back.

    Children of the process are part of it, unless their environment has ``AUTOFLOW_SERVER``.
    """
    with shared_folder():
        yield from _captured()


def _captured() -> Iterator[Captured]:
    before = destination.override
    destination.override = MEMORY
    found = Captured()
    token = context.current.set(lifecycle.start("captured"))
    try:
        yield found
    finally:
        context.current.reset(token)
        destination.override = before
