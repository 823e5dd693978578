"""Thread pools for requests: one a kind of work, so that no kind waits for another, shared fairly by clients."""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from autoflow.errors import ServerBusy
from autoflow.server.histogram import Histogram

WAIT_TIMEOUT = 20.0  # seconds to wait for a thread
MAX_WAITING = 256  # waiting requests of a client

T = TypeVar("T")


class Pool:
    """A bounded number of threads, of which one client gets at most half.

    Args:
        threads: number of threads.
    """

    def __init__(self, threads: int) -> None:
        self._count = threads
        self._shares: dict[str, anyio.CapacityLimiter] = {}
        self.waits = Histogram()
        self.in_use = 0
        self.waiting = 0

    @functools.cached_property
    def _threads(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(self._count)

    @functools.cached_property
    def _unlimited(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(math.inf)

    async def run(self, client: str, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function in a thread.

        Raises:
            ServerBusy: 429, too many requests of the client wait; 503, no thread became free in time.
        """
        async with self._slot(client):
            return await anyio.to_thread.run_sync(functools.partial(function, *arguments), limiter=self._unlimited)

    @contextlib.asynccontextmanager
    async def _slot(self, client: str) -> AsyncIterator[None]:
        share = self._shares.get(client)
        if share is None:
            share = self._shares[client] = anyio.CapacityLimiter(max(self._count // 2, 1))
        if share.statistics().tasks_waiting >= MAX_WAITING:
            raise ServerBusy(f"{MAX_WAITING} requests of this client are waiting", status=429, retry_after=1)
        borrower = object()
        with contextlib.ExitStack() as acquired:
            acquired.callback(self._remove_idle, client, share)
            began = time.monotonic()
            self.waiting += 1
            try:
                with anyio.move_on_after(WAIT_TIMEOUT) as waiting:
                    for limiter in (share, self._threads):  # in this order, few of a client wait for the common threads
                        await limiter.acquire_on_behalf_of(borrower)
                        acquired.callback(limiter.release_on_behalf_of, borrower)
            finally:
                self.waiting -= 1
                self.waits.observe(time.monotonic() - began)
            if waiting.cancelled_caught:
                raise ServerBusy("the server is busy with other requests", status=503, retry_after=1)
            self.in_use += 1
            try:
                yield
            finally:
                self.in_use -= 1

    def _remove_idle(self, client: str, share: anyio.CapacityLimiter) -> None:
        if not share.borrowed_tokens and not share.statistics().tasks_waiting:
            self._shares.pop(client, None)
