"""What a page of a large store asks for is read by indexes: the store may grow without it."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from tests.postgres import on_sqlite


@on_sqlite
@pytest.mark.parametrize("entry", ["project", "task", "file"])
def test_no_graph_reads_a_whole_table(filled, entry):
    """Around one thing, no statement of a graph scans a table that grows with the store."""
    project = filled.project()
    filled.snapshot(project)
    file = filled.file()["id"]
    filled.edge("input", "project", project)
    filled.edge("output", "file", file)
    filled.edge("output", "task", 1, run="r2", entity_origin="http://x")
    engine = filled.server._context.store._engine
    plans = []

    def explain(_connection, cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            plans.extend((row[3], statement) for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    event.listen(engine, "before_cursor_execute", explain)
    graph = filled.graph(**{entry: {"project": project, "task": 1, "file": file}[entry]})
    event.remove(engine, "before_cursor_execute", explain)
    assert len(graph["cards"]) >= 3
    assert len(plans) > 5
    grow = {"edges", "tasks", "projects", "versions", "items", "datasets", "files", "runs", "entities"}
    assert [plan for plan in plans if plan[0].startswith("SCAN") and plan[0].split()[1] in grow] == []


@on_sqlite
@pytest.mark.parametrize("ref", ["image:1", "project:1", "version:1", "dataset:1", "file:1"])
def test_no_impact_reads_a_whole_table(filled, ref):
    """Neither of an image nor of an entity."""
    project = filled.project()
    dataset = filled.dataset(project)
    filled.image(dataset)
    version, file = filled.snapshot(project)["id"], filled.file()["id"]
    for direction, entity_type, number in (
        ("input", "project", project),
        ("input", "project_version", version),
        ("input", "dataset", dataset),
        ("output", "file", file),
    ):
        filled.edge(direction, entity_type, number)
    engine = filled.server._context.store._engine
    plans = []

    def explain(_connection, cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            plans.extend((row[3], statement) for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    event.listen(engine, "before_cursor_execute", explain)
    filled.call("autoflow.impact", ref=ref)
    event.remove(engine, "before_cursor_execute", explain)
    assert len(plans) > 5
    grow = {"edges", "tasks", "versions", "items", "items_history", "datasets", "files", "entities"}
    assert [plan for plan in plans if plan[0].startswith("SCAN") and plan[0].split()[1] in grow] == []
