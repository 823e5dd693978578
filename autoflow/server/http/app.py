"""The application: the wire's methods, file contents by address, the page, the OpenAPI document."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.server import bounded_json
from autoflow.server.authorization import digest
from autoflow.server.db.access import Caller
from autoflow.server.http import multipart, openapi, preview_url
from autoflow.server.http.admission import Pool
from autoflow.server.http.authentication import Identity, network, token_of
from autoflow.server.http.compression import is_long, packed
from autoflow.server.http.request_body import Incoming
from autoflow.server.http.request_guard import Door
from autoflow.server.http.responses import contents, encoded, failure, refusal
from autoflow.server.request_parser import as_number
from autoflow.server.server import DOWNLOADS, METHODS, READS, Server
from autoflow.server.server import UPLOADS as UPLOADED
from autoflow.server.ui import routes as page
from autoflow.wire import methods

logger = logging.getLogger("autoflow")

# Threads for each kind of work.
READERS = 24
WRITERS = 24
UPLOADS = 16
STREAMS = 64  # for uploads too long to be received first, each for as long as its client sends
PREVIEWS = 8  # they wait for the few processes that decode
TOKENS = 8

_PREVIEWS = {"autoflow.previews", "autoflow.versions.picture"}
_CONTENTS = {
    "files": "file-storage.download",
    "images": "images.download",
    "previews": "autoflow.previews",
    "versions": methods.VERSION_MAP,
}


class Site:
    """The routes' endpoints, over one server."""

    def __init__(self, server: Server, identity: Identity) -> None:
        self._server = server
        self._identity = identity
        self._readers, self._writers = Pool(READERS), Pool(WRITERS)
        self._uploads, self._streams = Pool(UPLOADS), Pool(STREAMS)
        self._previews, self._tokens = Pool(PREVIEWS), Pool(TOKENS)

    async def reading(self, request: Request) -> Response:
        """``GET /public/api/v3/<method>?id=...``: what only reads can be asked for so, as the SDK asks for a few."""
        caller = await self.caller(request)
        method = request.path_params["method"]
        if method in METHODS and method not in READS:
            raise HTTPException(405, "Method Not Allowed", headers={"Allow": "POST"})
        client, body = self._client(request, caller), dict(request.query_params)
        answer = encoded(await self._pool(method).run(client, self._server.call, method, body, caller))
        return await _packed(request, answer)

    async def method(self, request: Request) -> Response:
        """``POST /public/api/v3/<method>``."""
        incoming = Incoming(request)
        try:
            return await _packed(request, await self._answer(request, incoming))
        except (ServerRefused, ServerBusy) as error:
            answer = refusal(error)
            if not await incoming.drain():
                answer.headers["Connection"] = "close"
            return answer
        finally:
            incoming.close()

    async def content(self, request: Request, method: str) -> Response:
        """``GET /storage/files/<id>``: what ``fullStorageUrl`` leads to."""
        return await self._content(request, method, dict(request.path_params))

    async def resized(self, request: Request) -> Response:
        """``GET /previews/...``: an image as `preview_url` of the SDK asks for it."""
        body = preview_url.body(request.path_params["wish"], request.path_params["id"])
        return await self._content(request, "autoflow.previews", body)

    async def document(self, _request: Request) -> Response:
        """``GET /openapi.json``."""
        return encoded(openapi.document())

    async def ready(self, request: Request) -> Response:
        """``GET /readyz``: 200 when the store can be used, else 503 with the reason; needs no token."""
        return encoded(await self._pool(methods.CHANGES).run(_address(request), self._server.ready))

    # -- underneath

    async def caller(self, request: Request) -> Caller:
        """Who sent a request; raises as `Identity.caller`."""
        site = f"{request.url.scheme}://{request.headers['host']}"
        token, address = token_of(request), _address(request)
        if not self._identity.required or token is None:  # neither is looked up
            return self._identity.caller(token, address, site)
        # by token, so that a flood of wrong ones from an address delays no right one of it
        return await self._tokens.run(digest(token), self._identity.caller, token, address, site)

    def _client(self, request: Request, caller: Caller) -> str:
        """Whose share of threads and memory a request takes: its user's, without tokens its address's."""
        return f"user {caller.user}" if self._identity.required else network(_address(request))

    def _pool(self, method: str) -> Pool:
        if method in _PREVIEWS:
            return self._previews
        return self._readers if method in READS or method in DOWNLOADS else self._writers

    async def _content(self, request: Request, method: str, body: Mapping[str, Any]) -> Response:
        caller = await self.caller(request)
        client = self._client(request, caller)
        content = await self._pool(method).run(client, self._server.content, method, body, caller)
        return await contents(request, content)

    async def _answer(self, request: Request, incoming: Incoming) -> Response:
        caller = await self.caller(request)
        method = request.path_params["method"]
        client = incoming.client = self._client(request, caller)
        kind = request.headers.get("content-type", "")
        whole = kind.lower().startswith("application/octet-stream") and method in UPLOADED
        if whole or kind.lower().startswith("multipart/"):
            await incoming.receive_upload()
            parts = multipart.body(incoming.pull) if whole else multipart.parts(kind, incoming.pull)
            pool = self._uploads if incoming.complete else self._streams
            query = dict(request.query_params)
            return encoded(await pool.run(client, self._server.upload, method, parts, query, caller))
        await incoming.receive_json()
        if method in DOWNLOADS:
            content = await self._pool(method).run(client, self._open, method, incoming, caller)
            return await contents(request, content)
        task = request.headers.get("x-task-id")
        return await self._pool(method).run(client, self._ask, method, incoming, caller, task)

    def _open(self, method: str, incoming: Incoming, caller: Caller) -> Any:
        with bounded_json.reserve_memory(incoming.client, incoming.cost()):
            return self._server.content(method, bounded_json.parse(incoming.read()), caller)

    def _ask(self, method: str, incoming: Incoming, caller: Caller, task: str | None) -> Response:
        with bounded_json.reserve_memory(incoming.client, incoming.cost()):
            return self._answered(method, bounded_json.parse(incoming.read()), caller, task)

    def _answered(self, method: str, body: Any, caller: Caller, task: str | None) -> Response:
        try:
            return encoded(self._server.call(method, body, caller))
        except ServerRefused as refused:
            # The SDK asks for its own task before it names it in an edge: a number that was given from outside.
            own = as_number(body.get("id")) if isinstance(body, Mapping) and method == methods.TASK_INFO else None
            if refused.status != 404 or own is None or own != as_number(task):
                raise
            return encoded(self._server.call(methods.TASKS_ENSURE, {"id": own}, caller))


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


async def _packed(request: Request, answer: Response) -> Response:
    return await anyio.to_thread.run_sync(packed, answer) if is_long(request, answer) else answer


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, (ServerRefused, ServerBusy))
    return refusal(error)


def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = error.detail
    if message == HTTPStatus(error.status_code).phrase:  # raised by the router: there is no such route
        message += f": methods are at POST {methods.PATH}<method>"
    return failure(error.status_code, message, headers=error.headers)


def _gone(_request: Request, _error: Exception) -> Response:
    return failure(400, "the client is gone")


async def _failed(request: Request, error: Exception) -> Response:
    """Log what a request raised, and answer it; Starlette raises the error again after that."""
    request_id = request.scope["request_id"]
    logger.error("request %s: %s %r failed", request_id, request.method, request.url.path, exc_info=error)
    return failure(500, f"the server failed; its log has the cause under request id {request_id}")


def application(server: Server, *, auth: bool, names: Collection[str] = ()) -> ASGIApp:
    """The server as an ASGI application.

    Args:
        server: what answers.
        auth: whether a token is needed; then any host's name is answered to.
        names: without it, the hosts answered to beside this machine's own names.
    """
    site = Site(server, Identity(server.tokens, required=auth))

    def content(method: str) -> Callable[[Request], Awaitable[Response]]:
        return functools.partial(site.content, method=method)

    routes = [
        Route(methods.PATH + "{method:path}", site.method, methods=["POST"]),
        Route(methods.PATH + "{method:path}", site.reading, methods=["GET"]),
        *(Route(f"/storage/{kind}/{{id:int}}", content(method)) for kind, method in _CONTENTS.items()),
        Route("/storage/versions/{version:int}/images/{id:int}", content("autoflow.versions.picture")),
        Route(preview_url.PATH, site.resized),
        Route("/openapi.json", site.document),
        Route("/readyz", site.ready),
        *page.routes(site.caller),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            ServerRefused: _refused,
            ServerBusy: _refused,
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            Exception: _failed,
        },
    )
    return Door(app, None if auth else {name.lower() for name in names})
