"""Daemon threads of autoflow: starting them, and yielding the GIL to the app's threads.

At interpreter exit a new thread either cannot be started (Python 3.12) or blocks forever before it runs. The same holds
in a process forked without Python's knowledge (`forks.fork_is_known`).

Every record of an app's thread ends in a `write()`, which releases the GIL. If the sender's thread computes just then,
the app waits for it up to the switch interval (5 ms), once a record. So the sender sleeps after each short slice of
work: briefly, or longer while the app is recording, because thread switches cost more than the work between them.
`time.sleep(0)` is not enough: it takes the GIL back before the waiting thread has woken up.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from autoflow.process.forks import fork_is_known

SLICE_SECONDS = 0.00015
YIELD_SECONDS = 0.00005
YIELD_WHILE_RECORDING_SECONDS = 0.002


def is_exiting() -> bool:
    """Return whether the interpreter is exiting: exit callbacks run, or objects are already torn down.

    False while threads of the app go on after its main thread has ended.
    """
    main = threading.main_thread()
    return sys.is_finalizing() or (threading.current_thread() is main and not main.is_alive())


def start(target: Callable[[], None], name: str) -> threading.Thread | None:
    """Start a daemon thread; return None when none can start: another process or a flush then does its work."""
    if is_exiting() or not fork_is_known():
        return None
    thread = threading.Thread(target=target, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system's limit is reached, or Python allows none
        return None
    return thread


# returns any number that changes with each record of this process; set by the outbox
recorded_bytes: Callable[[], int] = int

_slice_start = 0.0
_recorded_before = 0


def yield_gil() -> None:
    """Sleep briefly if this thread has worked for a whole slice, so that the app's threads can run."""
    global _slice_start, _recorded_before
    if time.monotonic() - _slice_start < SLICE_SECONDS:
        return
    recorded = recorded_bytes()
    time.sleep(YIELD_SECONDS if recorded == _recorded_before else YIELD_WHILE_RECORDING_SECONDS)
    _recorded_before, _slice_start = recorded, time.monotonic()
