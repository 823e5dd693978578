"""Recording: batches of records, and the tasks of runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from autoflow.model.json_object import JsonObject
from autoflow.model.run import RunState
from autoflow.wire import methods
from autoflow.wire.contract.method import AnyText, Id, Method, Name


@dataclass(frozen=True, kw_only=True)
class AddRecordsRequest:
    """Apply a batch of records in order, each completely or not at all.

    Args:
        records: records as `wire.records` describes them.
    """

    records: list[Any]


class RecordResult(TypedDict):
    """The outcome of one record.

    Args:
        key: key of the record as sent.
        status: duplicate means that a record of this key had been applied before.
        reason: why the record was refused.
    """

    key: Any
    status: Literal["applied", "duplicate", "refused"]
    reason: str | None


class AddRecordsResponse(TypedDict):
    """The outcome of a batch.

    Args:
        results: one entry a record, in the order sent.
        tasks: task of each run that the batch names, by the run's key.
    """

    results: list[RecordResult]
    tasks: dict[str, Id]


@dataclass(frozen=True, kw_only=True)
class EnsureRunRequest:
    """Return the task of a run, which the first call creates.

    Args:
        run: key of the run.
        name: name of the app.
        task: number of the task at its origin.
        origin: server that issued the number; empty for this server.
        team: number of the run's team at the origin.
        workspace: number of the run's workspace at the origin.
    """

    run: Name
    name: AnyText | None = None
    task: Id | None = None
    origin: str = ""
    team: Id | None = None
    workspace: Id | None = None


class EnsureRunResponse(TypedDict):
    """The task of a run.

    Args:
        task: number of the task on this server.
        number: number of the task at its origin.
    """

    task: Id
    number: Id
    teamId: Id
    workspaceId: Id
    appId: Id | None


@dataclass(frozen=True, kw_only=True)
class RunContentsRequest:
    """Return pieces of the contents that the facts of a task name, such as the changes that its commit does not have.

    Args:
        task: number of the task.
        pieces: names of at most 32 pieces (`model.run_contents`).
    """

    task: Id
    pieces: list[str]


class RunContentsResponse(TypedDict):
    """Pieces of contents.

    Args:
        contents: the pieces that the server has, in base64 by their names.
    """

    contents: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class EnsureTaskRequest:
    """Return the task of a number that another server issued, which the first call creates.

    Args:
        id: number of the task.
        team_id: team of a new task; the caller's default team without it.
    """

    id: Id
    team_id: Id | None = None


class TaskApp(TypedDict):
    """The app of a task; its number is 0 if it is unknown."""

    id: int
    name: str


class TaskMeta(TypedDict):
    """A task's app and output, where Supervisely has them.

    Args:
        sessionToken: segment of the path of the app's own page on an instance; this server shows no such pages.
    """

    app: TaskApp
    output: JsonObject
    sessionToken: str


class TaskDetails(TypedDict):
    """Members of a task beside Supervisely's.

    Args:
        origin: server that issued the task's number; empty for this server.
        number: number of the task at its origin.
        state: state of the run; null for a number of which nothing is recorded.
        facts: facts of the run (`model.run.RunFacts`).
    """

    origin: str
    number: Id
    state: RunState | None
    error: str | None
    facts: JsonObject


class TaskResponse(TypedDict):
    """A task as Supervisely's ``tasks.info`` returns it.

    Args:
        status: Supervisely's word for the state.
        createdBy: number of a user.
        autoflow: what Supervisely does not have.
    """

    id: Id
    type: str
    name: str
    description: str
    status: str
    teamId: Id
    workspaceId: Id
    createdBy: Id
    createdAt: str
    updatedAt: str
    startedAt: str | None
    finishedAt: str | None
    meta: TaskMeta
    settings: JsonObject
    agentId: None
    agentName: None
    autoflow: TaskDetails


RECORDS_ADD = Method(methods.RECORDS_ADD, AddRecordsRequest, AddRecordsResponse)
RUNS_ENSURE = Method(methods.RUNS_ENSURE, EnsureRunRequest, EnsureRunResponse, (404,))
RUN_CONTENTS = Method(methods.RUN_CONTENTS, RunContentsRequest, RunContentsResponse, (404,))
TASKS_ENSURE = Method(methods.TASKS_ENSURE, EnsureTaskRequest, TaskResponse, (404,))
