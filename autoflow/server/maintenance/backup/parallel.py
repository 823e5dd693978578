"""Copying of blobs by several threads: most of the time is spent waiting for disks and buckets, or hashing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

THREADS = 8
_WAITING = 4 * THREADS  # values that are read ahead
_TICK = 10.0  # seconds between two calls of `tick` while a large blob is copied

Value = TypeVar("Value")
Result = TypeVar("Result")


def for_each(
    values: Iterable[Value],
    work: Callable[[Value], Result],
    done: Callable[[Result], object],
    tick: Callable[[], object],
) -> None:
    """Call `work` for each value in threads, and `done` with each result in this thread.

    Args:
        values: are read as threads become free.
        work: its first error ends the iteration, and is raised.
        done: is called in any order.
        tick: is called in this thread now and then.
    """
    pending: set[Future[Result]] = set()

    def settle(limit: int) -> None:
        nonlocal pending
        while len(pending) > limit:
            finished, pending = wait(pending, _TICK, FIRST_COMPLETED)
            for future in finished:
                done(future.result())
            tick()

    with ThreadPoolExecutor(THREADS, "autoflow-backup") as pool:
        try:
            for value in values:
                pending.add(pool.submit(work, value))
                settle(_WAITING)
            settle(0)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
