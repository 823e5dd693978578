"""A record is in the run that caused it, or in none of somebody else's: threads, tasks and environments."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import pytest

from autoflow import current_run, workflow, workflow_input
from autoflow.runtime import context
from autoflow.runtime.run import VARIABLE

pytestmark = pytest.mark.core


@workflow_input("project")
def load(project_id):
    """Load, and say in which run."""
    return current_run().key


@pytest.fixture
def runs(captured):
    """A function that gives the run of each recorded project, and the runs that are marked unattributed."""

    def read():
        marked = {record["run"] for record in captured.records if record["type"] == "run" and "unattributed" in record}
        return {edge.id: edge.run for edge in captured.edges}, marked

    context.current.set(None)  # the fixture's own run is no part of these tests
    return read


def test_a_context_whose_run_is_over_records_in_no_other(runs, caplog):
    """Also when exactly one other run is open."""
    with workflow("first") as first:
        left_behind = contextvars.copy_context()
    with workflow("second") as second:
        key = left_behind.run(load, 1)
        assert left_behind.run(load, 2) == key
        assert key not in {first.key, second.key}
    edges, unattributed = runs()
    assert edges == {1: key, 2: key}
    assert unattributed == {key}
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "'first' is over" in warning.getMessage()
    assert "propagate(fn)" in warning.getMessage()


def test_of_several_open_runs_none_is_guessed(runs, caplog):
    """One warning, however many calls."""
    with workflow("first") as first, workflow("second") as second:
        keys = {contextvars.Context().run(load, number) for number in (1, 2, 3)}
        assert len(keys) == 1
        assert keys.isdisjoint({first.key, second.key})
        with workflow("third"):
            pass
    assert runs()[1] == keys
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


def test_code_after_a_block_is_in_no_run_that_is_open_elsewhere(runs):
    """It is plainly outside: the implicit run, which is not marked."""
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with workflow("elsewhere") as run:
            keys.append(run.key)
            entered.set()
            leave.wait(10)

    keys = []
    with workflow("here") as here:
        pass
    thread = threading.Thread(target=lambda: contextvars.Context().run(hold))
    thread.start()
    entered.wait(10)
    key = load(1)
    leave.set()
    thread.join()
    assert key not in {here.key, *keys}
    assert runs() == ({1: key}, set())


def test_a_thread_is_in_the_run_that_started_it(runs):
    """Of two open ones."""

    def work(number, keys):
        keys.append(load(number))

    keys = []
    with workflow("outer") as outer:
        with workflow("inner") as inner:
            thread = threading.Thread(target=work, args=(1, keys))
            thread.start()
            thread.join()
        thread = threading.Thread(target=work, args=(2, keys))
        thread.start()
        thread.join()
    assert keys == [inner.key, outer.key]


def test_a_thread_that_outlives_its_run_records_in_no_other(runs):
    """A thread that goes on after its run ended is unattributed."""
    jobs, results = queue.Queue(), queue.Queue()

    def consume():
        while (number := jobs.get()) is not None:
            results.put(load(number))

    with workflow("first") as first:
        thread = threading.Thread(target=consume)
        thread.start()
        jobs.put(1)
        assert results.get(timeout=10) == first.key
    with workflow("second") as second:
        jobs.put(2)
        key = results.get(timeout=10)
    jobs.put(None)
    thread.join()
    assert key not in {first.key, second.key}
    assert runs()[1] == {key}


def test_a_thread_that_was_there_before_sees_the_only_open_run(runs):
    """It never held one."""
    jobs, results = queue.Queue(), queue.Queue()
    thread = threading.Thread(target=lambda: results.put(load(jobs.get())))
    thread.start()
    with workflow("only") as run:
        jobs.put(1)
        assert results.get(timeout=10) == run.key
    thread.join()


@pytest.mark.parametrize("pool_class", [ThreadPoolExecutor, ThreadPool])
def test_a_pool_of_threads_records_each_task_in_the_run_that_submitted_it(runs, pool_class):
    """Made before any run, used in two, and outside of both."""

    def submit(pool, number):
        return pool.submit(load, number).result() if pool_class is ThreadPoolExecutor else pool.apply(load, (number,))

    with workflow("switches the integrations on"):
        pass
    with pool_class(1) as pool:
        outside = submit(pool, 1)
        with workflow("first") as first:
            assert submit(pool, 2) == first.key
        with workflow("second") as second:
            assert submit(pool, 3) == second.key
            assert list(pool.map(load, [4, 5])) == [second.key] * 2
        assert submit(pool, 6) == outside
    edges, unattributed = runs()
    assert edges == {1: outside, 2: first.key, **dict.fromkeys((3, 4, 5), second.key), 6: outside}
    assert unattributed == set()


def test_a_task_that_waited_in_the_queue_beyond_its_run_is_in_no_other(runs):
    """It was submitted in the first run, and begins in the second."""
    gate = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with workflow("first") as first:
            pool.submit(gate.wait, 10)
            late = pool.submit(load, 1)
        with workflow("second") as second:
            gate.set()
            key = late.result()
    assert key not in {first.key, second.key}
    assert runs()[1] == {key}


def test_overlapping_requests_with_run_in_executor_do_not_mix(runs):
    """As in a web server: each request is a run, the work goes to the loop's own threads."""

    async def request(number, together):
        async with workflow(f"request {number}") as run:
            await together.wait()
            loop = asyncio.get_running_loop()
            keys = {await loop.run_in_executor(None, load, number * 100 + step) for step in range(5)}
            assert keys == {run.key}
            return run.key

    async def main():
        together = asyncio.Event()
        tasks = [asyncio.create_task(request(number, together)) for number in range(1, 7)]
        await asyncio.sleep(0)
        together.set()
        return await asyncio.gather(*tasks)

    keys = asyncio.run(main())
    edges, unattributed = runs()
    assert {number // 100: run for number, run in edges.items()} == dict(enumerate(keys, 1))
    assert len(edges) == 30
    assert unattributed == set()


def test_propagation_can_be_switched_off(runs, monkeypatch):
    """The library's own behaviour then: a worker thread never held a run."""
    monkeypatch.setenv("AUTOFLOW_PROPAGATE", "0")
    with ThreadPoolExecutor(1) as pool, workflow("outer") as outer:
        assert pool.submit(load, 1).result() == outer.key
        with workflow("inner"):
            key = pool.submit(load, 2).result()
    assert runs()[1] == {key}


def test_an_environment_whose_run_is_over_is_not_joined(monkeypatch, tmp_path):
    """The run that it names was closed by another process, or by this one."""
    with workflow("over", server="http://127.0.0.1:9") as over:
        text = over.env()[VARIABLE]
    monkeypatch.setenv(VARIABLE, text)
    key = contextvars.Context().run(lambda: current_run().key)
    assert key != over.key
