"""Cards as apps make them, and what is said only once."""

from __future__ import annotations

import pytest

from autoflow import (
    WorkflowMeta,
    WorkflowSettings,
    cards,
    workflow,
    workflow_output,
)
from tests.apps.assertions import ARCHIVE, WORLD, edges, nodes, relations

pytestmark = pytest.mark.core


def test_the_session_link_when_the_app_is_unknown(open_case):
    """Without the app's number the link is the guide's other one, with its leading slash."""
    task = {"52345": {"id": 52345, "teamId": 9, "meta": {}}}
    with open_case({"task_id": "52345", "team_id": 9, "world": {**WORLD, "tasks": task}}) as case:

        @workflow_output("file", model_weight=True, node=cards.session, node_title="Train Custom Model")
        def upload():
            return 7101

        upload()
        assert nodes(case) == [
            {
                "title": "<h4>Train Custom Model</h4>",
                "mainLink": {"url": "/apps/sessions/52345", "title": "Show Results"},
            }
        ]


def test_a_text_that_fails_costs_itself_and_not_the_edge(case, monkeypatch):
    """A callable that raises, a format that does not fit, a name that is nowhere: the text is left out."""
    monkeypatch.delenv("AUTOFLOW_STRICT")

    @workflow_output(
        "file",
        title=lambda call: call.state.get("name"),
        description="{epochs:.3f}",
        node_title=lambda call: call.state["name"],
    )
    def upload(state, epochs):
        return 7101

    @workflow_output("file", title="{value.name:d}", description="{state.name.first}")
    def again(state):
        return 7102

    upload(None, "many")
    again(None)
    assert edges(case) == [("output", "file", 7101), ("output", "file", 7102)]
    assert [entry.body.get("meta") for entry in case.posted()] == [None, None]


def test_a_title_with_a_computed_value(case):
    """A template over parameters and result, or a callable; numbers are formatted as Python does."""

    @workflow_output("file", title="Project Archives ({count})", description="{epochs:03d} epochs, {result.path}")
    def upload(count, epochs):
        return case.file(ARCHIVE)

    upload(3, 7)
    assert relations(case) == [
        {"title": "<h4>Project Archives (3)</h4>", "description": f"<small>007 epochs, {ARCHIVE}</small>"}
    ]


def test_a_card_may_be_a_callable_and_meta_wins(case):
    """Precedence, property by property: card, single options, meta."""

    @workflow_output(
        "file",
        card=lambda call: WorkflowSettings(title="from the card", description="from the card"),
        description="single",
        meta={"customRelationSettings": {"title": "<h4>from meta</h4>"}, "customNodeSettings": {"title": "node"}},
    )
    def upload():
        return 9001

    upload()
    assert relations(case) == [{"title": "<h4>from meta</h4>", "description": "<small>single</small>"}]
    assert nodes(case) == [{"title": "node"}]


@pytest.mark.parametrize("meta", [None, {}, {"title": "x"}, WorkflowMeta(), {"customRelationSettings": None}])
def test_a_meta_that_is_none_costs_itself(case, meta, monkeypatch):
    """What a callable gives as meta and is no valid settings leaves the edge plain."""
    monkeypatch.delenv("AUTOFLOW_STRICT")

    @workflow_output("file", meta=lambda call: meta)
    def upload():
        return 9001

    upload()
    assert [entry.body.get("meta") for entry in case.posted()] == [None]


def test_settings_of_the_runs_own_card_need_no_repeating(case):
    """Given to `workflow` they go with the next edge; given late, with the last edge once more."""
    with workflow("Train", node=WorkflowSettings(title="Train {task_id}")) as run:
        run.input("project", 101)
        run.output("project", 202)
        run.node(title="Trained")
    assert edges(case) == [("input", "project", 101), ("output", "project", 202), ("output", "project", 202)]
    assert nodes(case) == [{"title": "<h4>Train 52345</h4>"}, None, {"title": "<h4>Trained</h4>"}]


def test_settings_of_the_runs_own_card_stay_off_other_tasks(case):
    """An edge of another task does not carry them: they wait for one of the run's own."""
    with workflow("Train") as run:
        run.node(title="Train")
        run.output("project", 202, task_id=66)
        run.output("project", 303)
    assert nodes(case) == [None, {"title": "<h4>Train</h4>"}]


def test_an_edge_is_posted_once_a_run_and_again_when_its_card_changes(case):
    """A button pressed again posts what is new; the next run starts anew."""
    with workflow("Session") as run:
        for number, title in [(202, None), (202, None), (303, None), (202, "Merged")]:
            run.output("project", number, title=title)
    with workflow("Session") as run:
        run.output("project", 202)
    assert [edge[2] for edge in edges(case)] == [202, 303, 202, 202]
