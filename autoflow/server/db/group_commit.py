"""Group commit: small writes that wait while another one commits are committed together, by the first of them.

The first write of a group leads: it commits by itself, at once. Writes that arrive meanwhile wait, and the first of
these leads the next group. So a lone writer waits for nobody, and many writers share one transaction.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from autoflow.errors import ServerBusy
from autoflow.server.errors import Busy

MOST = 64  # writes of a group

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Entry(Generic[Item]):
    """A write, and its outcome once its group is committed."""

    __slots__ = ("error", "item", "leads", "ready", "result")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.ready = threading.Event()
        self.leads = False
        self.result: Any = None
        # for those that wait for a leader whose thread is interrupted
        self.error: Exception | None = Busy("the write was interrupted", retry_after=1.0)


class GroupCommit:
    """Queues of writes, by what may be committed together; safe in forked children, whose queues are empty."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._queues: dict[Hashable, deque[_Entry[Any]]] = {}  # of those whose leader is at work

    def submit(self, key: Hashable, item: Item, commit: Callable[[list[Item]], Sequence[Result]]) -> Result:
        """Commit a write, together with others of its key that wait.

        Args:
            key: equal for writes that one transaction may commit.
            item: the write.
            commit: commits a group of writes, all or none, and returns their results in order.

        Raises:
            Exception: that of `commit`, for the whole group if the server is busy, else for this write alone.
        """
        if self._pid != os.getpid():
            self._reset()
        entry = _Entry(item)
        with self._lock:
            waiting = self._queues.get(key)
            if waiting is None:
                self._queues[key] = deque()
                entry.leads = True
            else:
                waiting.append(entry)
        if not entry.leads:
            entry.ready.wait()
        if entry.leads:
            self._lead(key, entry, commit)
        if entry.error is not None:
            raise entry.error
        result: Result = entry.result
        return result

    def _lead(self, key: Hashable, entry: _Entry[Item], commit: Callable[[list[Item]], Sequence[Any]]) -> None:
        with self._lock:
            waiting = self._queues[key]
            group = [entry, *(waiting.popleft() for _ in range(min(len(waiting), MOST - 1)))]
        try:
            _commit_each(group, commit)
        finally:
            with self._lock:
                if waiting:
                    waiting[0].leads = True
                    group.append(waiting.popleft())
                else:
                    del self._queues[key]
            for other in group[1:]:
                other.ready.set()


def _commit_each(group: list[_Entry[Any]], commit: Callable[[list[Any]], Sequence[Any]]) -> None:
    """Commit a group; if that fails for a reason that may lie in one of its writes, each by itself."""
    with contextlib.suppress(Exception):
        _commit(group, commit)
    if len(group) > 1 and group[0].error is not None and not isinstance(group[0].error, ServerBusy):
        for entry in group:
            with contextlib.suppress(Exception):
                _commit([entry], commit)


def _commit(group: list[_Entry[Any]], commit: Callable[[list[Any]], Sequence[Any]]) -> None:
    """Commit writes together; an error is also kept for the threads that wait for them."""
    try:
        results = commit([entry.item for entry in group])
    except Exception as error:
        for entry in group:
            entry.error = error
        raise
    for entry, result in zip(group, results, strict=True):
        entry.result, entry.error = result, None
