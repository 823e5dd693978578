"""A backlog drains while the app goes on recording."""

from __future__ import annotations

import pytest

import autoflow

pytestmark = [pytest.mark.core, pytest.mark.slow]

BACKLOG = 10_000


@autoflow.workflow_input("project")
def load(project_id):
    return project_id


def test_recording_goes_on_while_a_backlog_drains(server, monkeypatch):
    """The backlog and what is recorded beside it arrive, each once and in the order recorded."""
    monkeypatch.setenv("AUTOFLOW_SERVER", server.address)
    monkeypatch.setenv("AUTOFLOW_TOKEN", "t")
    server.stop()
    with autoflow.workflow("w", log=False):
        for number in range(1, BACKLOG + 1):
            load(number)
        server.start()
        assert server.wait_for(lambda: len(server.records) > 0, 60)
        last = BACKLOG
        while len(server.records) < BACKLOG:
            last += 1
            load(last)
            server.wait_for(lambda: False, 0.001)
        assert last > BACKLOG
        assert autoflow.flush(60)
    assert [edge["entity"]["id"] for edge in server.edges] == list(range(1, last + 1))
