"""A process that is measured: it sets one client up, does one thing with it, and says what it saw.

Each line it prints is one JSON value for the process that started it; where it has to wait for the sink to change, it
reads a line.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from measure import summarise
from peers import PEERS, Peer

FLUSH_SECONDS = 30.0


def say(value: Any) -> None:
    print(json.dumps(value), flush=True)


def wait() -> None:
    sys.stdin.readline()


def resident() -> int:
    """Bytes of memory this process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def paced(seconds: float, pause: float, first: int) -> Iterator[int]:
    """Numbers, one each `pause` seconds; a call that takes longer delays the next, it does not skip it."""
    end = time.monotonic() + seconds
    due = time.monotonic()
    number = first
    while time.monotonic() < end:
        yield number
        number += 1
        due = max(due + pause, time.monotonic())
        time.sleep(due - time.monotonic() if due > time.monotonic() else 0)


def timed(peer: Peer, numbers: Iterable[int]) -> tuple[list[int], int, int]:
    """Record; nanoseconds of each call, how many calls raised, the last number."""
    times, raised, number = [], 0, 0
    for number in numbers:
        begin = time.perf_counter_ns()
        try:
            peer.record(number)
        except Exception:
            raised += 1
        times.append(time.perf_counter_ns() - begin)
    return times, raised, number


def hot(peer: Peer, options: dict[str, Any]) -> None:
    """Calls in a tight loop, for a number of calls or of seconds, whichever is over first."""
    end = time.monotonic() + options["seconds"]

    def numbers() -> Iterator[int]:
        number = 1
        while number <= options["calls"] and (number < 10 or time.monotonic() < end):
            yield number
            number += 1

    say(summarise(timed(peer, numbers())[0]))
    os._exit(0)


def cold(peer: Peer, options: dict[str, Any]) -> None:
    """Calls with a pause between them."""
    say(summarise(timed(peer, paced(options["seconds"], options["pause"], 1))[0]))
    os._exit(0)


def leave(peer: Peer, options: dict[str, Any]) -> None:
    """Record, then leave in some way."""
    numbers = range(1, options["count"] + 1)
    if options["how"] == "fork":
        child = multiprocessing.get_context("fork").Process(target=_all, args=(peer, numbers))
        child.start()
        child.join()
        return
    _all(peer, numbers)
    WAYS[options["how"]]()


def _all(peer: Peer, numbers: Iterable[int]) -> None:
    for number in numbers:
        peer.record(number)


def _signal(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


WAYS: dict[str, Callable[[], object]] = {
    "normal exit": lambda: None,
    "os._exit": lambda: os._exit(0),
    "SIGTERM": _signal(signal.SIGTERM),
    "SIGKILL": _signal(signal.SIGKILL),
}


def outage(peer: Peer, options: dict[str, Any]) -> None:
    """Record at a steady pace while the server is there, gone, and back; then flush, close and leave."""
    first, made, raised = 1, 0, 0
    phases, memory = [], []
    for phase in ("before", "during", "after"):
        memory.append(resident())
        times, failed, last = timed(peer, paced(options[phase], options["pause"], first))
        memory.append(resident())
        phases.append(summarise(times))
        raised += failed
        made, first = last, last + 1
        say(phase)
        wait()  # for the sink to change
    peer.flush(FLUSH_SECONDS)
    peer.close()
    say({"made": made, "raised": raised, "phases": phases, "grown": memory[3] - memory[2]})


def depart(peer: Peer, options: dict[str, Any]) -> None:
    """Record a little while the server behaves in some way, then leave in good order."""
    say("ready")
    wait()
    end = time.monotonic() + 2.0
    made = raised = 0
    while made < options["count"] and time.monotonic() < end:
        made += 1
        try:
            peer.record(made)
        except Exception:
            raised += 1
    say({"made": made, "raised": raised, "left": time.monotonic()})


def visible(peer: Peer, options: dict[str, Any]) -> None:
    """Record now and then; when each record was made, on the monotonic clock."""
    made = {}
    for number in range(1, options["count"] + 1):
        made[number] = time.monotonic_ns()
        peer.record(number)
        time.sleep(options["pause"] * random.uniform(0.5, 1.5))
    say(list(made.items()))
    wait()  # until the sink has them
    os._exit(0)


def burst(peer: Peer, options: dict[str, Any]) -> None:
    """Record in a tight loop, flush, and leave in good order."""
    begin = time.monotonic_ns()
    _all(peer, range(1, options["count"] + 1))
    peer.flush(FLUSH_SECONDS)
    peer.close()
    say(begin)


def fill(peer: Peer, options: dict[str, Any]) -> None:
    """Leave a backlog of autoflow's behind, made by real calls of a process that never gets to send."""
    begin = time.perf_counter()
    _all(peer, range(1, options["count"] + 1))
    say(time.perf_counter() - begin)
    os.kill(os.getpid(), signal.SIGKILL)


def mute() -> None:
    """Keep autoflow in this process from sending, and from refusing records that no disk would hold for long."""
    from functools import partial

    from autoflow.outbox import outbox
    from autoflow.outbox.sender import Sender

    Sender.wake = lambda self: None  # type: ignore[method-assign]
    outbox.Journal = partial(outbox.Journal, quota=8 << 30)  # type: ignore[misc,assignment]


def idle(peer: Peer, options: dict[str, Any]) -> None:
    """Do nothing after a few records."""
    _all(peer, range(1, 11))
    peer.flush(FLUSH_SECONDS)
    time.sleep(1)
    descriptors, spent = len(os.listdir("/proc/self/fd")), time.process_time()
    time.sleep(options["seconds"])
    say(
        {
            "cpu": (time.process_time() - spent) / options["seconds"],
            "threads": threading.active_count() - 1,
            "grown": len(os.listdir("/proc/self/fd")) - descriptors,
        }
    )


ACTIONS = (hot, cold, leave, outage, depart, visible, burst, fill, idle)


def main() -> None:
    """`child.py CLIENT ADDRESS ACTION OPTIONS`."""
    peer_name, address, action, options_json = sys.argv[1:]
    if action == "fill":
        mute()
    peer = next(candidate for candidate in PEERS if candidate.__name__ == peer_name)()
    peer.set_up(address)
    options = json.loads(options_json)
    if options.get("warm", True):
        try:
            peer.record(0)
        except Exception:
            say("the first call raised")
    next(candidate for candidate in ACTIONS if candidate.__name__ == action)(peer, options)


if __name__ == "__main__":
    main()
