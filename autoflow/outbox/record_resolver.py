"""What the call left open, filled in: the entity's number, the words of its card, the task and team of the edge."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from autoflow.errors import AutoflowError, ServerBusy
from autoflow.model.card import WorkflowSettings
from autoflow.model.entity_types import type_of_kind
from autoflow.model.text import from_json
from autoflow.outbox.lookups import Lookups, ServerIdentity, Task
from autoflow.process.rate_limited_log import RateLimitedLogger
from autoflow.wire import cards, edges, methods

_log = RateLimitedLogger(logging.getLogger("autoflow"))

_ONE_SLASH = re.compile(r"/(?!/)")
_RUN_MEMBERS = ("run", "name", "task", "origin", "team", "workspace")


class Undeliverable(AutoflowError):
    """The record can never be delivered; the message is the reason its dead letter carries."""


class UnknownEntity(Undeliverable):
    """The server says that it does not know the path or the name the record holds."""


class ResolvedEdge(NamedTuple):
    """An edge ready to be sent: the body an instance takes, and the record our server takes."""

    method: str
    body: dict[str, Any]
    record: dict[str, Any]


class RecordResolver:
    """Completes the edges of one destination.

    Args:
        server: what the destination is.
        lookups: how to ask it.
        origin: the destination's own origin; edges of another one are kept as they are.
    """

    def __init__(self, server: ServerIdentity, lookups: Lookups, origin: str) -> None:
        self._server = server
        self._lookups = lookups
        self._origin = origin
        self._runs: dict[str, dict[str, Any]] = {}  # what the run records said, for tasks made before they arrive

    def remember(self, record: Mapping[str, Any]) -> None:
        """Note what a run's first record says of it."""
        if len(self._runs) > Lookups.KEEP:
            self._runs.clear()
        self._runs[record["run"]] = {key: record[key] for key in _RUN_MEMBERS if record.get(key) is not None}

    def edge(self, key: str, record: Mapping[str, Any]) -> ResolvedEdge:
        """Complete one captured edge (`wire.records.CapturedEdge`).

        Raises:
            Undeliverable: it can never be delivered.
            ServerError: the server must be asked and did not answer as hoped.
        """
        self._check_age(record["kind"])
        return _Edge(self, key, record).complete()

    def node(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Complete the settings of a run's own card, wire form.

        Raises:
            Undeliverable, ServerError: as for an edge.
        """
        return settings(record["card"], lambda name: self._of_task(name, self.task_of(record)))

    def _of_task(self, name: str, task: Task) -> Any:
        if name == "app_id":
            return self.app_of(task)
        return {"task_id": task.id, "team_id": task.team_id}.get(name)

    def task_of(self, record: Mapping[str, Any]) -> Task:
        """The task an edge hangs on: the number it names itself, else its run's."""
        other = record.get("own_task")
        if self._server.is_autoflow:
            own = {key: record[key] for key in _RUN_MEMBERS if record.get(key) is not None}
            task = self._lookups.run({**self._runs.get(record["run"], {}), **own})
            return task if other is None else task._replace(id=other, app_id=None)
        number = record.get("task") if other is None else other
        if number is None:
            raise Undeliverable(
                "no task number: set SUPERVISELY_TASK_ID or TASK_ID, or give task_id= to workflow() or the decorator"
            )
        if other is None and record.get("team") is not None:
            # the app's number is looked up only if a text asks for it
            return Task(number, record["team"], record.get("workspace"), None)
        return self._lookups.task(number)

    def app_of(self, task: Task) -> int | None:
        """The app's number, for the links that need it; None when unknown."""
        if task.app_id is not None or self._server.is_autoflow:
            return task.app_id
        return self._lookups.task(task.id).app_id

    def _check_age(self, kind: str) -> None:
        if self._server.is_autoflow:
            return
        since = methods.JOBS_SINCE if kind == "job" else methods.WORKFLOW_SINCE
        if self._server.version is None:
            raise ServerBusy("the instance does not say its version", status=503)
        if self._server.version < since:
            shown = ".".join(map(str, self._server.version))
            raise Undeliverable(f"the instance is {shown}; this needs {'.'.join(map(str, since))} or later")


def settings(options: Mapping[str, Any], known: Callable[[str], Any]) -> dict[str, Any]:
    """Give card options in wire form, their texts completed; what cannot be completed is left out."""
    shown = {}
    for name, form in options.items():
        text = form if isinstance(form, str) else from_json(form).complete(known)
        if name == "url" and text is not None and not _ONE_SLASH.match(text):
            _log.info("url", "a card's url does not start with one slash; the link is left out: %r", text)
            text = None
        shown[name] = text
    if shown.get("url") is None:
        shown.pop("url_title", None)
    return WorkflowSettings(**shown).as_dict


class _Edge:
    """One edge while it is being completed; each question to the server is asked at most once, and only if needed."""

    def __init__(self, completion: RecordResolver, key: str, record: Mapping[str, Any]) -> None:
        self._completion = completion
        self._lookups = completion._lookups
        self._autoflow = completion._server.is_autoflow
        self._key = key
        self._record = record
        self._kind: str = record["kind"]
        self._subject: Mapping[str, Any] = record.get("subject") or {}
        self._foreign: str = record.get("origin") or ""
        self._task_found: Task | None = None
        self._file: Mapping[str, Any] | None = None
        self.id: int | str = ""

    @property
    def task(self) -> Task:
        if self._task_found is None:
            self._task_found = self._completion.task_of(self._record)
        return self._task_found

    def complete(self) -> ResolvedEdge:
        if self._foreign and not self._autoflow:
            raise Undeliverable(f"the {self._kind} belongs to {self._foreign}, not to this instance")
        self.id = self._entity_id()
        version = self._version_id()
        options = {name for name, value in self._record.items() if value is True}
        options |= {"version"} if version is not None else set()
        entity_type = type_of_kind(self._kind, options).name
        entity_id = self.id if version is None else version
        meta = self._meta()
        direction = self._record["direction"]
        entity = {"type": entity_type, "id": entity_id, "origin": self._foreign}
        record = {
            "key": self._key,
            "type": "edge",
            "run": self._record["run"],
            "at": self._record["at"],
            "direction": direction,
            "entity": entity,
            "meta": meta,
        }
        if self._record.get("own_task") is not None:
            record["task"] = self._record["own_task"]
        body: dict[str, Any] = {}
        if not self._autoflow:
            if self.task.team_id is None:
                raise Undeliverable(f"the team of task {self.task.id} is unknown")
            body = edges.edge_body(self.task.team_id, self.task.id, entity_type, entity_id, meta)
        return ResolvedEdge(methods.ADD_EDGE[direction], body, record)

    # -- the entity

    def _entity_id(self) -> int | str:
        if self._kind == "app":
            return self.task.id
        subject = self._subject
        if "id" in subject:
            return int(subject["id"])
        if "path" in subject:
            path = str(subject["path"])
            return path if type_of_kind(self._kind).by_path or self._foreign else self._file_number(path)
        name = str(subject["name"])
        if self._foreign:
            return name
        found = self._lookups.named(self._kind, name, self.task.workspace_id)
        if found is None:
            raise UnknownEntity(f'no {self._kind} is called "{name}" in workspace {self.task.workspace_id}')
        return found

    def _file_number(self, path: str) -> int | str:
        team = self.task.team_id
        self._file = self._lookups.file_at(team, path) if team is not None else None
        if self._file is None or self._file.get("id") is None:
            raise UnknownEntity(f"{path} is not in the Team Files of team {team}")
        number: int | str = self._file["id"]
        return number

    def _version_id(self) -> int | None:
        version = self._record.get("version")
        if not version:
            return None
        if "id" in version:
            return int(version["id"])
        if self._foreign or not isinstance(self.id, int):
            return None
        return self._lookups.version_numbered(self.id, int(version["number"]))

    # -- its card

    def _meta(self) -> dict[str, Any] | None:
        meta: dict[str, Any] = {}
        given = self._record.get("meta") or {}
        for part, key in (("card", cards.RELATION), ("node", cards.NODE)):
            options = self._record.get(part)
            own = settings(options, self.known) if options else {}
            if own or options == {} or key in given:
                meta[key] = {**own, **given.get(key, {})}
        return meta or None

    def known(self, name: str) -> Any:
        """The value of a text's field that only the server knows, or None."""
        if name == "value.id":
            return self.id
        if name == "value.team_id":
            return self.task.team_id if type_of_kind(self._kind).by_path else self._told("teamId", "team_id")
        if name == "value.name":
            by_path = type_of_kind(self._kind).by_path
            return str(self.id).rstrip("/").rsplit("/", 1)[-1] if by_path else self._told("name")
        return self._completion._of_task(name, self.task)

    def _told(self, *names: str) -> Any:
        """What the server says of the entity, by the first key it has; a team it does not say is the task's."""
        about = self._file or {}
        if not any(about.get(name) is not None for name in names) and isinstance(self.id, int) and not self._foreign:
            about = self._lookups.entity(self._kind, self.id)
        found = next((about[name] for name in names if about.get(name) is not None), None)
        return self.task.team_id if found is None and "teamId" in names and not self._foreign else found
