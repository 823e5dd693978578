"""The application: the wire's methods, file contents by address, the page, the OpenAPI document."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.platform.body import as_number
from autoflow.platform.dispatcher import DOWNLOADS, METHODS, READS, Platform
from autoflow.platform.dispatcher import UPLOADS as UPLOADED
from autoflow.platform.page import routes as page
from autoflow.platform.store.access import Caller
from autoflow.platform.web import form, openapi, resizing
from autoflow.platform.web.answers import contents, encoded, failure, refusal
from autoflow.platform.web.bodies import LARGEST_JSON, Incoming, parse
from autoflow.platform.web.door import Door
from autoflow.platform.web.identity import Identity, token_of
from autoflow.platform.web.packing import is_long, packed
from autoflow.wire import methods

T = TypeVar("T")

logger = logging.getLogger("autoflow")

CALLS = 40  # threads for operations; the others wait their turn
UPLOADS = 64  # threads for uploads, each as long as its client sends

_CONTENTS = {
    "files": "file-storage.download",
    "images": "images.download",
    "previews": "autoflow.previews",
    "versions": methods.VERSION_MAP,
}


class Site:
    """The routes' endpoints, over one platform."""

    def __init__(self, platform: Platform, identity: Identity) -> None:
        self._platform = platform
        self._identity = identity

    async def reading(self, request: Request) -> Response:
        """``GET /public/api/v3/<method>?id=...``: what only reads can be asked for so, as the SDK asks for a few."""
        caller = await self.caller(request)
        method = request.path_params["method"]
        if method in METHODS and method not in READS:
            raise HTTPException(405, "Method Not Allowed", headers={"Allow": "POST"})
        body = dict(request.query_params)
        answer = encoded(await self._call(self._platform.call, method, body, caller))
        return await self._call(packed, answer) if is_long(request, answer) else answer

    async def method(self, request: Request) -> Response:
        """``POST /public/api/v3/<method>``."""
        incoming = Incoming(request)
        try:
            answer = await self._answer(request, incoming)
            return await self._call(packed, answer) if is_long(request, answer) else answer
        except (ServerRefused, ServerBusy) as error:
            answer = refusal(error)
            if not await incoming.drain():
                answer.headers["Connection"] = "close"
            return answer

    async def content(self, request: Request, method: str) -> Response:
        """``GET /storage/files/<id>``: what ``fullStorageUrl`` leads to."""
        caller = await self.caller(request)
        body = dict(request.path_params)
        return await contents(request, await self._call(self._platform.content, method, body, caller))

    async def resized(self, request: Request) -> Response:
        """``GET /previews/...``: an image as `preview_url` of the SDK asks for it."""
        caller = await self.caller(request)
        body = resizing.body(request.path_params["wish"], request.path_params["id"])
        return await contents(request, await self._call(self._platform.content, "autoflow.previews", body, caller))

    async def document(self, _request: Request) -> Response:
        """``GET /openapi.json``."""
        return encoded(openapi.document())

    # -- underneath

    @functools.cached_property
    def _calls(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(CALLS)

    @functools.cached_property
    def _uploads(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(UPLOADS)

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        return await anyio.to_thread.run_sync(functools.partial(function, *arguments), limiter=self._calls)

    async def caller(self, request: Request) -> Caller:
        """Who sent a request; raises as `Identity.caller`."""
        site = f"{request.url.scheme}://{request.headers['host']}"
        address = request.client.host if request.client is not None else ""
        return await self._call(self._identity.caller, token_of(request), address, site)

    async def _answer(self, request: Request, incoming: Incoming) -> Response:
        caller = await self.caller(request)
        method = request.path_params["method"]
        kind = request.headers.get("content-type", "")
        whole = kind.lower().startswith("application/octet-stream") and method in UPLOADED
        if whole or kind.lower().startswith("multipart/"):
            pull = functools.partial(anyio.from_thread.run, incoming.chunk)
            parts = form.body(pull) if whole else form.parts(kind, pull)
            upload = functools.partial(self._platform.upload, method, parts, dict(request.query_params), caller)
            return encoded(await anyio.to_thread.run_sync(upload, limiter=self._uploads))
        sent = await incoming.whole(LARGEST_JSON)
        if method in DOWNLOADS:
            return await contents(request, await self._call(self._open, method, sent, caller))
        return await self._call(self._ask, method, sent, caller, request.headers.get("x-task-id"))

    def _open(self, method: str, sent: bytes, caller: Caller) -> Any:
        return self._platform.content(method, parse(sent), caller)

    def _ask(self, method: str, sent: bytes, caller: Caller, task: str | None) -> Response:
        body = parse(sent)
        try:
            return encoded(self._platform.call(method, body, caller))
        except ServerRefused as refused:
            # The SDK asks for its own task before it names it in an edge: a number that was given from outside.
            own = as_number(body.get("id")) if isinstance(body, Mapping) and method == methods.TASK_INFO else None
            if refused.status != 404 or own is None or own != as_number(task):
                raise
            return encoded(self._platform.call(methods.TASKS_ENSURE, {"id": own}, caller))


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, (ServerRefused, ServerBusy))
    return refusal(error)


def _no_route(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return failure(error.status_code, f"{error.detail}: methods are at POST {methods.PATH}<method>")


def _gone(_request: Request, _error: Exception) -> Response:
    return failure(400, "the client is gone")


async def _failed(request: Request, error: Exception) -> Response:
    """Log what a request raised, and answer it; Starlette raises the error again after that."""
    request_id = request.scope["request_id"]
    logger.error("request %s: %s %r failed", request_id, request.method, request.url.path, exc_info=error)
    return failure(500, f"the server failed; its log has the cause under request id {request_id}")


def application(platform: Platform, *, auth: bool, names: Collection[str] = ()) -> ASGIApp:
    """The platform as an ASGI application.

    Args:
        platform: what answers.
        auth: whether a token is needed; then any host's name is answered to.
        names: without it, the hosts answered to beside this machine's own names.
    """
    site = Site(platform, Identity(platform.tokens, required=auth))

    def content(method: str) -> Callable[[Request], Awaitable[Response]]:
        return functools.partial(site.content, method=method)

    routes = [
        Route(methods.PATH + "{method:path}", site.method, methods=["POST"]),
        Route(methods.PATH + "{method:path}", site.reading, methods=["GET"]),
        *(Route(f"/storage/{kind}/{{id:int}}", content(method)) for kind, method in _CONTENTS.items()),
        Route("/storage/versions/{version:int}/images/{id:int}", content("autoflow.versions.picture")),
        Route(resizing.PATH, site.resized),
        Route("/openapi.json", site.document),
        *page.routes(site.caller),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            ServerRefused: _refused,
            ServerBusy: _refused,
            HTTPException: _no_route,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
    )
    return Door(app, None if auth else {name.lower() for name in names})
