"""A limit on the total time of all requests made in a block, whatever the timeout of a single request is.

The exit flush sends on the exiting thread: it must end in time however many requests it makes.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar

_deadline: ContextVar[float] = ContextVar("autoflow_time_budget", default=math.inf)  # monotonic seconds


@contextlib.contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Limit all requests made in the block to `seconds` in total; an outer limit that ends earlier stays in force."""
    token = _deadline.set(min(_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining(timeout: float) -> float:
    """Return `timeout` cut to what is left of the budget; 0 when nothing is left."""
    deadline = _deadline.get()
    return timeout if deadline == math.inf else max(0.0, min(timeout, deadline - time.monotonic()))
