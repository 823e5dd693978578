"""For the tests of apps that use autoflow: `capture`, the fixture `autoflow_edges`, and `FaultyServer`.

As a pytest plugin (loaded automatically where autoflow is installed) it keeps a session's records in memory, unless
``AUTOFLOW_SERVER`` is set, and gives each test a new implicit run::

    def test_training_records_its_project(autoflow_edges):
        train(project_id=7)
        assert [(edge.direction, edge.type, edge.id) for edge in autoflow_edges()] == [("input", "project", 7)]

`FaultyServer` is a server on a real socket with programmable faults, for tests that records survive them::

    with FaultyServer() as server:
        server.behave(status(503))
        train(project_id=7)            # with AUTOFLOW_SERVER=server.address: returns without waiting
        server.behave(well)
        autoflow.flush()
        assert len(server.edges) == 1

All of it with examples: docs/testing.md.
"""

from __future__ import annotations

from autoflow.testing.capture import Captured, Edge, capture
from autoflow.testing.faulty import (
    Exchange,
    FaultyServer,
    cut,
    hang,
    late,
    omit,
    page,
    partly,
    redirect,
    slow,
    status,
    well,
)

__all__ = [
    "Captured",
    "Edge",
    "Exchange",
    "FaultyServer",
    "capture",
    "cut",
    "hang",
    "late",
    "omit",
    "page",
    "partly",
    "redirect",
    "slow",
    "status",
    "well",
]
