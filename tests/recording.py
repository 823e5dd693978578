"""A Supervisely instance as far as an app that records its workflow sees one: a small world, and every request kept.

It listens on a real socket and keeps connections open, as an instance does. A test may make it answer badly
(`Recording.faults`).
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PREFIX = "/public/api/v3/"
EDGES = ("workflow.node.add-input", "workflow.node.add-output")


class Request(NamedTuple):
    """One request as it came in."""

    endpoint: str
    body: Any


class Fault(NamedTuple):
    """A bad answer: a status with a JSON body, or raw bytes."""

    status: int = 200
    body: Any = None
    raw: bytes | None = None


class World:
    """What the instance knows. Rows need only what matters; the rest is filled in."""

    def __init__(self, team_id: int, world: Mapping[str, Any], version: Any = "6.18.3") -> None:
        self.team_id = team_id
        self.version = version
        self.tasks = {int(number): dict(row) for number, row in world.get("tasks", {}).items()}
        self.projects = {int(number): self._project(row) for number, row in world.get("projects", {}).items()}
        self.files = [self._file(row) for row in world.get("files", [])]
        self.versions = [self._version(row) for row in world.get("versions", [])]

    def _project(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "images", "teamId": self.team_id, "workspaceId": 8, "version": None, **row}

    def _file(self, row: Mapping[str, Any]) -> dict[str, Any]:
        name = posixpath.basename(row["path"])
        meta = {"mime": "application/octet-stream", "ext": posixpath.splitext(name)[1][1:], "size": 10}
        return {"teamId": self.team_id, "userId": 3, "name": name, "hash": "", "meta": meta, "isDir": False, **row}

    def _version(self, row: Mapping[str, Any]) -> dict[str, Any]:
        times = dict.fromkeys(("createdAt", "updatedAt", "projectUpdatedAt"), "2026-01-01T00:00:00.000Z")
        made = {"createdBy": 3, "teamFileId": 1, "teamId": self.team_id, "previewProjectId": None, **times}
        return {"description": "", "name": "", "status": "committed", **made, **row}

    def answer(self, endpoint: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """The status and the JSON answer to a request."""
        answers: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "instance.version": lambda body: {"version": self.version},
            "tasks.info": lambda body: self.tasks.get(int(body["id"])),
            "projects.info": lambda body: self.projects.get(body["id"]),
            "projects.list": lambda body: _page(self.projects.values(), body),
            "projects.versions.list": lambda body: _page(self.versions, body),
            "file-storage.info": lambda body: next((row for row in self.files if row["id"] == body["id"]), None),
            "file-storage.list": lambda body: [row for row in self.files if row["path"].startswith(body["path"])],
            **dict.fromkeys(EDGES, lambda body: {"success": True}),
        }
        response = answers.get(endpoint, lambda body: None)(body)
        if response is None:
            return 404, {"error": "NotFound", "details": {"message": f"{endpoint}: not found"}}
        return 200, response


def _page(rows: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    filters = {entry["field"]: entry["value"] for entry in body.get("filter") or []}
    matching = [row for row in rows if all(row.get(field) == value for field, value in filters.items())]
    return {"entities": matching, "total": len(matching), "perPage": 500, "pagesCount": 1}


class Recording:
    """A running instance.

    `requests` holds all requests in the order they came in. `faults` maps an endpoint to the answer it gives instead.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.requests: list[Request] = []
        self.faults: dict[str, Fault] = {}
        self._connections: list[socket.socket] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="recording server", daemon=True
        )

    @property
    def edges(self) -> list[Request]:
        """The edges posted, in order."""
        return [request for request in self.requests if request.endpoint in EDGES]

    @property
    def lookups(self) -> list[str]:
        """The endpoints of all other requests, in order."""
        return [request.endpoint for request in self.requests if request.endpoint not in EDGES]

    @property
    def connections(self) -> int:
        """How many connections were made to it."""
        return len(self._connections)

    def add(self, endpoint: str, body: Any) -> None:
        """Keep a call that did not come over the socket in its place among the others."""
        self.requests.append(Request(endpoint, body))

    @contextlib.contextmanager
    def running(self) -> Iterator[Recording]:
        """Listen while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._thread.join()

    def _answer(self, endpoint: str, body: Any) -> tuple[int, bytes]:
        self.requests.append(Request(endpoint, body))
        fault = self.faults.get(endpoint)
        if fault is None:
            status, answer = self.world.answer(endpoint, body)
            return status, json.dumps(answer).encode()
        return fault.status, json.dumps(fault.body).encode() if fault.raw is None else fault.raw

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recording = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1  # an answer leaves in one piece

            def setup(self) -> None:
                super().setup()
                recording._connections.append(self.connection)

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                endpoint = self.path.partition("?")[0].removeprefix(PREFIX)
                status, answer = recording._answer(endpoint, json.loads(content or b"null"))
                answer = b"" if status == 204 else answer
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                self.wfile.flush()

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        return Handler
