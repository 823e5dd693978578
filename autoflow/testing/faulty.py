"""`FaultyServer`: a server on a real socket that misbehaves as it is told.

It takes records as our server does (``autoflow.records.add``, each key once) or edges as an instance does, and
remembers what it applied. A behaviour says what happens to each request; it may be changed at any time, also while
requests are in flight.
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

Kind = Literal["server", "instance"]


class Exchange:
    """One request as a behaviour sees it: `apply` does what was asked and gives the answer, `reply` sends it."""

    def __init__(self, handler: _Handler, method: str, body: Any) -> None:
        self.method = method
        self.body = body
        self._handler = handler

    @property
    def probe(self) -> bool:
        """Whether this only asks what the server is."""
        return self.method == methods.INSTANCE_VERSION

    def apply(self) -> tuple[int, Any]:
        """Do what was asked: status and answer."""
        return self._handler.owner.apply(self.method, self.body)

    def reply(self, code: int, answer: Any, headers: Mapping[str, str] | None = None, *, pause: float = 0.0) -> None:
        """Send an answer: bytes as they are, anything else as JSON; with `pause`, a byte each so many seconds."""
        self._handler.reply(code, answer, headers or {}, pause)

    def drop(self) -> None:
        """Close the connection without a word."""
        self._handler.drop()

    def wait(self, seconds: float) -> None:
        """Wait, at most until the server stops."""
        self._handler.owner.stopped.wait(seconds)


Behaviour = Callable[[Exchange], None]


def well(exchange: Exchange) -> None:
    """Behave."""
    exchange.reply(*exchange.apply())


def hang(exchange: Exchange) -> None:
    """Take the request and never answer."""
    exchange.wait(3600)


def cut(exchange: Exchange) -> None:
    """Apply what was asked, then close the connection without an answer."""
    if exchange.probe:
        well(exchange)
    else:
        exchange.apply()
        exchange.drop()


def status(code: int, *, retry_after: str | float | None = None, message: str = "injected") -> Behaviour:
    """Answer everything with a status, and a Retry-After header if given."""

    def behave(exchange: Exchange) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        exchange.reply(code, {"error": message, "details": {"message": message}}, headers)

    return behave


def slow(seconds: float) -> Behaviour:
    """Answer a byte each so many seconds, from the status line on."""

    def behave(exchange: Exchange) -> None:
        code, answer = exchange.apply()
        exchange.reply(code, answer, pause=seconds)

    return behave


def late(seconds: float) -> Behaviour:
    """Answer rightly, after so many seconds."""

    def behave(exchange: Exchange) -> None:
        exchange.wait(seconds)
        well(exchange)

    return behave


def redirect(address: str, code: int = 307) -> Behaviour:
    """Send whoever asks to another address, method and all."""

    def behave(exchange: Exchange) -> None:
        exchange.reply(code, None, {"Location": address + methods.PATH + exchange.method})

    return behave


def page(code: int = 200) -> Behaviour:
    """Answer with a page, as a proxy or a login form in between does."""

    def behave(exchange: Exchange) -> None:
        exchange.reply(code, b"<html><body>Something else lives here.</body></html>", {"Content-Type": "text/html"})

    return behave


def omit(skip: Callable[[Mapping[str, Any]], bool]) -> Behaviour:
    """Neither apply nor answer those records of a batch for which `skip` is true; take the others."""

    def behave(exchange: Exchange) -> None:
        if exchange.method == methods.RECORDS_ADD:
            exchange.body = {"records": [record for record in exchange.body["records"] if not skip(record)]}
        well(exchange)

    return behave


def partly(refuse: Callable[[Mapping[str, Any]], bool]) -> Behaviour:
    """Refuse those records of a batch, or those edges, for which `refuse` is true, and take the others."""

    def behave(exchange: Exchange) -> None:
        if exchange.method in methods.ADD_EDGE.values() and refuse(exchange.body):
            exchange.reply(400, {"error": "refused", "details": {"message": "refused"}})
            return
        if exchange.method != methods.RECORDS_ADD:
            well(exchange)
            return
        records = exchange.body["records"]
        bad = [record["key"] for record in records if refuse(record)]
        exchange.body = {"records": [record for record in records if record["key"] not in bad]}
        code, answer = exchange.apply()
        answer["results"] += [{"key": key, "status": "refused", "reason": "refused"} for key in bad]
        exchange.reply(code, answer)

    return behave


class FaultyServer:
    """The server; a context manager.

    Args:
        kind: what it says it is.
        version: the version it reports.
        port: 0 for any free one.
    """

    def __init__(self, kind: Kind = "server", version: str = "6.18.3", port: int = 0) -> None:
        self.kind = kind
        self.version = version
        self.records: list[dict[str, Any]] = []  # applied by a server, in order
        self.posts: list[tuple[str, Any]] = []  # edges applied by an instance: method and body, in order
        self.requests: list[tuple[str, Any]] = []  # everything asked, in order
        self.headers: list[dict[str, str]] = []  # of each request
        self.stopped = threading.Event()
        self.changed = threading.Condition()
        self._keys: set[str] = set()
        self._tasks: dict[str, int] = {}
        self._behaviour: Behaviour = well
        self._port = port
        self._server: _Server | None = None
        self._reserved: socket.socket | None = None  # bound and never listening: nobody else gets the port

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
        """Where it listens; the same after `stop` and `start`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def edges(self) -> list[Any]:
        """Edges applied, of either kind of server: records of a server, bodies of an instance."""
        return [record for record in self.records if record["type"] == "edge"] + [body for _, body in self.posts]

    def behave(self, behaviour: Behaviour) -> None:
        """Treat requests so from now on."""
        self._behaviour = behaviour

    def start(self) -> None:
        """Listen."""
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
        """Wait until something is true of what was asked or applied; whether it came true."""
        with self.changed:
            return self.changed.wait_for(predicate, seconds)

    # -- for the handler

    def handle(self, exchange: Exchange, headers: dict[str, str]) -> None:
        """Note a request and treat it as told."""
        with self.changed:
            self.requests.append((exchange.method, exchange.body))
            self.headers.append(headers)
            self.changed.notify_all()
        self._behaviour(exchange)

    def apply(self, method: str, body: Any) -> tuple[int, Any]:
        """What the server does when it does it."""
        with self.changed:
            answer = self._apply(method, body)
            self.changed.notify_all()
        return (
            (404, {"error": "unknown", "details": {"message": f"{method} is unknown"}})
            if answer is None
            else (200, answer)
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
        if method == methods.RUNS_ENSURE:
            return {"task": self._task(body["run"]), "teamId": 9, "workspaceId": 8, "appId": None}
        return self._add(body["records"]) if method == methods.RECORDS_ADD else None

    def _add(self, records: list[dict[str, Any]]) -> Any:
        results = []
        for record in records:
            new = record["key"] not in self._keys
            if new:
                self._keys.add(record["key"])
                self.records.append(record)
            results.append({"key": record["key"], "status": "applied" if new else "duplicate"})
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
        """Bind beside the reserving socket, without a lookup of the machine's name, which may take long."""
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
        """A connection that ends in an error is part of the game."""

    def drop_all(self) -> None:
        """Close what is still connected."""
        for request in list(self._open):
            self.shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: ClassVar[FaultyServer]

    def do_POST(self) -> None:
        """Read the request and hand it to the behaviour."""
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        try:
            body = json.loads(content or b"null")
        except ValueError:
            body = content
        method = self.path.split("/v3/")[-1].partition("?")[0]
        self.owner.handle(Exchange(self, method, body), {name.lower(): value for name, value in self.headers.items()})

    def reply(self, code: int, answer: Any, headers: Mapping[str, str], pause: float) -> None:
        """Send an answer."""
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        line, self.wfile = self.wfile, io.BytesIO()
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        whole, self.wfile = self.wfile.getvalue() + content, line
        if not pause:
            self.wfile.write(whole)
            return
        for byte in whole:
            if self.owner.stopped.wait(pause):
                return
            self.wfile.write(bytes([byte]))

    def drop(self) -> None:
        """Close the connection."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Nothing is printed."""
