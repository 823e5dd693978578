"""`FaultyServer`: a server on a real socket with programmable faults.

It takes records as autoflow's server does (``autoflow.records.add``, each key once) or edges as an instance does, and
keeps what it applied. A behaviour handles each request; it may be replaced at any time, also while requests are in
flight.
"""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, ClassVar, Literal

from autoflow.wire import methods
from autoflow.wire.contract.records import RECORDS_ADD, RUNS_ENSURE, AddRecordsResponse, EnsureRunResponse, RecordResult

Kind = Literal["server", "instance"]


class Exchange:
    """One request, for a behaviour: `apply` carries it out and returns the response, `reply` sends it."""

    def __init__(self, handler: _Handler, method: str, body: Any) -> None:
        self.method = method
        self.body = body
        self._handler = handler

    @property
    def probe(self) -> bool:
        """Whether the request only identifies the server."""
        return self.method == methods.INSTANCE_VERSION

    def apply(self) -> tuple[int, Any]:
        """Carry out the request; return status and response."""
        return self._handler.owner.apply(self.method, self.body)

    def reply(self, code: int, response: Any, headers: Mapping[str, str] | None = None, *, pause: float = 0.0) -> None:
        """Send a response: bytes unchanged, anything else as JSON; with `pause`, one byte every `pause` seconds."""
        self._handler.reply(code, response, headers or {}, pause)

    def drop(self) -> None:
        """Close the connection without a response."""
        self._handler.drop()

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than until the server stops."""
        self._handler.owner.stopped.wait(seconds)


Behaviour = Callable[[Exchange], None]


def well(exchange: Exchange) -> None:
    """Carry out the request and respond."""
    exchange.reply(*exchange.apply())


def hang(exchange: Exchange) -> None:
    """Read the request and never respond."""
    exchange.wait(3600)


def cut(exchange: Exchange) -> None:
    """Carry out the request, then close the connection without a response."""
    if exchange.probe:
        well(exchange)
    else:
        exchange.apply()
        exchange.drop()


def status(code: int, *, retry_after: str | float | None = None, message: str = "injected") -> Behaviour:
    """Return a behaviour that responds to every request with a status, and optionally a Retry-After header."""

    def behave(exchange: Exchange) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        exchange.reply(code, {"error": message, "details": {"message": message}}, headers)

    return behave


def slow(seconds: float) -> Behaviour:
    """Return a behaviour that sends one byte every `seconds`, from the status line on."""

    def behave(exchange: Exchange) -> None:
        code, response = exchange.apply()
        exchange.reply(code, response, pause=seconds)

    return behave


def late(seconds: float) -> Behaviour:
    """Return a behaviour that waits before it carries out the request and responds."""

    def behave(exchange: Exchange) -> None:
        exchange.wait(seconds)
        well(exchange)

    return behave


def redirect(address: str, code: int = 307) -> Behaviour:
    """Return a behaviour that redirects every request to another address, keeping the method."""

    def behave(exchange: Exchange) -> None:
        exchange.reply(code, None, {"Location": address + methods.PATH + exchange.method})

    return behave


def page(code: int = 200) -> Behaviour:
    """Return a behaviour that responds with an HTML page, as a proxy or a login form does."""

    def behave(exchange: Exchange) -> None:
        exchange.reply(code, b"<html><body>Something else lives here.</body></html>", {"Content-Type": "text/html"})

    return behave


def omit(skip: Callable[[Mapping[str, Any]], bool]) -> Behaviour:
    """Return a behaviour that leaves out the records of a batch for which `skip` is true, and takes the others."""

    def behave(exchange: Exchange) -> None:
        if exchange.method == RECORDS_ADD.name:
            exchange.body = {"records": [record for record in exchange.body["records"] if not skip(record)]}
        well(exchange)

    return behave


def partly(refuse: Callable[[Mapping[str, Any]], bool]) -> Behaviour:
    """Return a behaviour that refuses the records or edges for which `refuse` is true, and takes the others."""

    def behave(exchange: Exchange) -> None:
        if exchange.method in methods.ADD_EDGE.values() and refuse(exchange.body):
            exchange.reply(400, {"error": "refused", "details": {"message": "refused"}})
            return
        if exchange.method != RECORDS_ADD.name:
            well(exchange)
            return
        records = exchange.body["records"]
        refused = [record["key"] for record in records if refuse(record)]
        exchange.body = {"records": [record for record in records if record["key"] not in refused]}
        code, response = exchange.apply()
        response["results"] += [{"key": key, "status": "refused", "reason": "refused"} for key in refused]
        exchange.reply(code, response)

    return behave


class FaultyServer:
    """A server with programmable faults; a context manager.

    Args:
        kind: the kind of server that it identifies as.
        version: the version it reports.
        port: 0 for any free one.
    """

    def __init__(self, kind: Kind = "server", version: str = "6.18.3", port: int = 0) -> None:
        self.kind = kind
        self.version = version
        self.records: list[dict[str, Any]] = []  # applied by a server, in order
        self.posts: list[tuple[str, Any]] = []  # edges applied by an instance: method and body, in order
        self.requests: list[tuple[str, Any]] = []  # all requests, in order
        self.headers: list[dict[str, str]] = []  # of each request
        self.stopped = threading.Event()
        self.changed = threading.Condition()
        self._keys: set[str] = set()
        self._tasks: dict[str, int] = {}
        self._behaviour: Behaviour = well
        self._port = port
        self._server: _Server | None = None
        self._reserved: socket.socket | None = None  # bound, not listening: reserves the port

    def __enter__(self) -> FaultyServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    @property
    def address(self) -> str:
        """The address it listens on; the same after `stop` and `start`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def edges(self) -> list[Any]:
        """The edges applied: records of a server, request bodies of an instance."""
        return [record for record in self.records if record["type"] == "edge"] + [body for _, body in self.posts]

    def behave(self, behaviour: Behaviour) -> None:
        """Set the behaviour for the requests that follow."""
        self._behaviour = behaviour

    def start(self) -> None:
        """Start to listen."""
        if self._reserved is None:
            self._reserved = socket.socket()
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._reserved.bind(("127.0.0.1", self._port))
            self._port = self._reserved.getsockname()[1]
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = server = _Server(("127.0.0.1", self._port), handler)
        self.stopped.clear()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Stop listening: connections are refused until `start`."""
        self.stopped.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.drop_all()
            self._server = None

    def wait_for(self, predicate: Callable[[], bool], seconds: float = 60.0) -> bool:
        """Wait until a predicate over the requests or the applied records is true; return whether it is."""
        with self.changed:
            return self.changed.wait_for(predicate, seconds)

    # -- for the handler

    def handle(self, exchange: Exchange, headers: dict[str, str]) -> None:
        """Note a request and pass it to the behaviour."""
        with self.changed:
            self.requests.append((exchange.method, exchange.body))
            self.headers.append(headers)
            self.changed.notify_all()
        self._behaviour(exchange)

    def apply(self, method: str, body: Any) -> tuple[int, Any]:
        """Carry out a request; return status and response."""
        with self.changed:
            response = self._apply(method, body)
            self.changed.notify_all()
        return (
            (404, {"error": "unknown", "details": {"message": f"{method} is unknown"}})
            if response is None
            else (200, response)
        )

    def _apply(self, method: str, body: Any) -> Any:
        if method == methods.INSTANCE_VERSION:
            return {"version": self.version, **({methods.AUTOFLOW_MARK: "test"} if self.kind == "server" else {})}
        if method == methods.TASK_INFO:
            return {"id": int(body["id"]), "teamId": 9, "workspaceId": 8, "meta": {"app": {"id": 321, "name": "App"}}}
        if method == methods.FILE_LIST:
            return [{"id": 7001, "path": body["path"], "name": body["path"].rsplit("/", 1)[-1], "teamId": 9}]
        if method in {methods.FILE_INFO, methods.PROJECT_INFO, methods.DATASET_INFO}:
            return {"id": body["id"], "name": f"name {body['id']}", "teamId": 9, "path": f"/name {body['id']}"}
        if self.kind == "instance":
            if method in methods.ADD_EDGE.values():
                self.posts.append((method, body))
                return {"success": True}
            return None
        if method == RUNS_ENSURE.name:
            return self._ensure_run(body["run"])
        return self._add(body["records"]) if method == RECORDS_ADD.name else None

    def _ensure_run(self, run: str) -> EnsureRunResponse:
        task = self._task(run)
        return {"task": task, "number": task, "teamId": 9, "workspaceId": 8, "appId": None}

    def _add(self, records: list[dict[str, Any]]) -> AddRecordsResponse:
        results: list[RecordResult] = []
        for record in records:
            new = record["key"] not in self._keys
            if new:
                self._keys.add(record["key"])
                self.records.append(record)
            results.append({"key": record["key"], "status": "applied" if new else "duplicate", "reason": None})
        return {"results": results, "tasks": {record["run"]: self._task(record["run"]) for record in records}}

    def _task(self, run: str) -> int:
        return self._tasks.setdefault(run, len(self._tasks) + 1)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def server_bind(self) -> None:
        """Bind beside the reserving socket, without a lookup of the host name, which may be slow."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of connections: clients are expected to drop them."""

    def drop_all(self) -> None:
        """Close all open connections."""
        for request in list(self._open):
            self.shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: ClassVar[FaultyServer]

    def do_POST(self) -> None:
        """Read the request and pass it to the server."""
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        try:
            body = json.loads(content or b"null")
        except ValueError:
            body = content
        method = self.path.split("/v3/")[-1].partition("?")[0]
        self.owner.handle(Exchange(self, method, body), {name.lower(): value for name, value in self.headers.items()})

    def reply(self, code: int, response: Any, headers: Mapping[str, str], pause: float) -> None:
        """Send a response; see `Exchange.reply`."""
        content = response if isinstance(response, bytes) else json.dumps(response).encode()
        connection, self.wfile = self.wfile, io.BytesIO()
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        message, self.wfile = self.wfile.getvalue() + content, connection
        if not pause:
            self.wfile.write(message)
            return
        for byte in message:
            if self.owner.stopped.wait(pause):
                return
            self.wfile.write(bytes([byte]))

    def drop(self) -> None:
        """Close the connection without a response."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Print nothing."""
