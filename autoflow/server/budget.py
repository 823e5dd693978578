"""A bounded resource (bytes of memory or disk) that all requests share; no client can hold all of it."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

from autoflow.server.errors import Busy

TIMEOUT = 20.0  # seconds to wait for others to release


class Budget:
    """A shared amount; thread-safe.

    Args:
        resource: its name, for messages.
        total: the whole amount.
        share: the largest amount of one client.
    """

    def __init__(self, resource: str, total: int, share: int) -> None:
        self.share = share
        self._resource = resource
        self._total = total
        self._held: Counter[str] = Counter()
        self._condition = threading.Condition()

    def take(self, client: str, amount: int, *, wait: float = 0.0) -> None:
        """Acquire an amount of at most `share`; release it by `give`.

        Raises:
            Busy: it is not available in time.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: self._is_free(client, amount), wait):
                raise Busy(f"the {self._resource} for requests is in use", retry_after=1)
            self._held[client] += amount

    def give(self, client: str, amount: int) -> None:
        """Release an amount."""
        with self._condition:
            self._held[client] -= amount
            if not self._held[client]:
                del self._held[client]
            self._condition.notify_all()

    @contextlib.contextmanager
    def held(self, client: str, amount: int) -> Iterator[None]:
        """Hold an amount for a block, waiting for it up to `TIMEOUT` seconds.

        Raises:
            Busy: as `take`.
        """
        self.take(client, amount, wait=TIMEOUT)
        try:
            yield
        finally:
            self.give(client, amount)

    def _is_free(self, client: str, amount: int) -> bool:
        return self._held[client] + amount <= self.share and self._held.total() + amount <= self._total
