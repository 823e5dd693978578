"""Payload and clocks against autoflow's own server, embedded: what it is given, it takes or refuses, and goes on."""

from __future__ import annotations

import time

import pytest

import autoflow
from autoflow.outbox import journal
from tests.reliability.kit import counts, load

pytest.importorskip("sqlalchemy")


@pytest.fixture(autouse=True)
def _embedded(monkeypatch):
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")


def inputs(run):
    graph = autoflow.Api().graph(task=run.task_id)
    return len(graph.arrows)


def test_times_far_from_the_servers_clock_are_taken(monkeypatch):
    """(39) Two days ahead, two days back, an hour's step back: all edges are there, none is refused for its time."""
    day = 86_400 * 10**9
    now = time.time_ns()
    steps = iter([now + 2 * day, now - 2 * day, 0, now, now - day // 24])
    monkeypatch.setattr(journal, "time_ns", lambda: next(steps, now))
    with autoflow.workflow("w", log=False) as run:
        for number in range(1, 9):
            run.input("folder", f"/folder {number}")
        assert autoflow.flush(60)
        assert inputs(run) == 8
    totals = counts()
    assert totals["dead"] == 0


def test_lone_surrogates_do_not_block_other_records(monkeypatch):
    """(52) A name that no database can store does not block the records behind it."""
    monkeypatch.delenv("AUTOFLOW_STRICT")
    with autoflow.workflow("w\ud800", parameters={"\ud800": "\ud800\0"}) as run:
        run.input("folder", "/a\ud800b")
        load("project \ud800")
        run.input("folder", "/fine", title="title \ud800")
        assert autoflow.flush(60)
        assert inputs(run) >= 1
    assert autoflow.flush(60)
    assert counts()["waiting"] == 0
