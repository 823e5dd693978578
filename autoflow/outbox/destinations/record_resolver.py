"""Fill in what a call left open: the id of the entity, fields of card texts, the task and team of the edge."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, cast

from autoflow.model.card import WireMeta, WireSettings, WorkflowSettings
from autoflow.model.entity_types import WireType, type_of_kind
from autoflow.model.local_file import LocalFile
from autoflow.model.text import from_json
from autoflow.outbox.destinations import local_files
from autoflow.outbox.destinations.base import Undeliverable
from autoflow.outbox.destinations.lookups import Lookups, Task
from autoflow.process.lru_cache import LruCache
from autoflow.process.rate_limited_log import RateLimitedLogger
from autoflow.wire import cards, edges, methods
from autoflow.wire.records import (
    CapturedEdge,
    CapturedNode,
    EdgeEntity,
    EdgeRecord,
    NodeRecord,
    RunMembers,
    StartRecord,
    Subject,
)

_log = RateLimitedLogger(logging.getLogger("autoflow"))

_ONE_SLASH = re.compile(r"/(?!/)")
_RUN_MEMBERS = tuple(RunMembers.__annotations__)


class EdgeRequest(TypedDict):
    """The request that adds an edge on a Supervisely instance."""

    method: str
    body: edges.EdgeBody


class UnknownEntity(Undeliverable):
    """The server says that it does not know the path or the name in the record."""


class RecordResolver:
    """Resolves the records of one server; what depends on its kind is in the two subclasses.

    Args:
        lookups: how to ask it.
    """

    def __init__(self, lookups: Lookups) -> None:
        self.lookups = lookups

    def node(self, key: str, record: CapturedNode) -> NodeRecord:
        """Return a record of a run's own card with its settings in wire form.

        Raises:
            Undeliverable, ServerError: as for an edge.
        """
        node = settings(record["card"], lambda name: self.task_field(name, self.task_of(record)))
        return {**_run_members(record), "key": key, "type": "node", "at": record["at"], "node": node}

    def task_field(self, name: str, task: Task) -> Any:
        """Return the value of a text's field that names something of the task, or None."""
        if name == "app_id":
            return self.app_of(task)
        return {"task_id": task.id, "team_id": task.team_id}.get(name)

    def task_of(self, record: CapturedNode | CapturedEdge) -> Task:
        """Return the task an edge belongs to: the one it names itself, else its run's."""
        raise NotImplementedError

    def app_of(self, task: Task) -> int | None:
        """Return the app's id, for the links that need it; None when unknown."""
        return task.app_id

    def local_file(self, record: CapturedEdge, path: str) -> LocalFile | None:
        """Return the file of this machine at a path, if the server takes such files and there is one."""
        return None


class ServerResolver(RecordResolver):
    """For autoflow's server, which numbers runs and takes entities of other origins."""

    def __init__(self, lookups: Lookups) -> None:
        super().__init__(lookups)
        self._runs: dict[str, RunMembers] = {}  # members of run records, for tasks made before these arrive
        self._folders: LruCache[str, str] = LruCache(Lookups.CACHED_TASKS)  # working folders of runs

    def remember(self, record: StartRecord) -> None:
        """Keep the members of a run's first record."""
        if len(self._runs) > Lookups.CACHED_TASKS:
            self._runs.clear()
        self._runs[record["run"]] = _run_members(record)
        if isinstance(folder := record.get("folder"), str):
            self._folders.put(record["run"], folder)

    def local_file(self, record: CapturedEdge, path: str) -> LocalFile | None:
        """See `RecordResolver.local_file`."""
        return local_files.look_up(path, self._folders.get(record["run"]), record["at"])

    def task_of(self, record: CapturedNode | CapturedEdge) -> Task:
        """See `RecordResolver.task_of`."""
        members = _run_members(record)
        task = self.lookups.run({**self._runs.get(record["run"], members), **members})
        other = _own_task(record)
        return task if other is None else task._replace(id=other, app_id=None)

    def edge(self, key: str, record: CapturedEdge) -> EdgeRecord:
        """Resolve a captured edge to the record that the server takes.

        Raises:
            Undeliverable: it can never be delivered.
            ServerError: the server had to be asked and did not answer.
        """
        edge = EdgeResolution(self, record)
        resolved: EdgeRecord = {
            "key": key,
            "type": "edge",
            "run": record["run"],
            "at": record["at"],
            "direction": record["direction"],
            "entity": edge.entity,
            "meta": edge.meta,
        }
        if (task := _own_task(record)) is not None:
            resolved["task"] = task
        if model := record.get("model"):
            resolved["model"] = model
        return resolved


class InstanceResolver(RecordResolver):
    """For a Supervisely instance, which has the task's number from the environment.

    Args:
        lookups: how to ask it.
        version: the version of the instance.
    """

    def __init__(self, lookups: Lookups, version: tuple[int, ...]) -> None:
        super().__init__(lookups)
        self._version = version

    def task_of(self, record: CapturedNode | CapturedEdge) -> Task:
        """See `RecordResolver.task_of`."""
        other = _own_task(record)
        number = record.get("task") if other is None else other
        if number is None:
            raise Undeliverable(
                "no task number: set SUPERVISELY_TASK_ID or TASK_ID, or give task_id= to workflow() or the decorator"
            )
        if other is None and (team := record.get("team")) is not None:
            # the app's id is looked up only if a text needs it
            return Task(number, team, record.get("workspace"), None)
        return self.lookups.task(number)

    def app_of(self, task: Task) -> int | None:
        """See `RecordResolver.app_of`."""
        return task.app_id if task.app_id is not None else self.lookups.task(task.id).app_id

    def edge(self, record: CapturedEdge) -> EdgeRequest:
        """Resolve a captured edge to the request that posts it; errors as `ServerResolver.edge`."""
        kind = record["kind"]
        since = methods.JOBS_SINCE if kind == "job" else methods.WORKFLOW_SINCE
        if self._version < since:
            version, needed = (".".join(map(str, numbers)) for numbers in (self._version, since))
            raise Undeliverable(f"the instance is {version}; this needs {needed} or later")
        if origin := record.get("origin"):
            raise Undeliverable(f"the {kind} belongs to {origin}, not to this instance")
        edge = EdgeResolution(self, record)
        if edge.task.team_id is None:
            raise Undeliverable(f"the team of task {edge.task.id} is unknown")
        body = edges.edge_body(edge.task.team_id, edge.task.id, edge.type, edge.entity_id, edge.meta)
        return {"method": methods.ADD_EDGE[record["direction"]], "body": body}


def _run_members(record: Mapping[str, Any]) -> RunMembers:
    return cast("RunMembers", {key: record[key] for key in _RUN_MEMBERS if record.get(key) is not None})


def _own_task(record: CapturedNode | CapturedEdge) -> int | None:
    """Return the task that an edge names itself."""
    return record.get("own_task") if record["type"] == "edge" else None


def settings(options: Mapping[str, Any], value_of: Callable[[str], Any]) -> WireSettings:
    """Return card options in wire form, fields of their texts filled in; a text that cannot be is left out."""
    texts = {}
    for name, form in options.items():
        text = form if isinstance(form, str) else from_json(form).complete(value_of)
        if name == "url" and text is not None and not _ONE_SLASH.match(text):
            _log.info("url", "a card's url does not start with one slash; the link is left out: %r", text)
            text = None
        texts[name] = text
    if texts.get("url") is None:
        texts.pop("url_title", None)
    return WorkflowSettings(**texts).as_dict


class EdgeResolution:
    """Look-ups for one edge; each is made at most once, and only if needed.

    Args:
        resolver: for the run's task.
        record: the captured edge.

    Raises:
        Undeliverable: it can never be delivered.
        ServerError: the server had to be asked and did not answer.
    """

    def __init__(self, resolver: RecordResolver, record: CapturedEdge) -> None:
        self._resolver = resolver
        self._lookups = resolver.lookups
        self._record = record
        self._kind = record["kind"]
        self._by_path = type_of_kind(self._kind).by_path
        self._subject: Subject = record.get("subject") or {}
        self._foreign = bool(record.get("origin"))  # an entity of another server than the one the record goes to
        self._task: Task | None = None
        self._file: Mapping[str, Any] | None = None
        self._local: LocalFile | None = None
        self._id = self._subject_id()
        version = self._version_id()
        self.entity_id: int | str = self._id if version is None else version
        options = {name for name, value in record.items() if value is True}
        options |= {"version"} if version is not None else set()
        self.type: WireType = type_of_kind(self._kind, options).name
        self.meta = self._meta()

    @property
    def entity(self) -> EdgeEntity:
        """The entity, as autoflow's server takes it."""
        entity: EdgeEntity = {
            "type": self.type,
            "id": self.entity_id,
            "origin": self._record.get("origin") or "",
        }
        if self._local is not None:
            entity["origin"], entity["name"] = self._local.origin, self._local.name
        return entity

    @property
    def task(self) -> Task:
        """The task the edge belongs to."""
        if self._task is None:
            self._task = self._resolver.task_of(self._record)
        return self._task

    # -- the entity

    def _subject_id(self) -> int | str:
        if self._kind == "app":
            return self.task.id
        subject = self._subject
        if (number := subject.get("id")) is not None:
            return int(number)
        if (path := subject.get("path")) is not None:
            return path if self._by_path or self._foreign else self._file_id(path)
        if (name := subject.get("name")) is None:
            raise Undeliverable("the record names no entity")
        if self._foreign:
            return name
        number = self._lookups.named(self._kind, name, self.task.workspace_id)
        if number is None:
            raise UnknownEntity(f'no {self._kind} is called "{name}" in workspace {self.task.workspace_id}')
        return number

    def _file_id(self, path: str) -> int | str:
        team = self.task.team_id
        self._file = self._lookups.file_at(team, path) if team is not None else None
        if self._file is None or self._file.get("id") is None:
            self._local = self._resolver.local_file(self._record, path)
            if self._local is None:
                raise UnknownEntity(f"{path} is not in the Team Files of team {team}, nor a file of this machine")
            self._file = {"name": self._local.name}
            return self._local.id
        number: int | str = self._file["id"]
        return number

    def _version_id(self) -> int | None:
        version = self._record.get("version")
        if not version:
            return None
        if (version_id := version.get("id")) is not None:
            return int(version_id)
        number = version.get("number")
        if self._foreign or number is None or not isinstance(self._id, int):
            return None
        return self._lookups.version_numbered(self._id, int(number))

    # -- its card

    def _meta(self) -> WireMeta | None:
        recorded = self._record.get("meta") or {}
        meta: WireMeta = {}
        relation = self._settings(self._record.get("card"), recorded.get(cards.RELATION))
        if relation is not None:
            meta["customRelationSettings"] = relation
        node = self._settings(self._record.get("node"), recorded.get(cards.NODE))
        if node is not None:
            meta["customNodeSettings"] = node
        return meta or None

    def _settings(self, options: Mapping[str, Any] | None, recorded: WireSettings | None) -> WireSettings | None:
        """Return the settings of one card, where those of the edge's meta win; None when it has none."""
        own: WireSettings = settings(options, self._field) if options else {}
        if not own and options != {} and recorded is None:
            return None
        return {**own, **(recorded or {})}

    def _field(self, name: str) -> Any:
        """Return the value of a text's field that only the server knows, or None."""
        if name == "value.id":
            return self._id
        if name == "value.team_id":
            return self.task.team_id if self._by_path else self._entity_field("teamId", "team_id")
        if name == "value.name":
            return str(self._id).rstrip("/").rsplit("/", 1)[-1] if self._by_path else self._entity_field("name")
        return self._resolver.task_field(name, self.task)

    def _entity_field(self, *names: str) -> Any:
        """Return the first of the named members that the entity's info has; its team defaults to the task's."""
        info = self._file or {}
        if not any(info.get(name) is not None for name in names) and isinstance(self._id, int) and not self._foreign:
            info = self._lookups.entity(self._kind, self._id)
        value = next((info[name] for name in names if info.get(name) is not None), None)
        return self.task.team_id if value is None and "teamId" in names and not self._foreign else value
