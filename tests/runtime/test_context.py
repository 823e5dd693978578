"""Inference of a call's run: in threads, pools, tasks, and in other processes."""

from __future__ import annotations

import asyncio
import contextvars
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from autoflow import current_run, propagate, workflow, workflow_input
from autoflow.runtime import context
from autoflow.runtime.run import VARIABLE, Run

pytestmark = pytest.mark.core


@workflow_input("project")
def load(project_id):
    """Load, and say in which run."""
    return current_run().key


def run_key(_=None):
    """The key of the run at hand."""
    return current_run().key


# -- one process


def test_outside_every_workflow_there_is_one_implicit_run():
    """It is made once and never None."""
    run = current_run()
    assert isinstance(run, Run)
    assert current_run() is run
    assert run.name
    assert run.task_id is None or run.task_id > 0


def test_threads_that_record_first_at_once_share_one_implicit_run():
    """All get the same."""
    barrier, runs = threading.Barrier(8), []

    def ask():
        barrier.wait()
        runs.append(current_run())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(runs)) == 1


def test_an_invalid_environment_gives_a_run_that_records_nothing(monkeypatch):
    """`current_run` never raises, and never gives None."""
    monkeypatch.delenv("AUTOFLOW_STRICT")
    monkeypatch.setenv("AUTOFLOW_RUN", "key=a&server=ftp://x")
    run = current_run()
    run.input("project", 7)
    assert run.outbox is None


def test_tasks_of_a_thread_pool_are_in_the_run_that_submitted_them(captured):
    """Also where the pool was made in another."""
    with workflow("outer") as outer, ThreadPoolExecutor(2) as pool:
        assert set(pool.map(load, [1, 2])) == {outer.key}
        with workflow("inner") as inner:
            assert pool.submit(load, 3).result() == inner.key
        assert pool.submit(load, 4).result() == outer.key
    assert {edge.id: edge.run for edge in captured.edges} == {
        1: outer.key,
        2: outer.key,
        3: inner.key,
        4: outer.key,
    }


def test_tasks_and_to_thread_inherit_the_run(captured):
    """Asyncio carries the context."""

    async def main():
        async with workflow("outer"), workflow("inner") as inner:
            assert await asyncio.to_thread(load, 1) == inner.key
            assert await asyncio.create_task(_later()) == inner.key

    async def _later():
        return load(2)

    asyncio.run(main())


def test_run_in_executor_is_in_the_run_that_called_it(captured):
    """It does not carry the context by itself."""

    async def main():
        async with workflow("outer") as outer:
            assert await asyncio.get_running_loop().run_in_executor(None, load, 1) == outer.key

    asyncio.run(main())


def test_propagate_carries_the_run_into_a_thread(captured):
    """Needed where several runs are open at once; the thread is given back as it was."""
    with workflow("outer") as outer, ThreadPoolExecutor(1) as pool:
        with workflow("inner") as inner:
            carried = propagate(load)
            assert pool.submit(carried, 1).result() == inner.key
        assert pool.submit(load, 2).result() == outer.key
    assert {edge.id: edge.run for edge in captured.edges} == {1: inner.key, 2: outer.key}


def test_propagate_looks_like_the_function_and_passes_what_it_does(captured):
    """Result, exception, name."""
    error = ValueError("x")

    def work(a, *, b):
        """Work."""
        if b:
            raise error
        return a

    carried = propagate(work)
    assert (carried.__name__, carried.__doc__, carried.__wrapped__) == ("work", "Work.", work)
    assert carried(3, b=False) == 3
    with pytest.raises(ValueError, match="x") as caught:
        carried(3, b=True)
    assert caught.value is error


def test_a_propagated_function_pickles_with_its_run():
    """An unpickled run records under the same key."""
    with workflow("outer", task_id=5, server="memory") as outer:
        carried = propagate(run_key)
    back = pickle.loads(pickle.dumps(carried))
    assert back() == outer.key
    assert back._run.task_id == 5
    assert back._run.name == "outer"


def test_a_run_that_records_nothing_stays_so_in_a_child(monkeypatch):
    """Off in the parent is off in the process it starts."""
    with workflow("outer", server="off") as outer:
        back = pickle.loads(pickle.dumps(propagate(run_key)))
    assert back() == outer.key
    assert back._run.outbox is None


def test_a_context_that_never_held_a_run_uses_the_only_open_run():
    """As does a thread that was there before."""
    with workflow("outer") as outer:
        assert contextvars.Context().run(run_key) == outer.key


# -- the environment


def test_the_environment_names_the_only_open_run_and_is_put_back(monkeypatch):
    """None of several: a child could join the wrong one."""
    monkeypatch.setenv(VARIABLE, "outside")
    with workflow("outer") as outer:
        assert outer.key in os.environ[VARIABLE]
        with workflow("inner"):
            assert VARIABLE not in os.environ
        assert outer.key in os.environ[VARIABLE]
    assert os.environ[VARIABLE] == "outside"


def test_a_run_gives_the_environment_for_a_child():
    """With everything else that is in this process's."""
    with workflow("outer") as outer, workflow("inner"):
        env = outer.env()
        assert outer.key in env.pop(VARIABLE)
        assert env == dict(os.environ)


def test_the_environment_is_put_back_when_runs_end_crosswise():
    """No run that has ended is left in it."""
    first, second = workflow("first"), workflow("second")
    first.__enter__()
    run = contextvars.Context().run(second.__enter__)
    first.__exit__(None, None, None)
    assert run.key in os.environ[VARIABLE]
    second.__exit__(None, None, None)
    assert VARIABLE not in os.environ


@pytest.mark.parametrize("text", ["", "nonsense", "key=", "task=5"])
def test_an_environment_that_names_no_run_is_ignored(monkeypatch, text):
    """There is an implicit run then."""
    monkeypatch.setenv(VARIABLE, text)
    assert current_run().outbox is not None


def test_a_run_in_the_environment_is_joined_while_it_is_open(monkeypatch):
    """Its key, name and number; it is not begun again, and not ended."""
    with workflow("outer", task_id=5, server="http://127.0.0.1:9") as outer:
        monkeypatch.setenv(VARIABLE, outer.env()[VARIABLE])
        run = context.inherited_run()
        assert (run.key, run.name, run.task_id) == (outer.key, "outer", 5)
        assert run is not outer
        assert not run.is_over
    assert run.is_over
