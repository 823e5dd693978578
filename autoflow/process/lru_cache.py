"""A bounded cache that discards what was used longest ago."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from autoflow.process.forks import ProcessLock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """Values by key, up to a total weight; safe for threads and forks. A value is never None.

    Args:
        capacity: the largest total weight; an entry above a quarter of it is not stored if entries have weights.
        weight: of an entry, by its key; without it each weighs 1, so that the capacity is a number of entries.
    """

    def __init__(self, capacity: int, weight: Callable[[K], int] | None = None) -> None:
        self._capacity = capacity
        self._weight = weight or (lambda key: 1)
        self._largest = capacity // 4 if weight else 1
        self._total = 0
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._lock = ProcessLock()

    def get(self, key: K) -> V | None:
        """Return the value of a key and mark it as used; None without one."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    def put(self, key: K, value: V) -> None:
        """Store a value, and discard the least recently used ones that no longer fit."""
        weight = self._weight(key)
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            elif weight > self._largest:
                return
            else:
                self._total += weight
            self._entries[key] = value
            while self._total > self._capacity:
                self._total -= self._weight(self._entries.popitem(last=False)[0])

    def discard(self, matches: Callable[[K], bool]) -> None:
        """Remove the entries whose keys match."""
        with self._lock:
            for key in [key for key in self._entries if matches(key)]:
                del self._entries[key]
                self._total -= self._weight(key)

    def get_or_create(self, key: K, create: Callable[[K], V]) -> V:
        """Return the value of a key, computing it outside the lock if it is missing.

        Two threads that miss the same key at once both compute it.
        """
        value = self.get(key)
        if value is None:
            value = create(key)
            self.put(key, value)
        return value

    def __len__(self) -> int:
        return len(self._entries)
