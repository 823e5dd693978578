"""Whose ids an app hands over, and when: arguments, results, lists, conditions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autoflow import (
    ProjectInfo,
    cards,
    current_run,
    workflow_input,
    workflow_output,
)
from tests.apps.assertions import edges

pytestmark = [pytest.mark.core, pytest.mark.slow]


@pytest.mark.parametrize(
    "value",
    [
        101,
        "101",
        " 101 ",
        101.0,
        SimpleNamespace(id=101),
        SimpleNamespace(id="101"),
        {"id": 101},
        ProjectInfo(101, "lemons"),
    ],
)
def test_whatever_means_a_project_is_one(case, value):
    """A number, numeric text, an object, a mapping: each is the project's number on the wire."""

    @workflow_input("project")
    def read(project): ...

    read(value)
    assert edges(case) == [("input", "project", 101)]


@pytest.mark.parametrize("value", [None, "", "  ", 0, [], (), {}, [None], set(), False, {"id": None}])
def test_what_means_nothing_records_nothing(case, value):
    """None, empty things and None inside them are no edge and no error, for every kind."""

    @workflow_input("project", value="value")
    @workflow_input("dataset", value="value")
    @workflow_input("file", value="value")
    @workflow_input("folder", value="value")
    @workflow_input("task", value="value")
    @workflow_output("job", value="value")
    def work(value): ...

    work(value)
    assert edges(case) == []


def test_stacked_inputs_keep_their_order_whatever_their_values_are(case):
    """Declared order is posting order, with texts, lists and None among plain numbers."""

    @workflow_input("task", value="session")
    @workflow_input("project")
    @workflow_input("dataset", value="datasets")
    @workflow_input("job")
    @workflow_input("folder", value="folder")
    def start(session, project_id, datasets, job_id, folder): ...

    start("888", 101, [77, "78", None, 79], 31, "models")
    assert edges(case) == [
        ("input", "task", 888),
        ("input", "project", 101),
        ("input", "dataset", 77),
        ("input", "dataset", 78),
        ("input", "dataset", 79),
        ("input", "job", 31),
        ("input", "folder", "/models"),
    ]


def test_inputs_are_recorded_when_the_work_fails_and_outputs_are_not(case):
    """The input is there before the body runs, so that a failed run shows what it read."""

    @workflow_input("project")
    @workflow_output("project", value="result")
    def work(project_id):
        raise ValueError("the work failed")

    with pytest.raises(ValueError, match="the work failed"):
        work(101)
    assert edges(case) == [("input", "project", 101)]


def test_several_outputs_are_taken_from_one_result(case):
    """Each output picks its part of the result; a part that is None never costs its siblings."""

    @workflow_output("file", value="result.archive", card=cards.archive)
    @workflow_output("project", value="result.projects")
    @workflow_output("folder", value="result.folder")
    @workflow_output("job", value="result.jobs[*].id")
    @workflow_output("file", value="result.report", card=cards.report)
    def export():
        return SimpleNamespace(
            archive=None,
            projects=[202, SimpleNamespace(id=303)],
            folder="/out/",
            jobs=[{"id": 1}, {"id": 2}],
            report=7300,
        )

    export()
    assert edges(case) == [
        ("output", "project", 202),
        ("output", "project", 303),
        ("output", "folder", "/out/"),
        ("output", "job", 1),
        ("output", "job", 2),
        ("output", "file", 7300),
    ]


def test_a_tuple_is_no_list(case):
    """A plain tuple is no edge; its parts are named by their place."""

    @workflow_output("project")
    def pair():
        return 202, "report"

    @workflow_output("project", value="result[0].id")
    def named():
        return ProjectInfo(303, "new"), None

    pair()
    named()
    assert edges(case) == [("output", "project", 303)]


def test_layers_of_a_pipeline_are_an_edge_each(case):
    """Layers by their settings: those without a number and those of other types are passed over."""
    layers = [
        SimpleNamespace(type="data", settings={"project_id": 101}),
        SimpleNamespace(type="data", settings={"project_id": None}),
        SimpleNamespace(type="data", settings={}),
        SimpleNamespace(type="job", settings={"job_ids": [31, 32]}),
        SimpleNamespace(type="data", settings={"project_id": "303"}),
        SimpleNamespace(type="data", settings={"project_id": 101}),
    ]

    @workflow_input("project", value="layers[*].settings.project_id")
    @workflow_output("job", value="layers[*].settings.job_ids[*]")
    def run_pipeline(layers): ...

    run_pipeline(layers)
    assert edges(case) == [
        ("input", "project", 101),
        ("input", "project", 303),
        ("output", "job", 31),
        ("output", "job", 32),
    ]


def test_one_bad_item_never_costs_its_siblings(case, monkeypatch):
    """An item that means nothing, and one whose attribute raises, cost themselves only."""
    monkeypatch.delenv("AUTOFLOW_STRICT")

    class Broken:
        @property
        def id(self):
            raise RuntimeError("gone")

    @workflow_output("project")
    def make():
        return [202, object(), Broken(), 1.5, True, 303]

    make()
    assert edges(case) == [("output", "project", 202), ("output", "project", 303)]
    assert current_run().failures


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("project", [("input", "project", 5)]), ("dataset", [("input", "dataset", 5)]), ("job", []), (None, [])],
)
def test_the_kind_is_chosen_by_an_argument(case, kind, expected):
    """Two stacked decorators with `when`; an unknown word records nothing."""

    @workflow_input("project", value="id", when={"kind": "project"})
    @workflow_input("dataset", value="id", when={"kind": "dataset"})
    def read(id, kind=None): ...  # noqa: A002

    read(5, kind)
    assert edges(case) == expected


def test_the_dataset_wins_over_its_project(case):
    """`if DATASET_ID` at the call site: the dataset when there is one, else the project."""

    @workflow_input("dataset")
    @workflow_input("project", when=lambda call: not call.dataset_id)
    def read(project_id, dataset_id=None): ...

    read(101, 77)
    read(101, None)
    assert edges(case) == [("input", "dataset", 77), ("input", "project", 101)]


def test_a_condition_is_asked_per_item(case):
    """`when` sees each value: what is an input is left out of the outputs."""

    @workflow_input("project", value="sources")
    @workflow_output("project", when=lambda call: call.value not in call.sources)
    def merge(sources):
        return [101, 202, 202]

    merge([101])
    assert edges(case) == [("input", "project", 101), ("output", "project", 202)]
