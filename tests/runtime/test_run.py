"""A run, as its author uses it: `run.input`, `run.output`, `run.node`, and what it knows."""

from __future__ import annotations

import logging

import pytest

from autoflow import WorkflowMeta, WorkflowSettings, cards, current_run, flush, select, workflow
from autoflow.errors import CardError, DecorationError, UnknownKindError
from autoflow.runtime import entity_resolution
from autoflow.runtime.recorder import MAX_DEDUPLICATED, MAX_FAILURES

pytestmark = pytest.mark.core


def _nodes(captured):
    return [record["node"] for record in captured.records if record["type"] == "node"]


@pytest.fixture(autouse=True)
def _warn_again(monkeypatch):
    monkeypatch.setattr(entity_resolution, "_warned", set())


@pytest.mark.parametrize("kind", ["project", "dataset", "file", "task", "job"])
def test_every_kind_in_both_directions(recorded_edges, kind):
    """The imperative form says what the decorators say."""
    run = current_run()
    run.input(kind, 7)
    run.output(kind, 7)
    assert recorded_edges() == [("input", kind, 7), ("output", kind, 7)]


def test_folders_and_the_app_session(captured):
    """A folder by its path; the session is the run's own."""
    run = current_run()
    run.input("folder", "a/b")
    run.output("folder", "/a/b")
    run.output("app")
    flush()
    assert [(edge.type, edge.id) for edge in captured.edges] == [
        ("folder", "/a/b"),
        ("folder", "/a/b"),
        ("app_session", run.task_id),
    ]


def test_it_takes_the_decorators_options(captured):
    """Templates over the value, cards, conditions, versions, another task."""
    run = current_run()
    run.output("file", {"id": 9, "name": "a.zip", "teamId": 4}, card=cards.archive, node_title="N")
    run.output("file", "/w.pt", model_weight=True, title="{value.name}", description=lambda call: call.value)
    run.input("project", 7, version=12, when=lambda call: call.value == 7)
    run.input("project", 8, when=lambda call: False)
    run.input("project", [1, None, 2], meta=WorkflowMeta(WorkflowSettings(title="M")))
    edges = captured.edges
    assert [(edge.type, edge.id) for edge in edges] == [
        ("file", 9),
        ("model_weight", "/w.pt"),
        ("project_version", 12),
        ("project", 1),
        ("project", 2),
    ]
    assert edges[0].card["link"]["url"] == "/files/9/true/?teamId=4"
    assert edges[0].node == {"title": "N"}
    assert edges[1].card == {"title": "w.pt", "description": "/w.pt"}
    assert edges[3].card == {"title": "M"}


def test_the_result_of_an_imperative_call_is_none(captured):
    """A text that asks for one is left out, the edge is not."""
    current_run().input("project", 7, title="{result.name}", description="D")
    current_run().node(title="{result}", description="N")
    assert captured.edges[0].card == {"description": "D"}
    assert _nodes(captured) == [{"description": "<small>N</small>"}]


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("projct", {}, UnknownKindError),
        ("project", {"titel": "x"}, DecorationError),
        ("project", {"title": "{nobody}"}, DecorationError),
        ("project", {"icon": "x"}, CardError),
    ],
)
def test_an_invalid_imperative_call_warns_once_and_does_not_raise(captured, non_strict, caplog, kind, options, error):
    """An error at decoration is a warning here, because the app is running."""
    with caplog.at_level(logging.WARNING, logger="autoflow"):
        current_run().input(kind, 7, **options)
        current_run().input(kind, 7, **options)
    assert captured.edges == []
    assert len(caplog.records) == 1
    assert isinstance(current_run().failures[-1], error)


def test_an_unknown_property_of_a_card_is_a_warning(captured, caplog):
    """The rest of the settings count."""
    with caplog.at_level(logging.WARNING, logger="autoflow"):
        current_run().node(titel="x", title="T")
    assert "'titel'" in caplog.text
    assert _nodes(captured) == [{"title": "<h4>T</h4>"}]


def test_an_imperative_value_is_the_value_itself(recorded_edges):
    """A run has no call to look into: what is given is the value."""
    current_run().output("file", ["/a/last.pt", "/a/best.pt"], when=select.best_checkpoint(lambda call: call.value))
    assert len(recorded_edges()) == 2


def test_failures_are_the_last_hundred(captured, non_strict):
    """And a list of its own: changing it changes nothing."""
    run = current_run()
    for number in range(MAX_FAILURES + 20):
        run.input("project", 7, title=lambda call, number=number: {}[number])
    assert len(run.failures) == MAX_FAILURES
    assert run.failures[-1].args == (MAX_FAILURES + 19,)
    run.failures.clear()
    assert len(run.failures) == MAX_FAILURES


def test_the_deduplication_of_edges_is_bounded(captured):
    """A run of millions of edges does not grow without end; what is forgotten may be sent again."""
    run = current_run()
    for number in range(1, MAX_DEDUPLICATED + 2):
        run.input("project", number)
    run.input("project", MAX_DEDUPLICATED + 1)
    assert len(run._edges) < MAX_DEDUPLICATED


def test_the_task_number_is_known_after_a_flush():
    """Our server gives one; before it has, None."""
    with workflow("x", server="memory") as run:
        run.input("project", 7)
        assert flush()
        assert isinstance(run.task_id, int)


def test_a_run_shows_its_name_and_key():
    """For whoever prints it."""
    with workflow("Train", server="off") as run:
        assert "Train" in repr(run)
        assert run.key in repr(run)
