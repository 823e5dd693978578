"""`workflow`: around an app's main, in all its forms."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import sys
import threading

import pytest

from autoflow import WorkflowSettings, current_run, workflow, workflow_input
from autoflow.runtime import context, logs

pytestmark = pytest.mark.core


def states(captured):
    """Return the end of each run: name -> (state, error)."""
    names = {record["run"]: record["name"] for record in captured.records if record["type"] == "run"}
    return {
        names[record["run"]]: (record["state"], record["error"])
        for record in captured.records
        if record["type"] == "finish"
    }


@pytest.fixture(autouse=True)
def _leaves_nothing_behind():
    before = os.environ.get(context.VARIABLE), logging.getLogRecordFactory()
    yield
    assert context.open_runs == []
    assert (os.environ.get(context.VARIABLE), logging.getLogRecordFactory()) == before


# -- as a context manager


def test_a_workflow_block_is_a_run(captured):
    """Begun and finished, with everything in it recorded as its own."""
    with workflow("Train") as run:
        assert current_run() is run
        run.input("project", 7)
    (edge,) = captured.edges
    assert edge.run == run.key
    assert states(captured) == {"Train": ("finished", None)}


def test_each_entry_is_a_new_run(captured):
    """Also of the same object."""
    train = workflow("Train")
    with train as first:
        pass
    with train as second:
        first.input("project", 1)
        second.input("project", 1)
    assert first.key != second.key
    assert len(captured.edges) == 2


def test_runs_nest(captured):
    """The inner one knows the outer one as its parent, and gives the context back."""
    with workflow("outer") as outer:
        with workflow("inner") as inner:
            assert current_run() is inner
        assert current_run() is outer
    parents = {record["name"]: record["parent"] for record in captured.records if record["type"] == "run"}
    assert parents["inner"] == outer.key


def test_one_object_may_be_entered_again_inside_itself(captured):
    """Last in, first out."""
    train = workflow("Train")
    with train as first:
        with train as second:
            assert current_run() is second
        assert current_run() is first


def test_an_async_block_is_a_run(captured):
    """`async with` is the same."""

    async def main():
        async with workflow("Train") as run:
            await asyncio.sleep(0)
            assert current_run() is run
        return run

    run = asyncio.run(main())
    assert states(captured)["Train"] == ("finished", None)
    assert current_run() is not run


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("first_out", [1, 2])
def test_two_runs_at_once_in_two_tasks_keep_apart(captured, shared, first_out):
    """Each task records into its own, also when both entered the same object, whichever leaves first."""
    common = workflow("common")

    async def job(number, entered, leave, left):
        try:
            async with common if shared else workflow(f"job {number}") as run:
                entered.set()
                await leave.wait()
                workflow_input("project")(lambda project_id: None)(number)
                assert current_run() is run
            assert current_run() is not run
            return run.key
        finally:
            left.set()

    async def main():
        first, second = ([asyncio.Event() for _ in range(3)] for _ in range(2))
        jobs = asyncio.gather(job(1, *first), job(2, *second))
        await first[0].wait()
        await second[0].wait()
        for _, leave, left in (first, second) if first_out == 1 else (second, first):
            leave.set()
            await left.wait()
        return await jobs

    keys = asyncio.run(main())
    assert {edge.id: edge.run for edge in captured.edges} == {1: keys[0], 2: keys[1]}
    finished = [record["run"] for record in captured.records if record["type"] == "finish"]
    assert finished == (keys if first_out == 1 else keys[::-1])


def test_runs_of_two_threads_keep_apart(captured):
    """Each thread's block is its own, entered crosswise through one object."""
    common, barrier, keys = workflow("common"), threading.Barrier(2), {}

    def job(number):
        with common as run:
            barrier.wait()
            current_run().input("project", number)
            keys[number] = run.key
            barrier.wait()

    threads = [threading.Thread(target=job, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {edge.id: edge.run for edge in captured.edges} == keys


# -- as a decorator


def test_each_call_of_a_decorated_function_is_a_run(captured):
    """Named after the function unless a name is given; its result and signature untouched."""

    @workflow()
    def main(epochs: int) -> int:
        """Train."""
        assert current_run().name == "main"
        return epochs

    assert main(3) == main(epochs=3) == 3
    assert str(inspect.signature(main)) == "(epochs: 'int') -> 'int'"
    assert main.__doc__ == "Train."
    assert len([record for record in captured.records if record["type"] == "finish"]) == 2


def test_a_decorated_method_is_a_method(captured):
    """The function it is binds as one."""

    class App:
        @workflow("App")
        def main(self, x):
            return self, x

    app = App()
    assert app.main(2) == (app, 2)


def test_a_decorated_coroutine_is_a_run_while_it_runs(captured):
    """Not when it is made."""

    @workflow("Train")
    async def main():
        await asyncio.sleep(0)
        return current_run().name

    assert inspect.iscoroutinefunction(main)
    started = main()
    assert current_run().name == "captured"
    assert asyncio.run(started) == "Train"
    assert states(captured)["Train"] == ("finished", None)


def test_a_decorated_generator_is_a_run_while_its_body_runs(captured):
    """Sent, thrown and returned values pass; its run is its consumer's at no time."""

    @workflow("Train")
    def main():
        received = yield current_run().name
        try:
            yield received
        except ValueError as error:
            yield error
        return current_run().name

    started = main()
    error = ValueError("x")
    assert inspect.isgeneratorfunction(main)
    assert next(started) == "Train"
    assert current_run().name == "captured"
    assert started.send("sent") == "sent"
    assert started.throw(error) is error
    with pytest.raises(StopIteration) as stopped:
        next(started)
    assert stopped.value.value == "Train"
    assert states(captured)["Train"] == ("finished", None)


def test_a_decorated_async_generator_is_a_run_while_its_body_runs(captured):
    """As the synchronous one."""

    @workflow("Train")
    async def main():
        received = yield current_run().name
        try:
            yield received
        except ValueError as error:
            yield error

    async def consume():
        started = main()
        error = ValueError("x")
        assert await started.asend(None) == "Train"
        assert current_run().name == "captured"
        assert await started.asend("sent") == "sent"
        assert await started.athrow(error) is error
        with pytest.raises(StopAsyncIteration):
            await started.asend(None)

    asyncio.run(consume())
    assert states(captured)["Train"] == ("finished", None)


def test_a_generator_that_is_closed_cleans_up_in_its_run_and_has_finished(captured):
    """Leaving early is no failure."""
    names = []

    @workflow("sync")
    def main():
        try:
            yield 1
        finally:
            names.append(current_run().name)

    @workflow("async")
    async def main_async():
        try:
            yield 1
        finally:
            names.append(current_run().name)

    async def consume():
        started = main_async()
        await started.asend(None)
        await started.aclose()

    started = main()
    next(started)
    started.close()
    asyncio.run(consume())
    assert names == ["sync", "async"]
    assert states(captured) == {"sync": ("finished", None), "async": ("finished", None)}


def test_versioned_stacks_above_other_decorators(captured):
    """`@workflow` outermost, ours below."""

    @workflow("Train")
    @workflow_input("project")
    def main(project_id):
        return project_id

    assert main(7) == 7
    (edge,) = captured.edges
    names = {record["run"]: record["name"] for record in captured.records if record["type"] == "run"}
    assert names[edge.run] == "Train"


# -- what it is given


def test_parameters_of_a_run_are_recorded(captured):
    """Name, numbers and parameters, secrets masked; the facts that say how it was started."""
    with workflow("Train", task_id=5, team_id=2, workspace_id=3, parameters={"epochs": 20, "api_token": "x"}):
        pass
    (begun,) = [record for record in captured.records if record.get("name") == "Train"]
    assert (begun["task"], begun["team"], begun["workspace"]) == (5, 2, 3)
    assert begun["parameters"] == {"epochs": 20, "api_token": "***"}
    assert begun["pid"] == os.getpid()
    assert begun["folder"] == os.getcwd()
    assert begun["command"][0] == sys.executable


def test_the_default_name_is_the_scripts(captured):
    """As the implicit one."""
    with workflow() as run:
        assert run.name


@pytest.mark.parametrize("task", [5, "5", {"id": 5}])
def test_the_tasks_number_in_any_form(captured, task):
    """Given, it is known at once."""
    with workflow("Train", task_id=task) as run:
        assert run.task_id == 5


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({"TASK_ID": "4"}, 4), ({"SUPERVISELY_TASK_ID": "3", "TASK_ID": "4"}, 3), ({"TASK_ID": "x"}, 6), ({}, 6)],
)
def test_the_tasks_number_is_found_in_the_environment_else_in_the_api(monkeypatch, captured, environment, expected):
    """In the documented order."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    class Api:
        task_id = 6

    with workflow("Train", api=Api()) as run:
        assert run.task_id == expected


def test_equal_node_settings_are_recorded_once(captured):
    """`node=` and `run.node` with the same settings make one record; texts may be templates."""
    with workflow("Train", node=WorkflowSettings(title="T", description="in {team_id}")) as run:
        run.node(title="T", description="in {team_id}")
        run.node(title="U")
        run.node(title="U")
        run.input("project", 7)
    nodes = [record["node"] for record in captured.records if record["type"] == "node"]
    assert nodes == [{"title": "<h4>T</h4>", "description": "<small>in 1</small>"}, {"title": "<h4>U</h4>"}]
    assert captured.edges[0].node == {}


def test_the_log_is_collected_unless_log_is_false(captured):
    """Log lines of the run are collected, with secrets masked; those outside of it are not."""
    logger = logging.getLogger("app")
    logger.warning("before")
    with workflow("Train"):
        logger.warning("epoch %d token=abc", 3)
        logging.getLogger("autoflow").warning("ours")
    with workflow("Silent", log=False):
        logger.warning("unheard")
    lines = [record["lines"] for record in captured.records if record["type"] == "log"]
    assert len(lines) == 1
    assert lines[0].endswith("WARNING app: epoch 3 token=***")


def test_a_log_record_that_cannot_be_formatted_is_not_recorded(captured, non_strict):
    """Its arguments may not fit its words, or raise when shown."""

    class Odd:
        def __str__(self):
            raise RuntimeError("not today")

    with workflow("Train"):
        record = logging.LogRecord("app", logging.INFO, "f", 1, "%d", ("x",), None)
        assert record is not None
        logging.getLogger("app").debug("%s", Odd())
        record = logging.getLogRecordFactory()("app", logging.INFO, "f", 1, "%s", (Odd(),), None)
        assert record.name == "app"


def test_an_apps_own_record_factory_is_left_alone(captured):
    """One set during the run stays after it."""
    before = logging.getLogRecordFactory()
    try:
        with workflow("Train"):
            mine = lambda *args, **kwargs: logging.LogRecord(*args, **kwargs)  # noqa: E731
            logging.setLogRecordFactory(mine)
        assert logging.getLogRecordFactory() is mine
    finally:
        logging.setLogRecordFactory(before)
        logs._previous = None


# -- off, and wrong


def test_off_records_nothing_and_changes_nothing(monkeypatch, non_strict):
    """`AUTOFLOW_SERVER=off`: the app runs as if we were not there."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "off")

    @workflow_input("project")
    def load(project_id):
        return project_id

    with workflow("Train") as run:
        assert load(3) == 3
        run.output("project", 4)
        assert run.task_id is None
        assert run.failures == []


@pytest.mark.parametrize("server", ["http://", "ftp://x", "http://user:secret@host"])
def test_workflow_raises_for_an_invalid_address(captured, non_strict, server):
    """Records for it could never be sent, and would be missed too late."""
    with pytest.raises(ValueError, match="address"), workflow("Train", server=server):
        pass
    assert captured.edges == []


@pytest.mark.parametrize(
    "parameters", [object(), 3, "text", [1, 2], {"a": object(), 3: {4}}, {"deep": [[[[[[[[1]]]]]]]]}]
)
def test_parameters_may_be_anything(captured, non_strict, parameters):
    """A parameter that cannot be recorded is left out; the run is recorded."""
    with workflow("Train", parameters=parameters) as run:
        run.input("project", 7)
    assert len(captured.edges) == 1
    assert states(captured) == {"Train": ("finished", None)}


def test_parameters_may_be_an_argparse_namespace(captured):
    """An object's attributes are its parameters."""
    import argparse

    with workflow("Train", parameters=argparse.Namespace(epochs=3)):
        pass
    (begun,) = [record for record in captured.records if record.get("name") == "Train"]
    assert begun["parameters"] == {"epochs": 3}
