"""Results kept for who asks the same again, up to a weight; what was asked for longest ago is given up first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Asked = TypeVar("Asked", bound=Hashable)
Result = TypeVar("Result")


class Kept(Generic[Asked, Result]):
    """A function of values whose results are kept; for any number of threads.

    Args:
        made: computes a result; nobody changes one.
        weight: of what is asked.
        most: the weight of all that is kept; what weighs more than a quarter of it is not.
    """

    def __init__(self, made: Callable[[Asked], Result], weight: Callable[[Asked], int], most: int) -> None:
        self._made = made
        self._weight = weight
        self._most = most
        self._total = 0
        self._results: OrderedDict[Asked, Result] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Result:
        """The result, kept or made."""
        with self._lock:
            if asked in self._results:
                self._results.move_to_end(asked)
                return self._results[asked]
        result = self._made(asked)
        weight = self._weight(asked)
        if 4 * weight <= self._most:
            with self._lock:
                if asked not in self._results:
                    self._results[asked] = result
                    self._total += weight
                while self._total > self._most:
                    self._total -= self._weight(self._results.popitem(last=False)[0])
        return result
