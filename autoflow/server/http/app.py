"""The ASGI application: routes of the wire's methods, of files, of the page and of the OpenAPI document."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from autoflow.errors import NotAllowed, ServerBusy, ServerRefused
from autoflow.server import bounded_json
from autoflow.server.authorization import digest
from autoflow.server.db.access import Caller
from autoflow.server.http import multipart, openapi, preview_url
from autoflow.server.http.access_log import AccessLog
from autoflow.server.http.admission import Pool
from autoflow.server.http.agent_routes import AgentRoutes
from autoflow.server.http.app_streams import AppStreams
from autoflow.server.http.authentication import Authenticator, network, token_of
from autoflow.server.http.compression import JsonCompression
from autoflow.server.http.exchange import Observer, exchange_of
from autoflow.server.http.login.session_cookie import SessionCookie
from autoflow.server.http.metrics import Metrics
from autoflow.server.http.probes import Probes
from autoflow.server.http.request_body import RequestBody
from autoflow.server.http.request_guard import RequestGuard
from autoflow.server.http.responses import error_response, file_response, json_response, refusal
from autoflow.server.methods.admin.app_commands import NoAppConnected
from autoflow.server.methods.admin.tasks import NOT_STORED
from autoflow.server.request_parser import as_number
from autoflow.server.server import DOWNLOADS, METHODS, QUERIES, READING, READS, UPLOADS, Server
from autoflow.server.sign_in.options import OidcOptions
from autoflow.server.ui import routes as page
from autoflow.wire import methods

logger = logging.getLogger("autoflow")

# Threads for each kind of work.
READ_THREADS = 24
WRITE_THREADS = 24
UPLOAD_THREADS = 16
STREAM_THREADS = 64  # uploads too long to be received first take a thread for as long as their clients send
PREVIEW_THREADS = 8  # they wait for the few processes that decode
TOKEN_THREADS = 8

_PREVIEWS = {"autoflow.previews", "autoflow.versions.picture", "autoflow.items.table"}
# Downloads whose checksum is left out: the asynchronous functions of SDK 6.74 compare it before they have written the
# end of the file, so that every file would be refused.
_UNCHECKED = {"point-clouds.download", "point-clouds.images.download"}
_FILE_ROUTES = {
    "files": "file-storage.download",
    "images": "images.download",
    "previews": "autoflow.previews",
    "versions": methods.VERSION_MAP,
}


class Endpoints:
    """The routes' endpoints, over one server."""

    def __init__(self, server: Server, authenticator: Authenticator, cookie: SessionCookie | None = None) -> None:
        self._server = server
        self._authenticator = authenticator
        self._cookie = cookie
        self.streams = AppStreams()
        self._readers, self._writers = Pool(READ_THREADS), Pool(WRITE_THREADS)
        self._uploads, self._streams = Pool(UPLOAD_THREADS), Pool(STREAM_THREADS)
        self._previews, self._tokens = Pool(PREVIEW_THREADS), Pool(TOKEN_THREADS)
        self.pools: Mapping[str, Pool] = {
            "reads": self._readers,
            "writes": self._writers,
            "uploads": self._uploads,
            "streams": self._streams,
            "previews": self._previews,
            "tokens": self._tokens,
        }

    async def get_method(self, request: Request) -> Response:
        """``GET /public/api/v3/<method>?id=...``, for methods that only read; the SDK calls a few of them so."""
        caller = await self.authenticate(request)
        method = request.path_params["method"]
        if method in METHODS and method not in READS and method not in QUERIES:
            raise HTTPException(405, "Method Not Allowed", headers={"Allow": "POST"})
        client, body = self._client(request, caller), dict(request.query_params)
        return json_response(await self._pool(method).run(client, self._server.call, method, body, caller))

    async def post_method(self, request: Request) -> Response:
        """``POST /public/api/v3/<method>``."""
        body = RequestBody(request)
        try:
            return await self._respond(request, body)
        except (ServerRefused, ServerBusy) as error:
            response = refusal(error)
            if not await body.drain():
                response.headers["Connection"] = "close"
            return response
        finally:
            body.close()

    async def get_file(self, request: Request, method: str) -> Response:
        """``GET /storage/files/<id>``: a file at its ``fullStorageUrl``."""
        return await self._file(request, method, dict(request.path_params))

    async def get_preview(self, request: Request) -> Response:
        """``GET /previews/...``: an image at a url made by the SDK's `preview_url`."""
        arguments = preview_url.preview_arguments(request.path_params["transform"], request.path_params["id"])
        return await self._file(request, "autoflow.previews", arguments)

    async def get_openapi(self, _request: Request) -> Response:
        """``GET /openapi.json``."""
        return json_response(openapi.document())

    async def authenticate(self, request: Request) -> Caller:
        """Return the user who sent a request; raises as `Authenticator.authenticate`."""
        exchange = exchange_of(request)
        try:
            exchange.caller = await self._authenticate(request)
        except (NotAllowed, ServerBusy) as error:
            exchange.refused = str(error)
            raise
        return exchange.caller

    async def _authenticate(self, request: Request) -> Caller:
        site = f"{request.url.scheme}://{request.headers['host']}"
        token = token_of(request)
        address: str | None = _address(request)
        if token is None and self._cookie is not None and (token := self._cookie.token(request)) is not None:
            address = None  # a browser sends the cookie of a session that is over with every request of a page
        if token is None or not self._authenticator.needs_query(token):
            return self._authenticator.authenticate(token, address, site)
        # Threads are shared by token, so that a flood of wrong tokens from an address delays no valid one from it.
        return await self._tokens.run(digest(token), self._authenticator.authenticate, token, address, site)

    async def authenticate_token(self, request: Request, token: str) -> object:
        """Return the user of a token that a request has in its body; raises as `Authenticator.authenticate`."""
        authenticate = self._authenticator.authenticate
        return await self._tokens.run(digest(token), authenticate, token, _address(request), "")

    async def call(self, request: Request, caller: Caller, method: str, arguments: Mapping[str, Any]) -> Any:
        """Call a method of the wire for a request to another route."""
        return await self._pool(method).run(self._client(request, caller), self._server.call, method, arguments, caller)

    def _client(self, request: Request, caller: Caller) -> str:
        """Return who shares threads and memory: the user of the token; without tokens, the address."""
        return f"user {caller.user}" if self._authenticator.required else network(_address(request))

    def _pool(self, method: str) -> Pool:
        if method in _PREVIEWS:
            return self._previews
        return self._readers if method in READING else self._writers

    async def _file(self, request: Request, method: str, arguments: Mapping[str, Any]) -> Response:
        caller = await self.authenticate(request)
        client = self._client(request, caller)
        content = await self._pool(method).run(client, self._server.content, method, arguments, caller)
        return await file_response(request, content)

    async def _respond(self, request: Request, body: RequestBody) -> Response:
        caller = await self.authenticate(request)
        method = request.path_params["method"]
        client = body.client = self._client(request, caller)
        media_type = _content_type(request).lower()
        is_file = media_type.startswith("application/octet-stream") and method in UPLOADS
        if is_file or media_type.startswith("multipart/"):
            await body.receive_upload()
            form = multipart.file_part(body.pull) if is_file else multipart.parts(_content_type(request), body.pull)
            pool = self._uploads if body.complete else self._streams
            query = dict(request.query_params)
            if task_id := request.headers.get("x-task-id"):
                query.setdefault("taskId", task_id)
            return json_response(await pool.run(client, self._server.upload, method, form, query, caller))
        await body.receive_json()
        if method in DOWNLOADS:
            content = await self._pool(method).run(client, self._open, method, body, caller)
            return await file_response(request, content, has_checksum=method not in _UNCHECKED)
        task = request.headers.get("x-task-id")
        try:
            return await self._pool(method).run(client, self._call, method, body, caller, task)
        except NoAppConnected as unsent:
            return Response(await self.streams.send(unsent.command), media_type="application/json")

    def _open(self, method: str, body: RequestBody, caller: Caller) -> Any:
        with bounded_json.reserve_memory(body.client, body.cost()):
            return self._server.content(method, bounded_json.parse(body.read()), caller)

    def _call(self, method: str, body: RequestBody, caller: Caller, task: str | None) -> Response:
        with bounded_json.reserve_memory(body.client, body.cost()):
            arguments = bounded_json.parse(body.read())
            response = self._server.call(method, arguments, caller)
            if method == methods.TASK_INFO and task is not None:
                response = self._ensure_own_task(response, caller, task)
            return json_response(response)

    def _ensure_own_task(self, response: dict[str, Any], caller: Caller, task: str) -> dict[str, Any]:
        """Create the task that a response describes if it is the client's own, by its ``x-task-id``, and not stored.

        A caller who may not write gets the response as it is.
        """
        if response["status"] != NOT_STORED or response["id"] != as_number(task):
            return response
        try:
            ensured: dict[str, Any] = self._server.call(methods.TASKS_ENSURE, {"id": response["id"]}, caller)
        except NotAllowed:
            return response
        return ensured


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "")


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _handle_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, (ServerRefused, ServerBusy))
    return refusal(error)


def _handle_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = error.detail
    if message == HTTPStatus(error.status_code).phrase:  # raised by the router: there is no such route
        message += f": methods are at POST {methods.PATH}<method>"
    return error_response(error.status_code, message, headers=error.headers)


def _handle_disconnect(_request: Request, _error: Exception) -> Response:
    return error_response(400, "the client closed the connection")


async def _handle_exception(request: Request, error: Exception) -> Response:
    """Log an exception and answer 500; Starlette raises the exception again after that."""
    request_id = request.scope["request_id"]
    logger.error("request %s: %s %r failed", request_id, request.method, request.url.path, exc_info=error)
    return error_response(500, f"the server failed; its log has the traceback under request id {request_id}")


def application(
    server: Server,
    *,
    auth: bool,
    names: Collection[str] = (),
    access_log: AccessLog | None = None,
    oidc: OidcOptions | None = None,
) -> ASGIApp:
    """Return the server as an ASGI application.

    Args:
        server: server that runs the methods.
        auth: whether every request needs a token; then any name is accepted in the Host header.
        names: names accepted in the Host header beside this machine's own, without `auth`.
        access_log: is called with each request; None for no log.
        oidc: how browsers sign in; None for the tokens alone.

    Raises:
        ImportError: the packages of the sign-in are not installed.
    """
    cookie = SessionCookie(secure=oidc.secure, seconds=oidc.session_seconds) if oidc is not None else None
    endpoints = Endpoints(server, Authenticator(server.tokens, required=auth), cookie)
    login = None
    if oidc is not None and cookie is not None:
        from autoflow.server.http.login.routes import Login  # needs the packages of [oidc]

        login = Login(server.store, oidc, cookie, endpoints.authenticate_token)
    metrics = Metrics(server, endpoints.pools)
    compressed = [Middleware(JsonCompression)]

    def get_file(method: str) -> Callable[[Request], Awaitable[Response]]:
        return functools.partial(endpoints.get_file, method=method)

    routes = [
        Route(methods.PATH + "{method:path}", endpoints.post_method, methods=["POST"], middleware=compressed),
        Route(methods.PATH + "{method:path}", endpoints.get_method, methods=["GET"], middleware=compressed),
        *(Route(f"/storage/{kind}/{{id:int}}", get_file(method)) for kind, method in _FILE_ROUTES.items()),
        Route("/storage/versions/{version:int}/images/{id:int}", get_file("autoflow.versions.picture")),
        Route(preview_url.PATH, endpoints.get_preview),
        Route("/openapi.json", endpoints.get_openapi),
        *AgentRoutes(endpoints.streams, endpoints.authenticate, endpoints.call).routes(),
        *Probes(server, metrics, endpoints.authenticate).routes(),
        *(login.routes() if login is not None else ()),
        *page.routes(endpoints.authenticate, login),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            ServerRefused: _handle_refusal,
            ServerBusy: _handle_refusal,
            HTTPException: _handle_http_error,
            ClientDisconnect: _handle_disconnect,
            Exception: _handle_exception,
        },
    )
    guarded = RequestGuard(app, None if auth else {name.lower() for name in names})
    ended = [metrics.ended] if access_log is None else [metrics.ended, access_log.write]
    return Observer(guarded, metrics.began, ended)
