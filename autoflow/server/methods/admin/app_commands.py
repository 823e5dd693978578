"""``tasks.request.direct``: commands to the app of a task, as the SDK's ``api.task.send_request`` sends them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from autoflow.model.json_object import JsonObject
from autoflow.server.db import tasks
from autoflow.server.errors import Conflict, Invalid
from autoflow.server.operations import Batch, OperationContext
from autoflow.server.request_parser import RequestParser

DEFAULT_TIMEOUT = 60.0  # seconds, the SDK's
MAX_TIMEOUT = 600.0


class AppCommand(NamedTuple):
    """A command to an app.

    Args:
        task_id: the app's task, by its row: two teams may use the same number from outside.
        name: the name under which the app has registered a function.
        message: what the app gets: ``command``, ``context``, ``state``.
        skips_response: whether the sender does not wait for a response.
        timeout: seconds that the sender waits.
    """

    task_id: int
    name: str
    message: JsonObject
    skips_response: bool
    timeout: float


class NoAppConnected(Conflict):
    """409: no app can be reached from here; the HTTP server catches this and sends the command to an open stream."""

    def __init__(self, command: AppCommand) -> None:
        super().__init__(
            f"no app of task {command.task_id} is connected that could receive the command {command.name!r}: this "
            "server reaches apps of the SDK's first generation (AppService) that are connected to the same process of "
            "`autoflow serve`; send it to the app itself"
        )
        self.command = command


def request_directly(context: OperationContext, request: RequestParser) -> Any:
    """``tasks.request.direct``: a command to the app of a task.

    Raises:
        NotFound: there is no such task.
        NoAppConnected: always else.
    """
    name = request.text("command")
    with context.store.read() as conn:
        task_row = tasks.get(conn, request.number("taskId"))
    message = {"command": name, "context": request.mapping("context"), "state": request.mapping("state")}
    raise NoAppConnected(
        AppCommand(
            task_row["id"],
            name,
            message,
            request.flag("skipResponse", default=False),
            _timeout(request.fields.get("timeout")),
        )
    )


def _timeout(value: Any) -> float:
    if value is None:
        return DEFAULT_TIMEOUT
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise Invalid('"timeout" must be a number of seconds')
    return min(float(value), MAX_TIMEOUT)


BATCHES: Mapping[str, Batch] = {"tasks.request.direct": request_directly}
