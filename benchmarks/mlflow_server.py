"""`autoflow serve` beside `mlflow server`: edges one a request over HTTP, both on SQLite, one client and eight.

MLflow's `log-inputs` is the same edge: a run and a dataset that it reads. Its server is the real one, with the number
of workers that it takes by itself, in an environment of its own (`make .venv-mlflow/ready`); without that, there is
nothing to compare with. The two take turns, each on a store of its own.
"""

from __future__ import annotations

import functools
import http.client
import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from measure import Goal, machine, progress, publish, table
from server import Client, in_threads, served, single_edge

from autoflow.wire import methods

MLFLOW = Path(__file__).parents[1] / ".venv-mlflow" / "bin" / "mlflow"
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
ROUNDS = 3
RUNS = 100
TIMEOUT = 300.0  # seconds for a response: MLflow's workers import for long on a busy machine
ATTEMPTS = 5  # of a request whose connection was closed
CLIENTS = {1: 10.0, 8: 6.0}  # of each number of clients: our goal, in times of MLflow's edges a second
_API = "/api/2.0/mlflow/"

Request = tuple[str, bytes]


class Peer(NamedTuple):
    """A server, and the request of an edge by its number."""

    port: int
    pid: int
    make: Callable[[int], Request]


class Rate(NamedTuple):
    """Edges a second, and the milliseconds of the server's processor time that one takes."""

    edges: float
    milliseconds: float


@contextmanager
def mlflow_served(folder: str) -> Iterator[tuple[int, int]]:
    """MLflow's server on a new store; its process's number and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(MLFLOW), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        f"{folder}/artifacts",
    ]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port, process)
        yield process.pid, port
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its workers are children of their own
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            if (
                _post(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT), "/health", b"", verb="GET")[0]
                == 200
            ):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("`mlflow server` does not start")


def _post(connection: http.client.HTTPConnection, path: str, body: bytes, verb: str = "POST") -> tuple[int, bytes]:
    for attempt in range(ATTEMPTS):
        try:
            connection.request(verb, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except ConnectionError:  # a worker of MLflow's server was replaced: a client connects again
            connection.close()
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


def mlflow_runs(port: int) -> list[str]:
    """The ids of new runs."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)) as connection:
        body = json.dumps({"experiment_id": "0", "start_time": 1}).encode()
        created = [_post(connection, _API + "runs/create", body) for _ in range(RUNS)]
    assert all(status == 200 for status, _ in created), created[0]
    return [json.loads(content)["run"]["info"]["run_id"] for _, content in created]


def mlflow_edge(runs: list[str], number: int) -> Request:
    """An input of a run, as MLflow's client posts it: a dataset that the store does not know yet."""
    source = json.dumps({"uri": f"s3://bucket/one/{number}"})
    dataset = {"name": f"folder-{number}", "digest": f"{number:08x}", "source_type": "s3", "source": source}
    tags = [{"key": "mlflow.data.context", "value": "training"}]
    body = {"run_id": runs[number % RUNS], "datasets": [{"tags": tags, "dataset": dataset}]}
    return _API + "runs/log-inputs", json.dumps(body).encode()


def our_edge(number: int) -> Request:
    """The same edge here, as the SDK posts it."""
    method, body, _ = single_edge(number)
    return methods.PATH + method, body


def processor_seconds(pid: int) -> float:
    """The processor time of a process and of those that it has started."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            fields = entry.read_text().rpartition(")")[2].split()
            number = int(entry.parent.name)
            parents[number], ticks[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(number, 0) for number in family) / os.sysconf("SC_CLK_TCK")


def rate(peer: Peer, numbers: Iterator[int], clients: int) -> Rate:
    """Return the rate of clients with kept connections over `SECONDS`."""
    counts: list[int] = []
    begin, spent = time.monotonic(), processor_seconds(peer.pid)

    def work(_client: int) -> None:
        done = 0
        with closing(http.client.HTTPConnection("127.0.0.1", peer.port, timeout=TIMEOUT)) as connection:
            while time.monotonic() < begin + SECONDS:
                status, content = _post(connection, *peer.make(next(numbers)))
                assert status == 200, content
                done += 1
        counts.append(done)

    in_threads(clients, work)
    edges = sum(counts)
    return Rate(edges / (time.monotonic() - begin), (processor_seconds(peer.pid) - spent) / edges * 1000)


def compare(peers: Mapping[str, Peer]) -> tuple[list[tuple[str, ...]], list[Goal]]:
    """Return the rows of the table and the goals; the peers take turns."""
    numbers = itertools.count(1)
    rows: list[tuple[str, ...]] = []
    goals: list[Goal] = []
    for clients, goal in CLIENTS.items():
        rates: dict[str, list[Rate]] = {name: [] for name in peers}
        for turn in range(ROUNDS):
            for name, peer in peers.items():
                progress(f"{name}, {clients} clients, round {turn + 1}")
                rates[name].append(rate(peer, numbers, clients))
        ours, theirs = (statistics.median(each.edges for each in rates[name]) for name in peers)
        our_time, their_time = (statistics.median(each.milliseconds for each in rates[name]) for name in peers)
        who = f"{clients} client{'s' if clients > 1 else ''}"
        times = f"{our_time:.2f} ms and {their_time:.2f} ms, {their_time / our_time:.1f} times"
        rows.append((who, f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.1f}", times))
        figure = f"edges of {who}, `autoflow serve` beside `mlflow server`"
        goals.append(Goal(figure, f"≥ {goal:.0f} times", f"{ours / theirs:.1f}", ours / theirs >= goal))
    return rows, goals


def main() -> None:
    """Measure everything of this module and print it."""
    head = f"## Beside `mlflow server`\n\n{machine()}; "
    if not MLFLOW.exists():
        publish(f"{head}not measured: `make .venv-mlflow/ready` installs it.\n", [])
        return
    with (
        tempfile.TemporaryDirectory() as ours,
        tempfile.TemporaryDirectory() as theirs,
        served(ours, None) as (pid, url),
        mlflow_served(theirs) as (mlflow_pid, mlflow_port),
    ):
        with closing(Client(url)) as client:
            for number in range(1, RUNS + 1):
                client.call("autoflow.tasks.ensure", id=number)
        runs = mlflow_runs(mlflow_port)
        mlflow = Peer(mlflow_port, mlflow_pid, functools.partial(mlflow_edge, runs))
        own = Peer(int(url.rpartition(":")[2]), pid, our_edge)
        rows, goals = compare({"autoflow serve": own, "mlflow server": mlflow})
    about = f"SQLite both, edges one a request, {ROUNDS} rounds of {SECONDS:.0f} s in turn, medians."
    columns = ("clients", "edges a second here", "`log-inputs` a second", "times", "processor time an edge")
    publish(f"{head}{about}\n\n{table(columns, rows)}\n", goals)


if __name__ == "__main__":
    main()
