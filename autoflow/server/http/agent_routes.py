"""``/agent/*``: what apps of the SDK's first generation (``AppService``) call beside the methods of the wire.

An app holds ``POST /agent/GetGeneralEventsStream`` open as long as it lives and reads commands from it; it responds to
one by ``POST /agent/SendGeneralEventData``. Its task is that of ``x-task-id``, its token that of ``x-token``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from autoflow.errors import ServerRefused
from autoflow.server.db.access import Caller
from autoflow.server.http.app_messages import read_chunks
from autoflow.server.http.app_streams import AppStreams, EventStreamResponse
from autoflow.server.http.authentication import token_of
from autoflow.server.http.request_body import RequestBody
from autoflow.server.request_parser import as_number
from autoflow.wire import methods

PATH = "/agent/GetGeneralEventsStream"
RESPONSE_PATH = "/agent/SendGeneralEventData"
ENDLESS = "endless"  # of the request's state: the response ends with the connection

Call = Callable[[Request, Caller, str, Mapping[str, Any]], Awaitable[Any]]


class AgentRoutes:
    """The endpoints of apps.

    Args:
        streams: the open streams.
        authenticate: raises `NotAllowed` for a request that needs a token and has none that is valid.
        call: calls a method of the wire.
    """

    def __init__(self, streams: AppStreams, authenticate: Callable[[Request], Awaitable[Caller]], call: Call) -> None:
        self._streams = streams
        self._authenticate = authenticate
        self._call = call

    async def get_events(self, request: Request) -> Response:
        """``POST /agent/GetGeneralEventsStream``.

        Raises:
            ServerBusy: too many are open.
        """
        caller = await self._authenticate(request)
        self._streams.check_free()
        task_id = await self._task_id(request, caller)
        setattr(request.state, ENDLESS, True)
        return EventStreamResponse(self._streams, task_id, token_of(request) or "")

    async def receive_response(self, request: Request) -> Response:
        """``POST /agent/SendGeneralEventData``: an app's response to the command of ``x-request-id``."""
        body = RequestBody(request)
        try:
            caller = await self._authenticate(request)
            await body.receive_json()
            response = await run_in_threadpool(lambda: read_chunks(body.read()))
            task_id = await self._task_id(request, caller)
            self._streams.respond(task_id, request.headers.get("x-request-id", ""), response)
        finally:
            body.close()
        return Response(media_type="application/octet-stream")  # the bytes of an ``Empty``

    async def _task_id(self, request: Request, caller: Caller) -> int | None:
        """Return the task of an app, which is created if it is new; None if the app may not write to it.

        Code that is reproduced gets no commands: they are meant for the apps that really run.
        """
        number = as_number(request.headers.get("x-task-id"))
        if number is None or caller.since is not None:
            return None
        try:
            return int((await self._call(request, caller, methods.TASKS_ENSURE, {"id": number}))["id"])
        except ServerRefused:
            return None

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(PATH, self.get_events, methods=["POST"]),
            Route(RESPONSE_PATH, self.receive_response, methods=["POST"]),
        ]
