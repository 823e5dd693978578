"""The status of a run is shown wherever the run is: its last record, an end reported by a parent, no attribution."""

from __future__ import annotations

import time

import pytest

from autoflow.graph.graph import Graph
from autoflow.graph.render.ancestry import render_trace
from autoflow.graph.render.svg import render_svg
from autoflow.graph.render.text import render_text
from autoflow.graph.trace import Trace

MINUTE = 60 * 10**9


@pytest.fixture
def shown(filled):
    """A function that returns the texts of a run's graph, trace and SVG, and its page."""

    def show(number):
        graph = Graph.from_json(filled.call("autoflow.graph", task=number))
        trace = Trace.from_json(filled.call("autoflow.trace", ref=f"task:{number}"))
        return (
            render_text(graph),
            render_trace(trace),
            render_svg(graph),
            filled.call("autoflow.overview.run", id=number),
        )

    return show


def test_a_running_run_shows_its_last_sign_of_life(filled, shown):
    """The time of its last record: an edge, a log line, else its start."""
    now = time.time_ns()
    filled.send(filled.record("run", "r", name="Train", at=now - 300 * MINUTE))
    number = filled.call("autoflow.runs.ensure", run="r")["task"]
    project = filled.project()
    for minutes, more in ((200, None), (125, ("log", {"lines": "epoch 1"})), (4, ("edge", {}))):
        if more is not None:
            entity = {"type": "project", "id": project, "origin": ""}
            members = more[1] or {"direction": "input", "entity": entity}
            filled.send(filled.record(more[0], "r", at=now - minutes * MINUTE, **members))
        graph, trace, picture, page = shown(number)
        words = {200: "5 h ago", 125: "2 h ago", 4: "4 min ago"}[minutes]
        assert f"running, last activity {words}" in graph
        assert f"running, last activity {words}" in trace
        assert f"running, last activity {words}" in picture
        assert page["seenAt"] is not None
    filled.send(filled.record("finish", "r", state="finished"))
    graph, trace, picture, page = shown(number)
    assert "last activity" not in graph + trace + picture
    assert page["seenAt"] is None


def test_an_unattributed_run_is_marked(filled, shown):
    """In the graph, the trace, the SVG and on its page."""
    filled.send(
        filled.record("run", "r", name="Train", unattributed=True), filled.record("finish", "r", state="finished")
    )
    number = filled.call("autoflow.runs.ensure", run="r")["task"]
    graph, trace, picture, page = shown(number)
    assert "finished, unattributed" in graph
    assert "finished, unattributed" in trace
    assert "finished, unattributed" in picture
    assert page["facts"]["unattributed"] is True
    (card,) = filled.call("autoflow.scene", task=number)["cards"]
    assert card["unattributed"] is True


def test_an_end_that_a_parent_reports_is_kept(filled, shown):
    """A takeover's later `lost` is ignored."""
    filled.send(filled.record("run", "r", name="Train"), filled.record("finish", "r", state="lost"))
    filled.send(filled.record("finish", "r", state="ended"), filled.record("finish", "r", state="lost"))
    number = filled.call("autoflow.runs.ensure", run="r")["task"]
    assert filled.call("tasks.info", id=number)["status"] == "finished"
    graph, trace, picture, page = shown(number)
    assert page["state"] == "ended"
    for form in (graph, trace, picture):
        assert "ended" in form
