"""Pages of runs, a method a page, and the runs that other pages list.

Lists come in parts: a response's `next` is the position of the following part, null after the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from autoflow.model.entity_types import Direction, WireType
from autoflow.model.json_object import JsonObject
from autoflow.model.run import RunState
from autoflow.wire.contract.method import Count, Id, Method, Positive


class NamedEntity(TypedDict):
    """An entity as a link: its number and its name."""

    id: Id
    name: str


class RunSummary(TypedDict):
    """A run as an entry of a list.

    Args:
        id: number of the task.
        name: name of the app, else of the run.
        startedAt: time in ISO 8601.
        finishedAt: time in ISO 8601; null while it runs.
    """

    id: Id
    name: str
    state: RunState
    startedAt: str
    finishedAt: str | None


class UsingRun(RunSummary):
    """A run that read or wrote an entity.

    Args:
        directions: what it did with the entity.
    """

    directions: list[Direction]


class Users(TypedDict):
    """The runs that read or wrote an entity, the latest first.

    Args:
        total: number of all of them.
    """

    runs: list[UsingRun]
    total: Count


@dataclass(frozen=True, kw_only=True)
class RunListRequest:
    """Return runs, the latest first.

    Args:
        workspace: number of a workspace; all without it.
        app: number of an app; all without it.
        before: `next` of the previous part.
        limit: most entries.
    """

    workspace: Id | None = None
    app: Id | None = None
    before: Id | None = None
    limit: Positive | None = None


class ListedRun(RunSummary):
    """A run as an entry of the list of runs.

    Args:
        inputs: number of edges to what it read.
        outputs: number of edges to what it wrote.
    """

    appId: Id | None
    workspaceId: Id
    inputs: Count
    outputs: Count


class RunList(TypedDict):
    """A part of a list of runs."""

    runs: list[ListedRun]
    next: Id | None


@dataclass(frozen=True, kw_only=True)
class RunPageRequest:
    """Return a run's page: how it went, what it read and wrote.

    Args:
        id: number of the task.
    """

    id: Id


class EntityLink(TypedDict):
    """An entity with a link to its page.

    Args:
        id: number or path of the entity.
        origin: server that issued the number; empty for this server.
        detail: description of its card.
        badge: as V3, of a version.
        link: path of its page; null without one.
    """

    type: WireType
    id: int | str
    origin: str
    name: str
    detail: str | None
    badge: str | None
    link: str | None


class LinkedEntity(EntityLink):
    """An input or output of a run.

    Args:
        at: time of the edge, in ISO 8601.
        createdBy: login of a user.
    """

    at: str
    createdBy: str | None


class RecordedFacts(TypedDict):
    """Facts that were recorded apart from a run's own.

    Args:
        at: time in ISO 8601.
        createdBy: login of a user.
        facts: as a run's.
    """

    at: str
    createdBy: str | None
    facts: JsonObject


class RunPage(RunSummary):
    """A run's page.

    Args:
        number: number of the task at its origin.
        origin: server that issued the number; empty for this server.
        app: null for a run without an app.
        error: message of a run that failed.
        seenAt: time of the last record of a run that is running, in ISO 8601.
        facts: what was recorded of the run, as `model.run.RunFacts` and what an app adds.
        otherFacts: facts recorded after its end, and facts of earlier runs of its number.
        createdBy: login of a user.
        attempts: number of runs recorded for the task.
        inputs: the first of what it read.
        outputs: the first of what it wrote.
        log: number of chunks of its log.
    """

    number: int
    origin: str
    app: NamedEntity | None
    workspace: NamedEntity
    error: str | None
    seenAt: str | None
    facts: JsonObject
    otherFacts: list[RecordedFacts]
    createdBy: str | None
    createdAt: str
    attempts: Count
    inputs: list[LinkedEntity]
    outputs: list[LinkedEntity]
    inputsTotal: Count
    outputsTotal: Count
    log: Count


@dataclass(frozen=True, kw_only=True)
class RunLogRequest:
    """Return a part of a run's log; its end without `before` and `after`.

    Args:
        id: number of the task.
        before: number of a chunk; those before it are returned.
        after: number of a chunk; those after it are returned.
        limit: most chunks.
    """

    id: Id
    before: Id | None = None
    after: Count | None = None
    limit: Positive | None = None


class LogChunk(TypedDict):
    """A chunk of a run's log.

    Args:
        at: time in ISO 8601.
    """

    id: Id
    at: str
    lines: str


class RunLog(TypedDict):
    """A part of a run's log.

    Args:
        parts: chunks of the log.
        earlier: whether there are chunks before them.
        state: state of the run.
    """

    parts: list[LogChunk]
    earlier: bool
    state: RunState


RUNS = Method("autoflow.overview.runs", RunListRequest, RunList, (404,))
RUN = Method("autoflow.overview.run", RunPageRequest, RunPage, (404,))
LOG = Method("autoflow.overview.log", RunLogRequest, RunLog, (404,))
