"""Breaths for the sender's thread.

Every record of the app's threads ends in a `write()`, which gives the interpreter lock away; a thread that computes
meanwhile keeps the app waiting for it, up to the switch interval (5 ms), once a record. So the sender stops whenever
it has computed for a short while: for an instant, or, if the app is recording right now, for so long that few of its
records meet the sender at all (it is the change from thread to thread that costs, more than the work between two).
A sleep of nothing would not do: the lock is given back and taken again before the thread that waits for it has woken.
"""

from __future__ import annotations

import time
from collections.abc import Callable

WORK_SECONDS = 0.00015
BREATH_SECONDS = 0.00005
BREATH_BESIDE_RECORDING_SECONDS = 0.002

# tells how much this process has recorded, by any number that changes with each record; set by the outbox
recorded: Callable[[], int] = int

_since = 0.0
_seen = 0


def breathe() -> None:
    """Let the app's threads have the interpreter lock, if this one has worked for a while."""
    global _since, _seen
    if time.monotonic() - _since < WORK_SECONDS:
        return
    now = recorded()
    time.sleep(BREATH_SECONDS if now == _seen else BREATH_BESIDE_RECORDING_SECONDS)
    _seen, _since = now, time.monotonic()
