"""A run: one execution of an app, what it has recorded, and what failed."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from autoflow.errors import DecorationError
from autoflow.guard import Guard
from autoflow.model.card import PROPERTIES
from autoflow.model.entity import Direction
from autoflow.outbox import open_runs
from autoflow.outbox.outbox import Outbox
from autoflow.outbox.record_encoder import encode, encode_edge, encode_member, encode_members, join
from autoflow.runtime.call import Call
from autoflow.runtime.card_options import CardOptions
from autoflow.runtime.destination import OFF
from autoflow.runtime.edge_spec import EdgeSpec
from autoflow.runtime.entity_resolution import EntityRef, warn_once

logger = logging.getLogger("autoflow")

VARIABLE = "AUTOFLOW_RUN"
FAILURES = 100
REMEMBERED = 32_768
LONGEST_NAME = 512  # it goes into the environment of every child
LONGEST_CARD = 60 << 10  # a record stays within 64 KiB


class Run:
    """One execution of an app.

    Args:
        outbox: where its records go; None records nothing (``AUTOFLOW_SERVER=off``).
        key: unique for ever.
        name: the app's name, None for a run joined from another process.
        task: its number when it was given from outside.
        team, workspace: numbers, when given.
        origin: whose numbers these and its entities' are; empty for the destination's own.
        open_file: for a run that another process opened: the file that is there while it is open (`openruns`).
        active: whether this process opened it.

    Attributes:
        active: this process opened the run, and it is not over. A plain attribute: it is read at every call.
        open_file: the run's file in the home, None when there is none to ask.
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
        open_file: str | None = None,
        active: bool = True,
    ) -> None:
        self.key = key
        self.active = active
        self.open_file = open_file
        self._over = False
        self.name = name if name is None else name[:LONGEST_NAME]
        self.origin = origin
        self.api: Any = None  # the SDK's or our own Api given to `workflow(api=...)`
        self.versions: dict[str, dict[EntityRef, int]] = {"input": {}, "output": {}}
        self.guard = Guard(f"recording of run {name or key}", self.add_failure)
        self.outbox = outbox  # where the records go
        # writes a record of this run; gives its number, 0 when it could not be written
        self.write: Callable[[bytes], int] = outbox.record if outbox is not None else lambda members: 0
        self._task = task
        self._failures: list[Exception] = []
        self._edges: dict[tuple[Any, ...], bytes] = {}  # edge -> how it was last recorded
        self._nodes: dict[int | None, bytes] = {}  # the node settings last recorded for each task, None the run's own
        known = {"run": key, "task": task, "team": team, "workspace": workspace, "origin": origin or None}
        self._members = {name: value for name, value in known.items() if value is not None}
        self._tail = encode_members(self._members)

    def __repr__(self) -> str:
        return f"<autoflow run {self.name or ''} {self.key}>"

    # -- for authors

    @property
    def task_id(self) -> int | None:
        """The task's number: as given, else as our server told it (after a flush), else None."""
        if self._task is not None or self.outbox is None:
            return self._task
        return self.outbox.task_of(self.key)

    @property
    def explicit_task_id(self) -> int | None:
        """The task's number, if it was given from outside."""
        return self._task

    @property
    def failures(self) -> list[Exception]:
        """What went wrong while recording this run, the last hundred; nothing of it ever reached the app."""
        return list(self._failures)

    def input(self, kind: str, value: Any = None, **options: Any) -> None:
        """Record something the run reads; the options are those of `workflow_input`."""
        self._imperative("input", kind, value, options)

    def output(self, kind: str, value: Any = None, **options: Any) -> None:
        """Record something the run wrote; the options are those of `workflow_output`."""
        self._imperative("output", kind, value, options)

    def node(self, **settings: Any) -> None:
        """Say how the run's own card looks: the properties of WorkflowSettings, texts may be templates."""
        with self.guard:
            for name in settings:
                if name not in PROPERTIES:
                    logger.warning("autoflow: a card has no %r; it has %s", name, ", ".join(PROPERTIES))
            self.set_node(None, settings)

    def env(self) -> dict[str, str]:
        """An environment for a child process that is to record in this run: ``subprocess.run(args, env=run.env())``.

        Returns:
            A copy of `os.environ` in which ``AUTOFLOW_RUN`` names this run.
        """
        return {**os.environ, VARIABLE: self.to_text()}

    # -- for autoflow

    def to_text(self) -> str:
        """The text by which another process can join the run: the value of ``AUTOFLOW_RUN``."""
        if not self.key:
            return urlencode({"without": self.name})
        known = {"key": self.key, "name": self.name, "task": self._task, "origin": self.origin, "file": self.open_file}
        known["server"] = self.outbox.address if self.outbox is not None else OFF
        return urlencode({name: value for name, value in known.items() if value}, errors="backslashreplace")

    @property
    def is_over(self) -> bool:
        """Whether the run is known to be over. Of a run that another process opened, its file is asked each time."""
        if not (self.active or self._over) and self.open_file is not None:
            self._over = open_runs.is_over(self.open_file)
        return self._over

    def close(self) -> None:
        """Say that the run is over: nothing is to be recorded in it by guess any more. Its file stays for now."""
        self.active, self._over = False, True

    def lend(self) -> None:
        """In a forked child: the run is the parent's, and may end without this process hearing of it."""
        self.active = False

    def members(self) -> dict[str, Any]:
        """What every record says of the run, and its name: what ``autoflow.runs.ensure`` takes."""
        return {**self._members, "name": self.name}

    def set_node(self, base: Any, settings: Mapping[str, Any]) -> None:
        """Record settings of the run's own card; equal ones are recorded once.

        Args:
            base: a WorkflowSettings or None.
            settings: single properties, each winning over the base's.
        """
        card = CardOptions(base, settings, frozenset()).fill(self._call())
        if card and card != self._nodes.get(None):
            self._nodes[None] = card
            self.write(join(encode_members({"type": "node"}), encode_member("card", card), self._tail))

    def _imperative(self, direction: Direction, kind: Any, value: Any, options: Mapping[str, Any]) -> None:
        with self.guard:
            try:
                spec = EdgeSpec(direction, kind, options, frozenset(), lambda call: value)
            except DecorationError as error:
                warn_once(f"run.{direction}: {error}")
                raise
            spec.record(self, self._call())

    def _call(self) -> Call:
        """A call without parameters, and without a result to wait for."""
        call = Call(self, {})
        call.result = None
        return call

    def edge(
        self,
        spec: EdgeSpec,
        ident: EntityRef,
        tail: bytes,
        node: bytes = b"",
        *,
        version: dict[str, int] | None = None,
        task: int | None = None,
    ) -> None:
        """Record an edge, once: again only when its card or the node's settings have changed.

        Args:
            spec: direction and kind.
            ident: the entity, see `subjects.identify`; of no meaning for the run's own session.
            tail: the members that say how the data looks, see `spec.members`.
            node: settings of the run's card, JSON.
            version: {"id": n} or {"number": n} of a project.
            task: another task than the run's.
        """
        if version is None and spec.kind == "project":
            made = self.versions[spec.direction]
            version = {"id": made[ident]} if made and ident in made else None
        if task == self._task:
            task = None
        edge = (spec.head, ident) if version is None and task is None else _edge_of(spec, ident, version, task)
        edges = self._edges
        if edges.get(edge) == tail and (not node or node == self._nodes.get(task)):
            return
        rest = self._extras(spec, tail, node, version, task) if node or tail or len(edge) > _PLAIN else b""
        if not self.write(encode_edge(spec.head, ident, rest, self._tail)):
            return
        if len(edges) >= REMEMBERED:
            for old in list(edges)[: REMEMBERED // 2]:
                edges.pop(old, None)
        edges[edge] = tail
        if node:
            self._nodes[task] = node

    def has(self, spec: EdgeSpec, ident: EntityRef) -> bool:
        """Whether the edge that `edge` would record is recorded, however it looks."""
        made = self.versions[spec.direction].get(ident)
        edge = (spec.head, ident) if made is None else _edge_of(spec, ident, {"id": made}, None)
        return edge in self._edges

    def _extras(
        self, spec: EdgeSpec, tail: bytes, node: bytes, version: dict[str, int] | None, task: int | None
    ) -> bytes:
        """The members of an edge that few edges have."""
        if node:
            tail = join(tail, encode_member("node", node))
        if len(tail) > LONGEST_CARD:
            self.add_failure(
                ValueError(f"the card of a {spec.kind} is longer than {LONGEST_CARD} bytes; recorded without it")
            )
            tail = encode_members({"trimmed": True})
        if version is not None:
            tail = join(tail, encode_members({"version": version}))
        if task is not None:
            tail = join(tail, encode_members({"own_task": task}))
        return tail

    def write_record(self, kind: str, **members: Any) -> int:
        """Write a record about the run itself: run, facts, finish, log."""
        record = encode_members({"type": kind, **members})
        if len(record) > LONGEST_CARD:
            record = encode_members({"type": kind, **_fitting(members, LONGEST_CARD)})
        return self.write(join(record, self._tail))

    def add_failure(self, failure: Exception) -> None:
        """Keep a failure for `failures`."""
        self._failures.append(failure)
        del self._failures[:-FAILURES]

    def debug(self, message: str, *arguments: Any) -> None:
        """A debug line about this run."""
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("autoflow: " + message, *arguments)


_PLAIN = 2  # members of an edge that names an entity and nothing else


def _edge_of(spec: EdgeSpec, ident: EntityRef, version: Mapping[str, int] | None, task: int | None) -> tuple[Any, ...]:
    """What makes two edges of a run the same, when they name a version or another task."""
    if version is None:
        return spec.head, ident, task
    return spec.head, version.get("id") or (ident, version["number"]), task, "version"


def new_key() -> str:
    """A run's key."""
    return os.urandom(12).hex()


def _fitting(members: Mapping[str, Any], room: int, *, deep: bool = True) -> dict[str, Any]:
    """As many members as fit into so many bytes, the longest left out first and named under ``trimmed``."""
    sizes = {name: len(encode(value)) + len(name) for name, value in members.items()}
    left = sum(sizes.values()) + (len(sizes) << 4)
    kept, gone = dict(members), []
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if left <= room:
            break
        left -= sizes[name]
        if deep and isinstance(members[name], Mapping):
            kept[name] = _fitting(members[name], max(0, room - left), deep=False)
            left += len(encode(kept[name]))
        else:
            del kept[name]
            gone.append(name[:64])
            left += 80
    return {**kept, "trimmed": gone} if gone else kept
