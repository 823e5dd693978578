"""Questions to a server that the app need not wait for: a run's task, a file's id, a project's id by its name.

Responses are cached while one batch is sent, because a path may mean another file later; a task's team and app longer.
What the server does not have is None; a missing response is a `ServerError`, and the record waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from autoflow.errors import ServerRefused
from autoflow.outbox.destinations.identification import foreign
from autoflow.process.lru_cache import LruCache
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire import methods
from autoflow.wire.contract.records import RUNS_ENSURE, EnsureRunRequest
from autoflow.wire.records import RunMembers

_INFO_METHODS = {
    "project": methods.PROJECT_INFO,
    "dataset": methods.DATASET_INFO,
    "file": methods.FILE_INFO,
    "task": methods.TASK_INFO,
    "job": methods.JOB_INFO,
}


class Task(NamedTuple):
    """The task an edge belongs to: ids on the server the record goes to."""

    id: int
    team_id: int | None
    workspace_id: int | None
    app_id: int | None
    name: str | None = None


class Lookups:
    """Questions to one server, each asked at most once a batch."""

    CACHED_TASKS = 1024

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._tasks: LruCache[Any, Task] = LruCache(self.CACHED_TASKS)
        self._responses: dict[Any, Any] = {}

    def new_batch(self) -> None:
        """Drop the responses that may be out of date."""
        self._responses.clear()

    def _call(self, method: str, body: dict[str, Any]) -> Any:
        """Call a method; return None when the server says that there is no such thing.

        Raises:
            ServerError: there was no response, or an empty one.
        """
        key = (method, repr(body))
        if key not in self._responses:
            try:
                response = self._transport.call(method, body)
                if response is None:
                    raise foreign(method)
                self._responses[key] = response
            except ServerRefused as refusal:
                if refusal.concerns_all or refusal.status not in {400, 404}:
                    raise
                self._responses[key] = None
        return self._responses[key]

    # -- tasks

    def task(self, number: int) -> Task:
        """Return a task by its number.

        Raises:
            ServerRefused: the server does not know it, or does not say its team.
        """
        return self._tasks.get_or_create(number, self._task_info)

    def _task_info(self, number: int) -> Task:
        response = self._transport.call(methods.TASK_INFO, {"id": number})
        if not isinstance(response, Mapping) or not ("id" in response or "teamId" in response):
            raise foreign(methods.TASK_INFO)
        meta = response.get("meta")
        app = meta.get("app") if isinstance(meta, Mapping) else None
        app = app if isinstance(app, Mapping) else {}
        if response.get("teamId") is None:
            raise ServerRefused(f"the server does not say the team of task {number}", status=404, details={})
        return Task(number, response["teamId"], response.get("workspaceId"), app.get("id") or None, app.get("name"))

    def run(self, run: RunMembers) -> Task:
        """Return the task of a run on autoflow's server, which makes it if need be."""
        return self._tasks.get_or_create(run["run"], lambda _: self._ensure_run(run))

    def _ensure_run(self, run: RunMembers) -> Task:
        response = call(self._transport, RUNS_ENSURE, EnsureRunRequest(**run))
        if not isinstance(response, Mapping) or response.get("task") is None:
            raise foreign(RUNS_ENSURE.name)
        return Task(response["task"], response.get("teamId"), response.get("workspaceId"), response.get("appId"))

    # -- entities

    def file_at(self, team_id: int, path: str) -> Mapping[str, Any] | None:
        """Return the info of a team file by its path."""
        files = self._call(methods.FILE_LIST, {"teamId": team_id, "path": path, "recursive": True})
        if files is None:
            return None
        if not isinstance(files, list) or not all(isinstance(file, Mapping) and "path" in file for file in files):
            raise foreign(methods.FILE_LIST)
        return next((file for file in files if file["path"] == path), None)

    def entity(self, kind: str, number: int) -> Mapping[str, Any]:
        """Return the info of an entity by its id; empty when the server knows none."""
        method = _INFO_METHODS.get(kind)
        response = self._call(method, {"id": number}) if method else None
        if response is None:
            return {}
        if method is not None and not (isinstance(response, Mapping) and "id" in response):
            raise foreign(method)
        info: Mapping[str, Any] = response
        return info

    def named(self, kind: str, name: str, workspace_id: int | None) -> int | None:
        """Return the id of a project or a dataset by its name in the run's workspace."""
        if workspace_id is None:
            return None
        if kind == "project":
            return self._first_id(methods.PROJECT_LIST, {"workspaceId": workspace_id}, "name", name)
        for project in self._list(methods.PROJECT_LIST, {"workspaceId": workspace_id}, []):
            dataset_id = self._first_id(methods.DATASET_LIST, {"projectId": project.get("id")}, "name", name)
            if dataset_id is not None:
                return dataset_id
        return None

    def version_numbered(self, project_id: int, number: int) -> int | None:
        """Return the id of a project's version by its number."""
        return self._first_id(methods.VERSION_LIST, {"projectId": project_id}, "version", number)

    def _first_id(self, method: str, scope: dict[str, Any], field: str, value: Any) -> int | None:
        equal = {"field": field, "operator": "=", "value": value}
        return next((row.get("id") for row in self._list(method, scope, [equal]) if row.get(field) == value), None)

    def _list(self, method: str, scope: dict[str, Any], filters: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
        response = self._call(method, {**scope, "filter": filters, "sort": "id", "sort_order": "asc"})
        if response is None:
            return []
        rows = response.get("entities") if isinstance(response, Mapping) else None
        if not isinstance(rows, list):
            raise foreign(method)
        return [row for row in rows if isinstance(row, Mapping)]
