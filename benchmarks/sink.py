"""Servers that count: for each protocol a local one, in a process of its own, that knows which records arrived.

It understands each protocol just enough to find a record's number. It is told over its standard input to behave
well, to refuse connections, to hang, and so on, and answers what it has seen.
"""

from __future__ import annotations

import gc
import gzip
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from autoflow.testing import FaultyServer, cut, hang, status, well
from autoflow.wire import methods


class Tally:
    """First arrival of each number (nanoseconds of the monotonic clock), and the count of repeated ones."""

    def __init__(self) -> None:
        self.arrivals: dict[int, int] = {}
        self.again = 0
        self.unordered = 0  # records of a journal applied after a later one of it
        self.resent = 0  # records sent once more under their old key, and recognised by it
        self._guard = threading.Lock()

    def note(self, numbers: Iterable[int]) -> None:
        now = time.monotonic_ns()
        with self._guard:
            for number in numbers:
                self.again += number in self.arrivals
                self.arrivals.setdefault(number, now)

    def counts(self) -> dict[str, int]:
        with self._guard:
            kept = len(self.arrivals) - (0 in self.arrivals)  # number 0 is for warming up
            return {"kept": kept, "again": self.again, "unordered": self.unordered, "resent": self.resent}

    def ranges(self, size: int) -> dict[int, tuple[int, int]]:
        """For numbers grouped by `size`: how many of a group arrived, and the highest place in it."""
        results: dict[int, tuple[int, int]] = {}
        with self._guard:
            for number in self.arrivals:
                group, offset = divmod(number, size)
                count, highest = results.get(group, (0, 0))
                results[group] = (count + 1, max(highest, offset))
        return results


# -- autoflow: the server of the test kit, with its keys, counting what it applied


class Ledger(FaultyServer):
    """A server or an instance; keeps numbers, not records, so that a long run fits in memory."""

    def __init__(self, kind: Any) -> None:
        super().__init__(kind)
        self.tally = Tally()
        self._last: dict[str, int] = {}  # journal -> the count in it of the last record applied

    def apply(self, method: str, body: Any) -> tuple[int, Any]:
        """Apply, then count what was new."""
        with self.changed:
            answer = super().apply(method, body)
            if method == methods.RECORDS_ADD:
                self.tally.resent += sum(result["status"] == "duplicate" for result in answer[1]["results"])
            for record in self.records:
                journal, _, count = record["key"].rpartition(":")
                # edges only: a run's facts are another thread's, which may take its number first and write last
                if record["type"] == "edge":
                    self.tally.unordered += int(count) <= self._last.get(journal, 0)
                    self._last[journal] = int(count)
            self.tally.note(edge["entity"]["id"] if "entity" in edge else edge["id"] for edge in self.edges)
            for kept in (self.records, self.posts, self.requests, self.headers):
                kept.clear()
        return answer


class EmbeddedTally:
    """The server on this machine, looked at through its database: what another process reads is visible."""

    address = "embedded"

    def __init__(self, database: str) -> None:
        self.tally = Tally()
        self._database = database
        threading.Thread(target=self._poll, daemon=True).start()

    def _poll(self) -> None:
        import sqlite3

        last = 0
        while True:
            time.sleep(0.005)
            try:
                with sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=10) as conn:
                    results = conn.execute("select id, entity from edges where id > ? order by id", (last,)).fetchall()
                conn.close()
            except sqlite3.Error:  # not made yet
                continue
            last = results[-1][0] if results else last
            self.tally.note(int(path.removeprefix("/")) for _, path in results)

    def start(self) -> None:
        """It is always there."""

    stop = start

    def behave(self, behaviour: Any) -> None:
        """It has no faults."""


# -- the others: what is read of a request, and what it is answered

Read = Callable[[str, bytes], tuple[list[int], Any]]


def _spans(content: bytes) -> list[int]:
    """Numbers of the spans of an OTLP request: an attribute, or mlflow's inputs."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    results = []
    for resource in ExportTraceServiceRequest.FromString(content).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                for attribute in span.attributes:
                    if attribute.key == "number":
                        results.append(attribute.value.int_value)
                    elif attribute.key == "mlflow.spanInputs":
                        results += [item.value.int_value for item in attribute.value.kvlist_value.values]
    return results


def _otlp(path: str, content: bytes) -> tuple[list[int], Any]:
    return _spans(content), b""


def _sentry(path: str, content: bytes) -> tuple[list[int], Any]:
    return [int(number) for number in re.findall(rb'"message":\s*"record (\d+)"', content)], {}


def _openlineage(path: str, content: bytes) -> tuple[list[int], Any]:
    return [int(entity["name"]) for entity in json.loads(content)["inputs"]], {}


def _mlflow(path: str, content: bytes) -> tuple[list[int], Any]:
    if path == "/version":
        return [], b"3.17.2"
    if path == "/v1/traces":
        return _spans(content), b""
    if not path.endswith("/mlflow/traces"):
        return [], {}
    answer = json.loads(content)
    facts = answer["trace"]["trace_info"]
    facts.setdefault("tags", {})["mlflow.trace.spansLocation"] = "TRACKING_STORE"
    return [json.loads(facts["trace_metadata"]["mlflow.traceInputs"])["number"]], answer


READS: dict[str, Read] = {"otlp": _otlp, "sentry": _sentry, "openlineage": _openlineage, "mlflow": _mlflow}


class Collector:
    """A server for one of the other protocols, with the verbs of `FaultyServer`."""

    def __init__(self, kind: str) -> None:
        self.tally = Tally()
        self.read = READS[kind]
        self.open: set[socket.socket] = set()
        self._well = threading.Event()
        self._well.set()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def hanging(self) -> bool:
        return not self._well.is_set()

    def wait_until_well(self) -> None:
        self._well.wait()

    def behave(self, behaviour: Any) -> None:
        if behaviour is hang:
            self._well.clear()
        else:
            self._well.set()

    def start(self) -> None:
        self._server = _Listener(("127.0.0.1", self._port), type("Requests", (_Requests,), {"owner": self}))
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what is wrong with the sink; a client that is killed cuts its connection, which is not."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: Collector

    def setup(self) -> None:
        super().setup()
        self.owner.open.add(self.connection)

    def finish(self) -> None:
        self.owner.open.discard(self.connection)
        super().finish()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        if self.owner.hanging or len(content) < length:
            self.owner.wait_until_well()
            self.close_connection = True
            return
        if self.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        numbers, answer = self.owner.read(self.path.partition("?")[0], content)
        self.owner.tally.note(numbers)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if answer else "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *args: Any) -> None:
        """Nothing is printed."""


# -- the process, and its other end

BEHAVIOURS = {"well": well, "hang": hang, "cut": cut, "busy": status(503)}


def serve(kind: str) -> None:
    """Serve one protocol and do what standard input says, a line each, answering each with a line of JSON."""
    gc.disable()  # a collection over millions of numbers would be measured with the client
    server: Any
    if kind in READS:
        server = Collector(kind)
    elif kind.startswith("embedded:"):
        server = EmbeddedTally(kind.partition(":")[2])
    else:
        server = Ledger(kind)
    server.start()
    listening = True
    print(json.dumps(server.address), flush=True)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        answer: Any = None
        if command == "count":
            answer = server.tally.counts()
        elif command == "seen":
            answer = list(server.tally.arrivals.items())
        elif command == "ranges":
            answer = list(server.tally.ranges(int(argument)).items())
        elif command == "refuse":
            server.stop()
            listening = False
        else:
            server.behave(BEHAVIOURS[command])
            if not listening:
                server.start()
                listening = True
        print(json.dumps(answer), flush=True)


class Sink:
    """A sink in a process of its own; a context manager.

    Args:
        kind: ``server``, ``instance``, ``embedded:<path of the database>``, or a protocol of `READS`.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._turn = threading.Lock()

    def __enter__(self) -> Sink:
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address: str = self._answer()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def tell(self, command: str) -> Any:
        """Have the sink behave otherwise, or say what it has seen."""
        with self._turn:
            assert self._process.stdin is not None
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
            return self._answer()

    def kept(self) -> int:
        """Return the number of distinct records."""
        return int(self.tell("count")["kept"])

    def seen(self) -> dict[int, int]:
        """Return the arrival time of each record."""
        return {number: arrived_at for number, arrived_at in self.tell("seen") if number}

    def settled(self, expected: int, *, quiet: float = 0.5) -> int:
        """Wait until all expected records arrived, or none for `quiet` seconds; return their number."""
        kept, since = self.kept(), time.monotonic()
        while kept < expected and time.monotonic() - since < quiet:
            time.sleep(0.02)
            before, kept = kept, self.kept()
            since = time.monotonic() if kept != before else since
        return kept


if __name__ == "__main__":
    serve(sys.argv[1])
