"""`capture`: the edges that a block of a test records, in this process and in its child processes.

The test's process keeps its records in memory. Child processes, forked or spawned, write theirs to a folder that
``AUTOFLOW_MEMORY`` names.
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

FLUSH_SECONDS = 60.0
VARIABLE = "AUTOFLOW_MEMORY"


class Edge(NamedTuple):
    """One recorded edge, as it would be delivered.

    `type` is the wire's (a version is a ``project_version``, weights are a ``model_weight``). `id` is a number, or a
    path where only a server knows the number. `card` and `node` hold the texts of cards: ``title``, ``description``,
    ``icon``, ``link``.
    """

    direction: str
    type: str
    id: int | str
    card: dict[str, Any]
    node: dict[str, Any]
    run: str


class Captured:
    """The records made since the block began."""

    def __init__(self) -> None:
        outbox.flush_memory(FLUSH_SECONDS)  # earlier records may still be on their way
        self._from = len(destination.memory_transport().records)
        self._sizes = {path: os.path.getsize(path) for path in _files_of_children()}

    @property
    def records(self) -> list[dict[str, Any]]:
        """All records (`autoflow.wire.records`) of this process and its children, in the order recorded."""
        outbox.flush_all(FLUSH_SECONDS)
        own = destination.memory_transport().records[self._from :]
        of_children = [record for path in _files_of_children() for record in _read(path, self._sizes.get(path, 0))]
        return sorted([*own, *of_children], key=lambda record: record.get("at", 0)) if of_children else own

    @property
    def edges(self) -> list[Edge]:
        """All edges, in the order recorded."""
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
    memory = settings.memory()
    if memory is None or not os.path.isdir(memory[1]):
        return []
    return sorted(entry.path for entry in os.scandir(memory[1]) if entry.name.endswith(".jsonl"))


def _read(path: str, start: int) -> list[dict[str, Any]]:
    """Read the complete lines of a file from an offset; a child may be writing the last one."""
    with open(path, "rb") as file:
        file.seek(start)
        return [json.loads(line) for line in file if line.endswith(b"\n")]


@contextmanager
def shared_folder() -> Iterator[None]:
    """Let child processes write their records to a temporary folder while the block runs."""
    memory = settings.memory()
    if memory is not None and memory[0] == os.getpid() and os.path.isdir(memory[1]):
        yield  # an outer block has made it
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
    """Yield what the block records; it is kept in memory, whatever destination the environment names.

    Child processes are included, unless their environment has ``AUTOFLOW_SERVER``.
    """
    with shared_folder():
        yield from _captured()


def _captured() -> Iterator[Captured]:
    before = destination.override
    destination.override = MEMORY
    captured = Captured()
    token = context.current.set(lifecycle.start("captured"))
    try:
        yield captured
    finally:
        context.current.reset(token)
        destination.override = before
