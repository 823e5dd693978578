"""The example of an integration in docs/extending.md, for a library that autoflow does not know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

DOCUMENT = Path(__file__).parents[3] / "docs" / "extending.md"

WORKQUEUE = """
import queue, threading

class Queue:
    def __init__(self):
        self._tasks = queue.Queue()
        threading.Thread(target=self._work, daemon=True).start()

    def put(self, fn, *args):
        self._tasks.put((fn, args))

    def join(self):
        self._tasks.join()

    def _work(self):
        while True:
            fn, args = self._tasks.get()
            fn(*args)
            self._tasks.task_done()
"""

APP = """
import autoflow
import workqueue_autoflow
import workqueue

@autoflow.workflow_input("project")
def load(project_id):
    pass

queue = workqueue.Queue()
with autoflow.workflow("outer") as outer:
    with autoflow.workflow("inner") as inner:
        queue.put(load, 1)
        queue.join()
    queue.put(load, 2)
    queue.join()
    print(inner.key, outer.key)
"""


def example():
    """Return the Python code of the section."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("\n## A new integration\n")[2].partition("\n## ")[0]
    return re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]


@pytest.fixture
def app(script):
    """Run the app beside the library and its integration; return the keys of its runs and the recorded edges."""
    (script.folder / "workqueue.py").write_text(WORKQUEUE)
    (script.folder / "workqueue_autoflow.py").write_text(example())

    def run(**environment):
        inner, outer = script(APP, **environment).stdout.split()
        return inner, outer, [(number, run) for _, _, number, run in script.edges()]

    return run


def test_each_task_is_in_the_run_that_submitted_it(app):
    """A worker's context names no run, and two runs are open at its first task."""
    inner, outer, edges = app()
    assert sorted(edges) == [(1, inner), (2, outer)]


def test_the_integration_is_off_with_all_others(app):
    """With AUTOFLOW_PROPAGATE=0 the queue is the library's own: the run of a task is not known while two are open."""
    inner, outer, edges = app(AUTOFLOW_PROPAGATE="0")
    runs = dict(edges)
    assert runs[1] not in {inner, outer}
