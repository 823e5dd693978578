"""Gzip for the JSON responses of methods; a graph of thousands of cards shrinks to a tenth."""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from autoflow.server.server import DOWNLOADS
from autoflow.wire import methods

MINIMUM_SIZE = 32 * 1024  # bytes from which compression pays
LEVEL = 2  # a third of the time of the default level, for a tenth more bytes


class JsonCompression:
    """Compress what methods answer in JSON, but no file: its length, checksum and ranges are those of its bytes.

    Args:
        app: the endpoint of the methods' routes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(app, minimum_size=MINIMUM_SIZE, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        is_download = scope["path"].removeprefix(methods.PATH) in DOWNLOADS
        await (self._app if is_download else self._compressed)(scope, receive, send)
