"""For the tests of apps that use autoflow: `capture`, the fixture `autoflow_edges`, and `FaultyServer`.

As a pytest plugin (loaded by itself where autoflow is installed) it keeps a test session's records in memory, unless
``AUTOFLOW_SERVER`` says otherwise, and gives each test a fresh implicit run::

    def test_training_records_its_project(autoflow_edges):
        train(project_id=7)
        assert [(edge.direction, edge.type, edge.id) for edge in autoflow_edges()] == [("input", "project", 7)]

`FaultyServer` is a server on a real socket that misbehaves as it is told, for whoever wants to see records survive::

    with FaultyServer() as server:
        server.behave(status(503))
        train(project_id=7)            # with AUTOFLOW_SERVER=server.address: returns as fast as ever
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
