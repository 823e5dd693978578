"""What the sender asks a server so that the app need not: a run's task, a file's number, a name for a title.

Answers are kept while one batch is sent (a path may mean another file a moment later); a task's team and app for
longer. Not found is None; no answer is a `ServerError` and the record waits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.transport.base import Transport
from autoflow.wire import methods


class Task(NamedTuple):
    """Where an edge belongs: numbers on the server the record goes to."""

    id: int
    team_id: int | None
    workspace_id: int | None
    app_id: int | None
    name: str | None = None


class ServerIdentity(NamedTuple):
    """What answered: our server or an instance, and the instance's version."""

    is_autoflow: bool
    version: tuple[int, ...] | None


def foreign(method: str) -> ServerBusy:
    """The error of a response with status 200 that does not have the format this method answers in."""
    return ServerBusy(f"{method}: the response is not in the API's format", status=200, foreign=True)


def probe(transport: Transport) -> ServerIdentity:
    """Ask a server what it is.

    Raises:
        ServerError: no server of either kind answered.
    """
    answer = transport.call(methods.INSTANCE_VERSION, {})
    version = methods.version_tuple(answer.get("version")) if isinstance(answer, Mapping) else None
    if version is None:
        raise foreign(methods.INSTANCE_VERSION)
    return ServerIdentity(methods.AUTOFLOW_MARK in answer, version)


class Lookups:
    """Questions to one server, each asked once a batch."""

    KEEP = 1024

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._tasks: OrderedDict[Any, Task] = OrderedDict()
        self._answers: dict[Any, Any] = {}

    def new_batch(self) -> None:
        """Forget what may have changed."""
        self._answers.clear()

    def _ask(self, method: str, body: dict[str, Any]) -> Any:
        """Call; None when the server says that there is no such thing.

        Raises:
            ServerError: there was no answer, or an empty one.
        """
        key = (method, repr(body))
        if key not in self._answers:
            try:
                answer = self._transport.call(method, body)
                if answer is None:
                    raise foreign(method)
                self._answers[key] = answer
            except ServerRefused as refusal:
                if refusal.concerns_all or refusal.status not in {400, 404}:
                    raise
                self._answers[key] = None
        return self._answers[key]

    # -- tasks

    def task(self, number: int) -> Task:
        """A task by its number.

        Raises:
            ServerRefused: the server does not know it, or does not say its team.
        """
        return self._kept(number, lambda: self._task_info(number))

    def _task_info(self, number: int) -> Task:
        answer = self._transport.call(methods.TASK_INFO, {"id": number})
        if not isinstance(answer, Mapping) or not ("id" in answer or "teamId" in answer):
            raise foreign(methods.TASK_INFO)
        meta = answer.get("meta")
        app = meta.get("app") if isinstance(meta, Mapping) else None
        app = app if isinstance(app, Mapping) else {}
        if answer.get("teamId") is None:
            raise ServerRefused(f"the server does not say the team of task {number}", status=404, details={})
        return Task(number, answer["teamId"], answer.get("workspaceId"), app.get("id"), app.get("name"))

    def run(self, run: Mapping[str, Any]) -> Task:
        """Our server's task for a run, made there if need be.

        Args:
            run: the members ``run``, ``name``, ``task``, ``origin``, ``team``, ``workspace`` of its records.
        """
        return self._kept(run["run"], lambda: self._ensure(run))

    def _ensure(self, run: Mapping[str, Any]) -> Task:
        answer = self._transport.call(methods.RUNS_ENSURE, dict(run))
        if not isinstance(answer, Mapping) or answer.get("task") is None:
            raise foreign(methods.RUNS_ENSURE)
        return Task(answer["task"], answer.get("teamId"), answer.get("workspaceId"), answer.get("appId"))

    def _kept(self, key: Any, ask: Callable[[], Task]) -> Task:
        if key not in self._tasks:
            self._tasks[key] = ask()
            if len(self._tasks) > self.KEEP:
                self._tasks.popitem(last=False)
        return self._tasks[key]

    # -- entities

    def file_at(self, team_id: int, path: str) -> Mapping[str, Any] | None:
        """A team file by its path."""
        files = self._ask(methods.FILE_LIST, {"teamId": team_id, "path": path, "recursive": True})
        if files is None:
            return None
        if not isinstance(files, list) or not all(isinstance(file, Mapping) and "path" in file for file in files):
            raise foreign(methods.FILE_LIST)
        return next((file for file in files if file["path"] == path), None)

    def entity(self, kind: str, number: int) -> Mapping[str, Any]:
        """What the server tells of an entity by its number; empty when it knows none."""
        method = {
            "project": methods.PROJECT_INFO,
            "dataset": methods.DATASET_INFO,
            "file": methods.FILE_INFO,
            "task": methods.TASK_INFO,
            "job": methods.JOB_INFO,
        }.get(kind)
        answer = self._ask(method, {"id": number}) if method else None
        if answer is None:
            return {}
        if method is not None and not (isinstance(answer, Mapping) and "id" in answer):
            raise foreign(method)
        entity: Mapping[str, Any] = answer
        return entity

    def named(self, kind: str, name: str, workspace_id: int | None) -> int | None:
        """The number of a project, or of a dataset, by its name in the run's workspace."""
        if workspace_id is None:
            return None
        if kind == "project":
            return self._first(methods.PROJECT_LIST, {"workspaceId": workspace_id}, "name", name)
        for project in self._page(methods.PROJECT_LIST, {"workspaceId": workspace_id}, []):
            found = self._first(methods.DATASET_LIST, {"projectId": project.get("id")}, "name", name)
            if found is not None:
                return found
        return None

    def version_numbered(self, project_id: int, number: int) -> int | None:
        """The id of a project's version by its number."""
        return self._first(methods.VERSION_LIST, {"projectId": project_id}, "version", number)

    def _first(self, method: str, scope: dict[str, Any], field: str, value: Any) -> int | None:
        wanted = {"field": field, "operator": "=", "value": value}
        return next((row.get("id") for row in self._page(method, scope, [wanted]) if row.get(field) == value), None)

    def _page(self, method: str, scope: dict[str, Any], filters: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
        answer = self._ask(method, {**scope, "filter": filters, "sort": "id", "sort_order": "asc"})
        if answer is None:
            return []
        rows = answer.get("entities") if isinstance(answer, Mapping) else None
        if not isinstance(rows, list):
            raise foreign(method)
        return [row for row in rows if isinstance(row, Mapping)]
