"""`api.task`: the tasks of runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, SupportsIndex, overload

from autoflow.api.models import read_fields, wire_name
from autoflow.api.pagination import Filters, get_or_none, list_pages
from autoflow.transport.base import Transport
from autoflow.wire import methods


class _Fields(NamedTuple):
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


class Task(_Fields):
    """A task; `meta` has the app, `autoflow` what only our server has (state, facts, origin), else None.

    The SDK has a dictionary here, so a member can also be read by its name on the wire: ``task["meta"]["app"]["id"]``.
    """

    __slots__ = ()

    @overload
    def __getitem__(self, key: SupportsIndex) -> Any: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[Any, ...]: ...

    @overload
    def __getitem__(self, key: str) -> Any: ...

    def __getitem__(self, key: SupportsIndex | slice | str) -> Any:
        """Return a field by its position, or by its name on the wire."""
        return self._by_wire_name()[key] if isinstance(key, str) else super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a field by its name on the wire, `default` if there is none."""
        return self._by_wire_name().get(key, default)

    def _by_wire_name(self) -> dict[str, Any]:
        return {wire_name(name): value for name, value in zip(self._fields, self, strict=True)}


def read_task(response: Mapping[str, Any]) -> Task:
    """Read a task from a response; a missing name is taken from its app."""
    values = read_fields(Task._fields, response)
    values["meta"] = values["meta"] or {}
    values["name"] = values["name"] or (values["meta"].get("app") or {}).get("name")
    return Task(**values)


class TaskApi:
    """Tasks of one server.

    Args:
        transport: of the server.
        own_task: the task of this process, None if it has none.
    """

    def __init__(self, transport: Transport, own_task: int | None = None) -> None:
        self._transport = transport
        self._own_task = own_task

    def get_info_by_id(self, id: int) -> Task | None:  # noqa: A002 - the SDK's name
        """Return a task by its id, None if there is none; an app's own task is there before its first record is."""
        task = get_or_none(self._transport, methods.TASK_INFO, {"id": id}, read_task)
        if task is None or task.autoflow is None or task.id == self._own_task:
            return task
        # Our server answers for a number of which nothing is recorded, with a state of None.
        return None if task.autoflow["state"] is None else task

    def get_list(self, workspace_id: int, filters: Filters | None = None) -> list[Task]:
        """Return the tasks of a workspace."""
        payload = {"workspaceId": workspace_id, "filter": list(filters or ())}
        return [read_task(task) for task in list_pages(self._transport, "tasks.list", payload)]
