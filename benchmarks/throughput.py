"""Throughput of the outbox: into the journal, from it to each kind of server, and the cost of a backlog.

Backlogs are made by real calls of a process that is killed before it sends; ``autoflow outbox sync`` in a fresh
process sends them. Sinks are processes of their own; the embedded server is the real one, on SQLite, its arrivals
seen by another process that reads its database.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from measure import Child, Goal, bytes_in, machine, new_home, progress, publish, sync, table
from sink import Sink

MANY = int(os.environ.get("BENCH_MANY", "100000"))
SOME = int(os.environ.get("BENCH_SOME", "5000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
IDLE = float(os.environ.get("BENCH_IDLE", "10"))
AWAY = "http://127.0.0.1:9"
LEFT = 50  # records of a process that dies beside a living one


class Sent(NamedTuple):
    """Result of sending a backlog."""

    kept: int
    first: float  # seconds from the start of the process that sends to the first arrival
    rate: float  # records a second from the first arrival to the last
    full: int  # bytes of the outbox before
    raw: int  # bytes of the records alone
    left: int  # bytes of the outbox after


def _raw(outbox: str) -> int:
    """Bytes of the JSON of all records in an outbox, without what the journal adds to a line."""
    from pathlib import Path

    return sum(len(line) - 9 for file in Path(outbox).rglob("*.journal") for line in file.read_bytes().splitlines())


def send(kind: str, count: int) -> Sent:
    """Fill an outbox with a backlog, then send it."""
    with new_home() as home:
        outbox = os.path.join(home, "outbox")
        sink_kind = f"embedded:{os.path.join(home, 'platform', 'platform.db')}" if kind == "embedded" else kind
        peer = "AutoflowInstance" if kind == "instance" else "AutoflowServer"
        with Sink(sink_kind) as sink:
            with Child(peer, sink.address, "fill", home=home, limit=600, count=count, warm=False) as child:
                child.says()
                child.ends()
            full, raw = bytes_in(outbox), _raw(outbox)
            begin = time.monotonic_ns()
            sync(home).wait()
            sink.settled(count, quiet=2.0)
            arrivals = sink.seen()
            moments = sorted(arrivals.values())
            seconds = max((moments[-1] - moments[0]) / 1e9, 1e-9)
            return Sent(len(arrivals), (moments[0] - begin) / 1e9, len(arrivals) / seconds, full, raw, bytes_in(outbox))


def journal() -> tuple[list[tuple[str, str]], list[Goal]]:
    """Records a second into the journal, one thread."""
    from autoflow.outbox.journal import Journal

    members = b'"type":"edge","direction":"input","kind":"job","subject":{"id":123456},"run":"0123456789abcdef01234567"'
    rates = []
    for _ in range(ROUNDS):
        with new_home() as home:
            written = Journal(home, "https://example.org", quota=8 << 30)
            begin = time.perf_counter()
            for _ in range(50_000):
                written.append(members)
            rates.append(50_000 / (time.perf_counter() - begin))
    calls = []
    for _ in range(ROUNDS):
        child_options = {"count": 50_000, "warm": False}
        with new_home() as home, Child("AutoflowServer", AWAY, "fill", home=home, **child_options) as child:
            calls.append(50_000 / child.says())
    written_rate, call_rate = statistics.median(rates), statistics.median(calls)
    rows = [
        ("journal alone, one write a record, one thread", f"{written_rate:,.0f} records/s"),
        ("decorated calls into the journal, one thread", f"{call_rate:,.0f} records/s"),
    ]
    goal = Goal("into the journal, one thread", "≥ 50,000 records/s", f"{call_rate:,.0f}", call_rate >= 50_000)
    return rows, [goal]


def takeover() -> tuple[list[tuple[str, str]], list[Goal]]:
    """From the death of a process to the arrival of its last record, sent by a living one beside it."""
    waits = []
    for _ in range(ROUNDS):
        child_options = {"pause": 0, "warm": False}
        with (
            new_home() as home,
            Sink("server") as sink,
            Child("AutoflowServer", sink.address, "visible", home=home, count=1, **child_options) as alive,
        ):
            alive.says()
            sink.settled(1, quiet=5.0)
            # its numbers are 1 to LEFT, and 1 is there already
            with Child("AutoflowServer", sink.address, "fill", home=home, count=LEFT, **child_options) as dying:
                dying.ends()
            died = time.monotonic_ns()
            sink.settled(LEFT, quiet=10.0)
            arrivals = sink.seen()
            waits.append((max(arrivals.values()) - died) / 1e9 if len(arrivals) == LEFT else float("inf"))
    longest = max(waits)
    rows = [("taking over a dead process's journal, the longest of " + str(ROUNDS), f"{longest:.2f} s")]
    return rows, [Goal("taking over a dead process's journal", "< 2 s", f"{longest:.2f} s", longest < 2)]


def idle() -> tuple[list[tuple[str, str]], list[Goal]]:
    """Measure the idle cost of a process."""
    with (
        new_home() as home,
        Sink("server") as sink,
        Child("AutoflowServer", sink.address, "idle", home=home, seconds=IDLE) as child,
    ):
        result = child.says()
    shown = f"{result['cpu']:.3%} CPU, {result['threads']} thread, {result['grown']} descriptors more"
    met = result["cpu"] < 0.001 and result["threads"] == 1 and result["grown"] == 0
    goal = Goal("idle", "< 0.1 % CPU, 1 thread, 0 descriptors more", shown, met)
    return [(f"idle for {IDLE:g} s", shown)], [goal]


def tax() -> tuple[list[tuple[str, str]], list[Goal]]:
    """Measure what import, one record and exit add to an empty script."""
    script = "import autoflow\n@autoflow.workflow_input('job')\ndef load(job_id): pass\nload(1)\n"
    added, imported = [], []
    with new_home() as home, Sink("server") as sink:
        environment = {**os.environ, "AUTOFLOW_HOME": home, "AUTOFLOW_SERVER": sink.address, "AUTOFLOW_TOKEN": "t"}

        def seconds(code: str) -> float:
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], env=environment, check=True)
            return time.perf_counter() - begin

        for _ in range(ROUNDS):
            empty = seconds("pass")
            imported.append(seconds("import autoflow") - empty)
            added.append(seconds(script) - empty)
    median_seconds = statistics.median(added)
    rows = [
        ("import autoflow, over an empty script", f"{statistics.median(imported) * 1000:.0f} ms"),
        ("import, one record, exit with the server up, over an empty script", f"{median_seconds * 1000:.0f} ms"),
    ]
    return rows, [Goal("import to exit", "≤ 100 ms", f"{median_seconds * 1000:.0f} ms", median_seconds <= 0.1)]


def sending() -> tuple[list[tuple[str, str]], list[Goal]]:
    """Backlogs to each kind of server."""
    progress(f"backlog of {MANY:,} to a server")
    batches = send("server", MANY)
    progress(f"backlog of {SOME:,} to an instance")
    single = send("instance", SOME)
    progress(f"backlog of {SOME:,} to the embedded server")
    embedded = send("embedded", SOME)
    live = batches.full / batches.raw
    rows = [
        ("one edge a request, to a local instance", f"{single.rate:,.0f} records/s ({single.kept:,} of {SOME:,})"),
        ("batches, to a local server", f"{batches.rate:,.0f} records/s ({batches.kept:,} of {MANY:,})"),
        ("the real embedded server, on SQLite", f"{embedded.rate:,.0f} records/s ({embedded.kept:,} of {SOME:,})"),
        (f"backlog of {MANY:,}: first record sent after the start of a process", f"{batches.first:.2f} s"),
        (f"backlog of {MANY:,}: disk", f"{batches.full / MANY:.0f} bytes a record, {live:.2f} of the records alone"),
        (f"backlog of {MANY:,}: disk once sent", f"{batches.left:,} bytes"),
    ]
    goals = [
        Goal("sending, one a request", "≥ 1,500 records/s", f"{single.rate:,.0f}", single.rate >= 1500),
        Goal("sending, in batches", "≥ 25,000 records/s", f"{batches.rate:,.0f}", batches.rate >= 25_000),
        Goal(f"first of {MANY:,} sent after start", "< 2 s", f"{batches.first:.2f} s", batches.first < 2),
        Goal("disk while waiting", "≤ 1.3 of the records", f"{live:.2f}", live <= 1.3),
        Goal("disk once all is sent", "< 1 MiB", f"{batches.left:,} bytes", batches.left < 1 << 20),
        Goal(
            "lost of the backlogs",
            "0",
            str(MANY + 2 * SOME - batches.kept - single.kept - embedded.kept),
            (batches.kept, single.kept, embedded.kept) == (MANY, SOME, SOME),
        ),
    ]
    return rows, goals


def main() -> None:
    """Measure everything of this module and print it."""
    rows: list[tuple[str, str]] = []
    goals: list[Goal] = []
    for part in (journal, sending, takeover, idle, tax):
        progress(part.__name__)
        result, promised = part()
        rows += result
        goals += promised
    head = (
        f"## Throughput of the outbox\n\n{machine()}; medians of {ROUNDS} where one figure is given for several runs."
    )
    publish(f"{head}\n\n{table(('what', 'measured'), rows)}\n", goals)


if __name__ == "__main__":
    main()
