"""Observe requests and their responses, for metrics and the access log.

The outermost middleware: it sees the responses of all others, and the bytes as they are sent. A connection that is
refused before it has sent a request (`connections`) is not seen.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoflow.server.db.access import Caller
from autoflow.server.server import METHODS
from autoflow.wire import methods

UNSUPPORTED = "unsupported"  # label of methods that the server does not have: clients choose their names
PAGE = "page"
_ROUTES = frozenset(
    {"agent", "assets", "healthz", "login", "logout", "metrics", "openapi.json", "previews", "readyz", "storage"}
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_KEY = "autoflow.exchange"


@dataclass
class Exchange:
    """A request and its response.

    Args:
        request_id: from the client's ``X-Request-Id``, or random.
        verb: the method of HTTP.
        path: the path, without its query.
        address: the client's.
        caller: the user of the token; None before, and for a refused token.
        refused: why the request's token was refused.
        status: of the response; None if the client was gone before it began.
        received, sent: bytes of the bodies.
    """

    request_id: str
    verb: str
    path: str
    address: str
    caller: Caller | None = None
    refused: str | None = None
    status: int | None = None
    received: int = 0
    sent: int = 0
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def method(self) -> str:
        """The name of the wire's method, or the kind of route; there are few, whatever clients send."""
        if self.path.startswith(methods.PATH):
            name = self.path.removeprefix(methods.PATH)
            return name if name in METHODS else UNSUPPORTED
        segment = self.path[1:].partition("/")[0]
        return f"/{segment}" if segment in _ROUTES else PAGE


def exchange_of(connection: HTTPConnection) -> Exchange:
    """Return the exchange that a request belongs to."""
    exchange: Exchange = connection.scope[_KEY]
    return exchange


def _request_id(headers: Headers) -> str:
    """Return the id that the client or a proxy sent, if it is one; else a random id."""
    sent = headers.get("x-request-id", "")
    return sent if _REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)


class Observer:
    """Calls functions with each exchange once it is over.

    Args:
        app: application that is observed.
        began: called when a request has arrived.
        ended: called, in order, when its response was sent.
    """

    def __init__(
        self, app: ASGIApp, began: Callable[[], object], ended: Sequence[Callable[[Exchange], object]]
    ) -> None:
        self._app = app
        self._began = began
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        exchange = scope[_KEY] = Exchange(
            _request_id(Headers(scope=scope)), scope["method"], scope["path"], client[0] if client else ""
        )
        scope["request_id"] = exchange.request_id

        async def count_received() -> Message:
            message = await receive()
            exchange.received += len(message.get("body", b""))
            return message

        async def count_sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
            await send(message)
            exchange.sent += len(message.get("body", b""))

        self._began()
        try:
            await self._app(scope, count_received, count_sent)
        finally:
            exchange.seconds = time.monotonic() - exchange.began
            for function in self._ended:
                function(exchange)
