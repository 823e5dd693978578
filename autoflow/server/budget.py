"""A bounded amount of something (bytes of memory, of disk) that all requests share, of which no client holds all."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

from autoflow.server.errors import Busy

TIMEOUT = 20.0  # seconds for others to give back


class Budget:
    """A shared amount; safe from any thread.

    Args:
        what: what there is, for messages.
        total: how much of it.
        share: how much of it one client may hold.
    """

    def __init__(self, what: str, total: int, share: int) -> None:
        self.share = share
        self._what = what
        self._total = total
        self._held: Counter[str] = Counter()
        self._condition = threading.Condition()

    def take(self, client: str, amount: int, *, wait: float = 0.0) -> None:
        """Take an amount, to be given back by `give`; at most `share`, or it is never there.

        Raises:
            ServerBusy: 503, it is not there in time.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: self._is_free(client, amount), wait):
                raise Busy(f"the {self._what} for requests is in use", retry_after=1)
            self._held[client] += amount

    def give(self, client: str, amount: int) -> None:
        """Give an amount back."""
        with self._condition:
            self._held[client] -= amount
            if not self._held[client]:
                del self._held[client]
            self._condition.notify_all()

    @contextlib.contextmanager
    def held(self, client: str, amount: int) -> Iterator[None]:
        """Hold an amount for a block, waiting for it up to `TIMEOUT` seconds.

        Raises:
            ServerBusy: as `take`.
        """
        self.take(client, amount, wait=TIMEOUT)
        try:
            yield
        finally:
            self.give(client, amount)

    def _is_free(self, client: str, amount: int) -> bool:
        return self._held[client] + amount <= self.share and self._held.total() + amount <= self._total
