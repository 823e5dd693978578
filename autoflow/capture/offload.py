"""Blocking work of a coroutine, run in a thread of its async library."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

logger = logging.getLogger("autoflow")

_BLOCKED = "saving a version blocks its event loop"


async def in_thread(work: Callable[[], object]) -> None:
    """Run blocking work in a thread, so that the event loop continues; in the loop itself when no thread is available.

    The work runs exactly once, unless the coroutine is cancelled while it waits for a free thread. A cancelled
    coroutine does not wait for running work.

    Raises:
        Exception: what the work raised.
    """
    started = False

    def run() -> None:
        nonlocal started
        started = True
        work()

    to_thread = _thread_runner()
    if to_thread is None:
        logger.warning("autoflow: a coroutine runs under neither asyncio nor trio: %s", _BLOCKED)
    else:
        try:
            await to_thread(run)
        except Exception as error:
            if started:
                raise
            logger.warning(
                "autoflow: no thread is available to a coroutine: %s",
                _BLOCKED,
                exc_info=error,
            )
        else:
            return
    work()


def _thread_runner() -> Callable[[Callable[[], None]], Awaitable[Any]] | None:
    """Return the async library's function that runs another in a thread; anyio runs on either of the two libraries.

    The innermost task decides, because trio may run as a guest of asyncio's event loop.
    """
    asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
    if asyncio is not None and _runs_in_task(asyncio.current_task):
        return asyncio.to_thread  # type: ignore[no-any-return]
    if trio is not None and _runs_in_task(trio.lowlevel.current_task):
        return functools.partial(trio.to_thread.run_sync, abandon_on_cancel=True)
    return None


def _runs_in_task(current_task: Callable[[], object]) -> bool:
    try:
        return current_task() is not None
    except RuntimeError:  # no event loop of that library runs in this thread
        return False
