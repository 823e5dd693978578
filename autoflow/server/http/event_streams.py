"""The event stream of apps of the first generation: ``POST /agent/GetGeneralEventsStream``.

An app holds it open as long as it lives, and its SDK reads messages from it, each after its length in four bytes, big
endian. This server sends no events; it sends empty messages, which the SDK skips, as it takes a stream that is silent
for 30 s for broken, and ends the app after a thousand broken ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from autoflow.errors import ServerBusy

PATH = "/agent/GetGeneralEventsStream"
KEEP_ALIVE_INTERVAL = 10.0  # seconds
MAX_STREAMS = 256  # a quarter of `connections.MAX_CONNECTIONS`; each is a coroutine, and holds no thread
ENDLESS = "endless"  # of the request's state: the response ends with the connection
_EMPTY_MESSAGE = bytes(4)


async def _empty_messages() -> AsyncIterator[bytes]:
    while True:
        yield _EMPTY_MESSAGE
        await asyncio.sleep(KEEP_ALIVE_INTERVAL)


class EventStreams:
    """The open streams.

    Args:
        authenticate: raises `NotAllowed` for a request that needs a token and has none that is valid.
    """

    def __init__(self, authenticate: Callable[[Request], Awaitable[object]]) -> None:
        self._authenticate = authenticate
        self._open = 0

    async def get_events(self, request: Request) -> Response:
        """``POST /agent/GetGeneralEventsStream``.

        Raises:
            ServerBusy: `MAX_STREAMS` are open.
        """
        await self._authenticate(request)
        if self._open >= MAX_STREAMS:
            raise ServerBusy(
                f"{MAX_STREAMS} apps hold an event stream open, which is the most of this server", status=503
            )
        setattr(request.state, ENDLESS, True)
        return _EventStream(self._count)

    def _count(self, change: int) -> None:
        self._open += change

    def routes(self) -> list[Route]:
        """Return the route."""
        return [Route(PATH, self.get_events, methods=["POST"])]


class _EventStream(StreamingResponse):
    """A stream of empty messages, counted while it is sent.

    Args:
        count: adds a number to the count of open streams.
    """

    def __init__(self, count: Callable[[int], None]) -> None:
        super().__init__(_empty_messages(), media_type="application/octet-stream")
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send messages until the client is gone."""
        self._count(1)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._count(-1)
