"""Writers of one process take turns."""

from __future__ import annotations

import threading

import pytest

from autoflow.errors import ServerBusy
from autoflow.server.db import write_lock
from autoflow.server.db.write_lock import WriteLock


def test_one_writer_at_a_time():
    """While one has the turn another waits, and then has it."""
    lock = WriteLock()
    order = []

    def second():
        with lock.hold():
            order.append("second")

    with lock.hold():
        thread = threading.Thread(target=second)
        thread.start()
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]


def test_waiting_is_bounded(monkeypatch):
    """A writer that waited too long is told to come again, and costs nobody the turn."""
    monkeypatch.setattr(write_lock, "TIMEOUT", 0.01)
    lock = WriteLock()
    with lock.hold(), pytest.raises(ServerBusy, match="too much"), lock.hold():
        pass
    with lock.hold():
        pass


def test_a_forked_child_has_its_own_turns(monkeypatch):
    """Whoever had the turn when the process forked is not in the child."""
    monkeypatch.setattr(write_lock, "TIMEOUT", 0.01)
    lock = WriteLock()
    with lock.hold():
        monkeypatch.setattr(write_lock.os, "getpid", lambda: -1)
        with lock.hold():
            pass
