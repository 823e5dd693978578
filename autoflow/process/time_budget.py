"""How long a caller is willing to wait for all it asks for, whatever a single request may take.

An exit that sends on its own thread must end in time, however many requests it makes.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar

_until: ContextVar[float] = ContextVar("autoflow_patience", default=math.inf)  # monotonic seconds


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Give what is asked of servers in the block so long, all together."""
    token = _until.set(min(_until.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _until.reset(token)


def capped(seconds: float) -> float:
    """How long a request may take that would be given `seconds`; 0 when the patience is at its end."""
    until = _until.get()
    return seconds if until == math.inf else max(0.0, min(seconds, until - time.monotonic()))
