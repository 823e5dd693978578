"""Threads are shared: a client that takes all it can get leaves others theirs."""

from __future__ import annotations

import threading

import anyio
import pytest

from autoflow.errors import ServerBusy
from autoflow.server.http import admission
from autoflow.server.http.admission import Pool


def test_one_client_takes_half_of_the_threads():
    """While a client's calls hang, those of another run."""

    async def main():
        pool, go, running = Pool(4), threading.Event(), []

        def hang(number):
            running.append(number)
            go.wait(30)

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(pool.run, "greedy", hang, number)
            while len(running) < 2:
                await anyio.sleep(0.01)
            for _ in range(10):
                assert await pool.run("modest", lambda: "done") == "done"
            assert len(running) == 2
            go.set()
        assert sorted(running) == list(range(20))
        assert not pool._shares

    anyio.run(main)


def test_waiting_has_its_limits(monkeypatch):
    """Too many that wait are 429, one that waits too long 503, and a call that runs is not cut short."""
    monkeypatch.setattr(admission, "MAX_WAITING", 3)
    monkeypatch.setattr(admission, "WAIT_TIMEOUT", 0.2)

    async def main():
        pool, go, statuses = Pool(2), threading.Event(), []

        async def ask():
            try:
                statuses.append(await pool.run("a", lambda: go.wait(30)))
            except ServerBusy as busy:
                statuses.append(busy.status)

        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(ask)
            while len(statuses) < 5:
                await anyio.sleep(0.01)
            go.set()
        assert statuses == [429, 429, 503, 503, 503, True]
        assert not pool._shares

    anyio.run(main)


def test_what_a_call_raises_is_raised():
    """And its thread is free again."""

    async def main():
        pool = Pool(1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await pool.run("a", lambda: 1 / 0)

    anyio.run(main)
