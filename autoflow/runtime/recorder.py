"""`Recorder`: write the records of one run to its outbox, each edge once, and collect what failed.

The lowest module of the runtime's chain: recorder, call, templating, card_options, edge_spec, run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from autoflow.guard import Guard
from autoflow.model.entity_types import Direction, Kind
from autoflow.outbox.outbox import Outbox
from autoflow.outbox.record_encoder import encode, encode_edge, encode_member, encode_members, join
from autoflow.runtime.entity_resolution import EntityIdentifier
from autoflow.wire.records import RunMembers

logger = logging.getLogger("autoflow")

MAX_FAILURES = 100
MAX_DEDUPLICATED = 32_768  # edges
LONGEST_NAME = 512  # it goes into the environment of every child
LONGEST_CARD = 60 << 10  # bytes; a record stays within 64 KiB

_OUTPUT = encode_members({"direction": "output"})
_PLAIN = 2  # members of an edge key that names an entity and nothing else


def new_key() -> str:
    """Return a new run's key."""
    return os.urandom(12).hex()


class EdgeType(Protocol):
    """The common part of all edges of one `EdgeSpec`."""

    @property
    def direction(self) -> Direction:
        """Input or output."""
        ...

    @property
    def kind(self) -> Kind:
        """The kind of entity, as the author names it."""
        ...

    @property
    def head(self) -> bytes:
        """The encoded members of the record that are the same for every edge."""
        ...


class Recorder:
    """Write the records of one run.

    Args:
        outbox: destination of the records; None records nothing (``AUTOFLOW_SERVER=off``).
        key: the run's key, unique for ever.
        name: the app's name; None for a run joined from another process.
        task: the task's id, when the app or its environment named it.
        team, workspace: ids, when the app named them.
        origin: server that issued these ids and those of the entities; empty for the destination itself.

    Attributes:
        write: write the members of a record; returns its number in the journal, 0 when it could not be written.
        versions: by direction, the version that `@versioned` saved of each project.
    """

    def __init__(
        self,
        outbox: Outbox | None,
        key: str,
        name: str | None,
        *,
        task: int | None = None,
        team: int | None = None,
        workspace: int | None = None,
        origin: str = "",
    ) -> None:
        self.key = key
        self.name = name if name is None else name[:LONGEST_NAME]
        self.origin = origin
        self.versions: dict[str, dict[EntityIdentifier, int]] = {"input": {}, "output": {}}
        self.guard = Guard(f"recording of run {name or key}", self.add_failure)
        self.outbox = outbox
        self.write: Callable[[bytes], int] = outbox.record if outbox is not None else lambda members: 0
        self._task = task
        self._failures: list[Exception] = []
        self._edges: dict[tuple[Any, ...], bytes] = {}  # edge key -> the appearance last recorded
        self._nodes: dict[int | None, bytes] = {}  # the node settings last recorded for each task; None: the run's own
        self._members: RunMembers = {"run": key}
        if task is not None:
            self._members["task"] = task
        if team is not None:
            self._members["team"] = team
        if workspace is not None:
            self._members["workspace"] = workspace
        if origin:
            self._members["origin"] = origin
        self._tail = encode_members(self._members)

    @property
    def task_id(self) -> int | None:
        """The task's id: the app's, else the one our server assigned (known after a flush), else None."""
        if self._task is not None or self.outbox is None:
            return self._task
        return self.outbox.task_of(self.key)

    @property
    def explicit_task_id(self) -> int | None:
        """The task's id, when the app or its environment named it."""
        return self._task

    @property
    def failures(self) -> list[Exception]:
        """The last hundred errors raised while recording this run; none of them reached the app."""
        return list(self._failures)

    def add_failure(self, failure: Exception) -> None:
        """Append an error to `failures`, dropping the oldest beyond the limit."""
        self._failures.append(failure)
        del self._failures[:-MAX_FAILURES]

    def debug(self, message: str, *arguments: Any) -> None:
        """Log a debug line."""
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("autoflow: " + message, *arguments)

    def members(self) -> RunMembers:
        """Return the members of every record of the run, and its name."""
        return {**self._members, "name": self.name}

    # -- records

    def record_edge(
        self,
        spec: EdgeType,
        entity: EntityIdentifier,
        appearance: bytes,
        node: bytes = b"",
        *,
        version: dict[str, int] | None = None,
        task: int | None = None,
    ) -> None:
        """Record an edge, unless the run recorded the same edge with the same card and node settings.

        Args:
            spec: direction and kind.
            entity: the entity, see `entity_resolution.resolve_entity`; ignored for the run's own session.
            appearance: the members that describe the data's card, see `edge_spec.appearance_of`.
            node: settings of the run's card, as JSON.
            version: {"id": n} or {"number": n} of a project.
            task: another task than the run's.
        """
        if version is None and spec.kind == "project":
            saved = self.versions[spec.direction]
            version = {"id": saved[entity]} if saved and entity in saved else None
        if task == self._task:
            task = None
        edge = (spec.head, entity) if version is None and task is None else _edge_key(spec, entity, version, task)
        edges = self._edges
        if edges.get(edge) == appearance and (not node or node == self._nodes.get(task)):
            return
        extras = (
            self._extras(spec, appearance, node, version, task) if node or appearance or len(edge) > _PLAIN else b""
        )
        if not self.write(encode_edge(spec.head, entity, extras, self._tail)):
            return
        if len(edges) >= MAX_DEDUPLICATED:
            for old in list(edges)[: MAX_DEDUPLICATED // 2]:
                edges.pop(old, None)
        edges[edge] = appearance
        if node:
            self._nodes[task] = node

    def has_edge(self, spec: EdgeType, entity: EntityIdentifier) -> bool:
        """Return whether the edge that `record_edge` would record is recorded, with whatever card."""
        version = self.versions[spec.direction].get(entity)
        edge = (spec.head, entity) if version is None else _edge_key(spec, entity, {"id": version}, None)
        return edge in self._edges

    def local_paths(self, folder: str | None) -> set[tuple[Direction, str]]:
        """Return the direction and real path of what the recorded edges name, if the paths are of this machine.

        Args:
            folder: the folder that relative paths start at.
        """
        paths: set[tuple[Direction, str]] = set()
        for head, entity, *_ in list(self._edges):
            if isinstance(entity, tuple) and entity[0] == "path":
                direction: Direction = "output" if _OUTPUT in head else "input"
                paths.add((direction, os.path.realpath(entity[1])))
                if folder is not None:
                    paths.add((direction, os.path.realpath(os.path.join(folder, entity[1].lstrip("/")))))
        return paths

    def record_node(self, card: bytes) -> None:
        """Record settings of the run's own card, as JSON, unless they are the ones last recorded."""
        if card and card != self._nodes.get(None):
            self._nodes[None] = card
            self.write(join(encode_members({"type": "node"}), encode_member("card", card), self._tail))

    def write_record(self, record_type: str, **members: Any) -> int:
        """Write a record about the run itself (run, facts, finish, log), trimmed to the size limit."""
        record = encode_members({"type": record_type, **members})
        if len(record) > LONGEST_CARD:
            record = encode_members({"type": record_type, **_trim(members, LONGEST_CARD)})
        return self.write(join(record, self._tail))

    def _extras(
        self, spec: EdgeType, appearance: bytes, node: bytes, version: dict[str, int] | None, task: int | None
    ) -> bytes:
        """Return the optional members of an edge record."""
        if node:
            appearance = join(appearance, encode_member("node", node))
        if len(appearance) > LONGEST_CARD:
            self.add_failure(
                ValueError(f"the card of a {spec.kind} is longer than {LONGEST_CARD} bytes; recorded without it")
            )
            appearance = encode_members({"trimmed": True})
        if version is not None:
            appearance = join(appearance, encode_members({"version": version}))
        if task is not None:
            appearance = join(appearance, encode_members({"own_task": task}))
        return appearance


def _edge_key(
    spec: EdgeType, entity: EntityIdentifier, version: Mapping[str, int] | None, task: int | None
) -> tuple[Any, ...]:
    """Return the identity of an edge that names a version or another task; edges with the same key are one."""
    if version is None:
        return spec.head, entity, task
    return spec.head, version.get("id") or (entity, version["number"]), task, "version"


def _trim(members: Mapping[str, Any], limit: int, *, deep: bool = True) -> dict[str, Any]:
    """Return the members that fit into `limit` bytes, the longest left out first and listed under ``trimmed``."""
    sizes = {name: len(encode(value)) + len(name) for name, value in members.items()}
    total = sum(sizes.values()) + (len(sizes) << 4)
    fitting, trimmed = dict(members), []
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if total <= limit:
            break
        total -= sizes[name]
        if deep and isinstance(members[name], Mapping):
            fitting[name] = _trim(members[name], max(0, limit - total), deep=False)
            total += len(encode(fitting[name]))
        else:
            del fitting[name]
            trimmed.append(name[:64])
            total += 80
    return {**fitting, "trimmed": trimmed} if trimmed else fitting
