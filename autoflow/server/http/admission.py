"""Threads for requests: a pool for each kind of work, so that none waits for another's, shared fairly by clients."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from autoflow.errors import ServerBusy

WAIT = 20.0  # seconds for a thread
MOST_WAITING = 256  # requests of a client

T = TypeVar("T")


class Pool:
    """Threads of which one client gets half at the most.

    Args:
        threads: how many.
    """

    def __init__(self, threads: int) -> None:
        self._count = threads
        self._shares: dict[str, anyio.CapacityLimiter] = {}

    @functools.cached_property
    def _threads(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(self._count)

    @functools.cached_property
    def _unlimited(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(math.inf)

    async def run(self, client: str, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function in a thread.

        Raises:
            ServerBusy: 429, too many requests of the client wait; 503, no thread was free in time.
        """
        async with self._turn(client):
            return await anyio.to_thread.run_sync(functools.partial(function, *arguments), limiter=self._unlimited)

    @contextlib.asynccontextmanager
    async def _turn(self, client: str) -> AsyncIterator[None]:
        share = self._shares.get(client)
        if share is None:
            share = self._shares[client] = anyio.CapacityLimiter(max(self._count // 2, 1))
        if share.statistics().tasks_waiting >= MOST_WAITING:
            raise ServerBusy(f"{MOST_WAITING} requests of this client wait already", status=429, retry_after=1)
        turn = object()
        with contextlib.ExitStack() as held:
            held.callback(self._forget, client, share)
            with anyio.move_on_after(WAIT) as waiting:
                for limiter in (share, self._threads):  # its own first: so it stands in the common queue few times
                    await limiter.acquire_on_behalf_of(turn)
                    held.callback(limiter.release_on_behalf_of, turn)
            if waiting.cancelled_caught:
                raise ServerBusy("the server is busy with other requests", status=503, retry_after=1)
            yield

    def _forget(self, client: str, share: anyio.CapacityLimiter) -> None:
        if not share.borrowed_tokens and not share.statistics().tasks_waiting:
            self._shares.pop(client, None)
