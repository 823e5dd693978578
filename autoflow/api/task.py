"""`api.task`: the tasks that runs are numbered by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from autoflow.api.pagination import Filters, maybe, pages
from autoflow.transport.base import Transport
from autoflow.wire import methods


class Task(NamedTuple):
    """A task; `meta` has the app, `autoflow` what only our server knows (state, facts, origin), else None."""

    id: int
    type: str | None = None
    status: str | None = None
    team_id: int | None = None
    workspace_id: int | None = None
    name: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    meta: dict[str, Any] | None = None
    autoflow: dict[str, Any] | None = None


def read_task(told: Mapping[str, Any]) -> Task:
    """Read a task as the wire tells it."""
    meta = told.get("meta") or {}
    return Task(
        id=told["id"],
        type=told.get("type"),
        status=told.get("status"),
        team_id=told.get("teamId"),
        workspace_id=told.get("workspaceId"),
        name=told.get("name") or (meta.get("app") or {}).get("name"),
        created_at=told.get("createdAt"),
        started_at=told.get("startedAt"),
        finished_at=told.get("finishedAt"),
        meta=meta,
        autoflow=told.get("autoflow"),
    )


class TaskApi:
    """Tasks of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_info_by_id(self, id: int) -> Task | None:  # noqa: A002 - the SDK's name
        """A task by its number, None when there is none."""
        return maybe(self._transport, methods.TASK_INFO, {"id": id}, read_task)

    def get_list(self, workspace_id: int, filters: Filters | None = None) -> list[Task]:
        """The tasks of a workspace."""
        body = {"workspaceId": workspace_id, "filter": list(filters or ())}
        return [read_task(told) for told in pages(self._transport, "tasks.list", body)]
