"""The time for which the embedded server keeps the interpreter from an app, while it applies batches of records.

A thread of the app sleeps briefly, and takes the interpreter lock when it wakes. The switch interval is so long that
nobody is forced to release the lock: what the thread sleeps too long, while the server's thread computes, is at least
as long as that one holds it.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import time
from contextlib import closing

from measure import Goal, machine, micro, publish, summarise, table
from plain_sql import BATCH

from autoflow.server.server import Server
from autoflow.wire import methods

SECONDS = min(float(os.environ.get("BENCH_SECONDS", "10")), 10.0)
GOAL = 200.0  # µs
SLEEP = 0.0005  # seconds
BATCHES = 200  # made beforehand


def _batch(number: int) -> list[dict[str, object]]:
    return [
        {
            "key": f"{number}.{count}",
            "type": "edge",
            "run": f"r{number % 10}",
            "direction": "output",
            "entity": {"type": "folder", "id": f"/many/{number}/{count}"},
        }
        for count in range(BATCH)
    ]


def waits(seconds: float, holder: threading.Thread) -> list[int]:
    """Return by how much sleeps of this thread, after which it takes the lock, were too long, in nanoseconds.

    At most as long as another thread computed meanwhile: the rest was the machine's scheduler.
    """
    from time import clock_gettime_ns, pthread_getcpuclockid
    from time import perf_counter_ns as clock

    assert holder.ident is not None
    computing = pthread_getcpuclockid(holder.ident)
    times = []
    until = time.monotonic() + seconds
    while holder.is_alive() and time.monotonic() < until:
        begin, computed = clock(), clock_gettime_ns(computing)
        time.sleep(SLEEP)
        excess = clock() - begin - int(SLEEP * 1e9)
        if holder.is_alive():
            times.append(max(min(excess, clock_gettime_ns(computing) - computed), 0))
    return times


def main() -> None:
    """Measure and print."""
    batches = [_batch(number) for number in range(BATCHES)]
    gc.freeze()
    sys.setswitchinterval(10.0)
    over = threading.Event()
    applied = [0]
    with tempfile.TemporaryDirectory() as folder, closing(Server.open(folder)) as server:

        def ingest() -> None:
            while not over.is_set() and applied[0] < BATCHES:
                server.call(methods.RECORDS_ADD, {"records": batches[applied[0]]})
                applied[0] += 1

        sender = threading.Thread(target=ingest)
        begin = time.monotonic()
        sender.start()
        held = summarise(waits(SECONDS, sender))
        over.set()
        sender.join()
        rate = applied[0] * BATCH / (time.monotonic() - begin)
    cells = [f"{rate:,.0f} records/s", *(micro(value) for value in (held.p50, held.p99, held.longest))]
    head = f"## The interpreter beside the embedded server\n\n{machine()}; {SECONDS:.0f} s of waits for its lock."
    figures = table(("embedded server", "p50 µs", "p99 µs", "longest µs"), [cells])
    measured = f"p99 {micro(held.p99)} µs, longest {micro(held.longest)} µs"
    met = held.longest <= GOAL * 1000
    publish(f"{head}\n\n{figures}\n", [Goal("hold of the interpreter, embedded", f"≤ {GOAL:.0f} µs", measured, met)])


if __name__ == "__main__":
    main()
