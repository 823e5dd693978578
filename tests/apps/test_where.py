"""Where apps record from: tasks, threads, pools, scripts, generators."""

from __future__ import annotations

import json
import os
import runpy
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from autoflow import (
    ProjectInfo,
    current_run,
    propagate,
    versioned,
    workflow,
    workflow_input,
    workflow_output,
)
from tests.apps.assertions import edges, nodes

pytestmark = pytest.mark.core


@pytest.mark.parametrize("task_value", [66, "66", "task", lambda call: call.task])
def test_another_task_is_named(case, task_value):
    """A number, text, a path or a callable; the team is that task's own."""

    @workflow_output("project", value="project", task_id=task_value)
    @workflow_output("app", task_id=task_value)
    def finish(project, task=66) -> None: ...

    finish(202)
    assert edges(case) == [("output", "project", 202), ("output", "app_session", 66)]
    assert [(entry.body["teamId"], entry.body["node"]["id"]) for entry in case.posted()] == [(12, 66), (12, 66)]


def test_another_task_has_its_own_team_whatever_the_run_was_told(case):
    """A team given to the run is that of the run's task only."""
    with workflow("Train", team_id=9) as run:
        run.output("project", 202)
        run.output("project", 202, task_id=66)
    assert [entry.body["teamId"] for entry in case.posted()] == [9, 12]


@pytest.mark.parametrize("task_value", [66, "66"])
def test_the_task_of_a_run_wins_over_the_environments(case, task_value):
    """`workflow(task_id=)` takes a number or text."""
    with workflow("Train", task_id=task_value) as run:
        run.output("app")
    assert edges(case) == [("output", "app_session", 66)]


def test_a_value_from_a_global_or_the_environment(case, monkeypatch):
    """What is in no argument is found by a callable, asked at the call."""
    g = SimpleNamespace(PROJECT_ID=101)
    monkeypatch.setenv("DATASET_ID", "77")

    @workflow_input("project", value=lambda call: g.PROJECT_ID)
    @workflow_input("dataset", value=lambda call: os.environ.get("DATASET_ID"))
    def main(): ...

    main()
    assert edges(case) == [("input", "project", 101), ("input", "dataset", 77)]


def test_a_callback_of_a_gui_in_another_thread(case):
    """The decorator stands under the button's; presses in threads belong to the session's run."""

    class Button:
        def click(self, function):
            self.press = function
            return function

    button = Button()

    @button.click
    @workflow_output("project")
    def merge():
        return 202

    with workflow("Session"):
        threads = [threading.Thread(target=button.press) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert edges(case) == [("output", "project", 202)]


def test_threads_of_a_pool_record_into_the_run_they_were_given(case):
    """`propagate` carries the run, also when several are open."""

    @workflow_output("project")
    def work(number):
        return number

    with workflow("Outer"), workflow("Inner", task_id=66), ThreadPoolExecutor(2) as pool:
        list(pool.map(propagate(work), [1, 2, 3]))
    assert {entry.body["node"]["id"] for entry in case.posted()} == {66}
    assert sorted(edge[2] for edge in edges(case)) == [1, 2, 3]


def test_a_script_at_module_level(case, tmp_path):
    """A script without any function records imperatively, in a run or in the implicit one."""
    script = tmp_path / "main.py"
    script.write_text(
        "import autoflow\n"
        "autoflow.current_run().input('project', 101)\n"
        "with autoflow.workflow('Transcode') as run:\n"
        "    for dataset in (77, 78):\n"
        "        run.output('dataset', dataset)\n"
    )
    runpy.run_path(str(script), run_name="__main__")
    assert edges(case) == [("input", "project", 101), ("output", "dataset", 77), ("output", "dataset", 78)]


def test_items_of_a_generator_are_recorded_as_they_come(case):
    """A processing loop written as a generator: one edge per uploaded item, also of those before a failure."""

    @workflow_output("project", value="item.id")
    def upload(names):
        for number, name in enumerate(names, 1):
            if name is None:
                raise ValueError("no name")
            yield ProjectInfo(number, name)

    with pytest.raises(ValueError, match="no name"):
        list(upload(["a", "b", None]))
    assert edges(case) == [("output", "project", 1), ("output", "project", 2)]


def test_settings_kept_beside_the_artefact(case, tmp_path):
    """Card settings read back from a file, as wire form, are taken as they are."""
    settings_file = tmp_path / "workflow.json"
    settings_file.write_text(json.dumps({"customNodeSettings": {"title": "<h4>Serve RT-DETR</h4>"}}))

    @workflow_input("file", value="path", model_weight=True, meta=lambda call: json.loads(settings_file.read_text()))
    def load(path): ...

    load("/run/best_1.pth")
    assert edges(case) == [("input", "model_weight", 7101)]
    assert nodes(case) == [{"title": "<h4>Serve RT-DETR</h4>"}]


def test_nothing_raises_into_the_app(case, monkeypatch):
    """Recording stands in no app's way: whatever is wrong, the result and the exception are the app's."""
    monkeypatch.delenv("AUTOFLOW_STRICT")

    @versioned(value=lambda call: 1 / 0)
    @workflow_input("project", value=lambda call: 1 / 0)
    @workflow_output("file", value=lambda call: call.result.missing, when=lambda call: 1 / 0)
    def work(x):
        return x + 1

    assert work(1) == 2
    current_run().output("nonsense", 5)
    current_run().output("project", 5, colour="red")
    assert edges(case) == []
    assert len(current_run().failures) == 5
