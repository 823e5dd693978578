"""Versions as apps make them, and what stands in when one cannot be made."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autoflow import (
    current_run,
    versioned,
    workflow,
    workflow_input,
    workflow_output,
)
from tests.apps.assertions import WORLD, edges, nodes

pytestmark = [pytest.mark.core, pytest.mark.slow]


@pytest.fixture
def train():
    @versioned(title="Train", description="Before task {task_id}")
    @workflow_input("project", node_title="Train")
    def prepare(api, project): ...

    return prepare


def test_a_version_is_made_before_the_edge(case, train):
    """The version the SDK's Api made is what the run reads, as one edge with the stacked decorator's card."""
    train(case.api, case.project(101))
    assert edges(case) == [("create", "Train"), ("input", "project_version", 777)]
    assert case.posted()[0].body["version_description"] == "Before task 52345"
    assert nodes(case)[1] == {"title": "<h4>Train</h4>"}


@pytest.mark.parametrize("made", [None, "raises", 0, False])
@pytest.mark.parametrize(("number", "edge"), [(101, ("project_version", 555)), (505, ("project", 505))])
def test_a_version_that_cannot_be_made(open_case, train, made, number, edge):
    """The project's current version stands in, else the project; the work goes on and the reason is kept."""
    with open_case({"task_id": "52345", "team_id": 9, "world": {**WORLD, "version_create": made}}) as case:
        train(case.api, case.project(number))
        assert edges(case) == [("create", "Train"), ("input", *edge)]
        assert current_run().failures


@pytest.mark.parametrize(("number", "edge"), [(303, ("project_version", 556)), (404, ("project", 404))])
def test_a_project_of_another_type_is_not_versioned(case, train, number, edge):
    """Only image projects are saved, unless the author says more types."""
    train(case.api, case.project(number))
    assert edges(case) == [("input", *edge)]


def test_other_types_are_versioned_when_named(case):
    """`types` says which."""

    @versioned(types=("images", "videos"))
    def prepare(api, project_id): ...

    prepare(case.api, 303)
    assert edges(case) == [("create", None), ("input", "project_version", 777)]


@pytest.mark.parametrize("project_value", [101, "101", {"id": 101}, SimpleNamespace(id=101)])
def test_a_project_is_versioned_however_it_is_given(case, project_value):
    """Type and current version are looked up when the value does not carry them."""

    @versioned
    def prepare(project, api=None): ...

    prepare(project_value, api=case.api)
    assert edges(case) == [("create", None), ("input", "project_version", 777)]


def test_the_api_may_come_with_the_run(case):
    """An app that keeps its Api in a global gives it to `workflow`."""

    @versioned(title=lambda call: f"Train {call.weights.name}", description=lambda call: call.weights.name)
    def prepare(project_id, weights): ...

    with workflow("Train", api=case.api):
        prepare(101, SimpleNamespace(name="yolo11"))
    assert edges(case) == [("create", "Train yolo11"), ("input", "project_version", 777)]


def test_a_title_that_fails_costs_itself_and_not_the_version(case, monkeypatch):
    """The data is saved all the same."""
    monkeypatch.delenv("AUTOFLOW_STRICT")

    @versioned(title=lambda call: call.weights.name)
    def prepare(api, project_id, weights): ...

    prepare(case.api, 101, None)
    assert edges(case) == [("create", None), ("input", "project_version", 777)]


def test_a_version_of_what_was_written(case):
    """`after` saves the result, and the output is that version."""

    @workflow_input("project", value="source")
    @versioned(after=True, title="Merged")
    @workflow_output("project")
    def merge(api, source):
        return 505

    merge(case.api, 101)
    assert edges(case) == [("input", "project", 101), ("create", "Merged"), ("output", "project_version", 777)]


def test_several_projects_are_each_versioned(case, monkeypatch):
    """One that cannot be never costs its siblings."""
    monkeypatch.delenv("AUTOFLOW_STRICT")

    @versioned
    def prepare(api, projects): ...

    prepare(case.api, [case.project(101), None, object(), case.project(303), case.project(404)])
    assert edges(case) == [
        ("create", None),
        ("input", "project_version", 777),
        ("input", "project_version", 556),
        ("input", "project", 404),
    ]


@pytest.mark.parametrize(
    ("version", "edge"),
    [
        (12, ("project_version", 12)),
        ("12", ("project_version", 12)),
        ("#3", ("project_version", 555)),
        ("#9", ("project", 101)),
        ("project.version", ("project_version", 555)),
        (lambda call: call.project.version["id"], ("project_version", 555)),
        (lambda call: None, ("project", 101)),
        (lambda call: call.nowhere, ("project", 101)),
        (lambda call: "#3", ("project_version", 555)),
    ],
)
def test_a_version_is_named_by_id_number_path_or_callable(open_case, version, edge, monkeypatch):
    """An unknown number, None and a callable that fails mean the plain project."""
    monkeypatch.delenv("AUTOFLOW_STRICT")
    world = {**WORLD, "versions": [{"id": 555, "projectId": 101, "version": 3}]}
    with open_case({"task_id": "52345", "team_id": 9, "world": world}) as case:

        @workflow_input("project", version=version)
        def read(project): ...

        read(case.project(101))
        assert edges(case) == [("input", *edge)]
