"""The four ways a function runs, and when recording happens in each."""

from __future__ import annotations

import asyncio
import inspect
import sys
import traceback

import pytest

from autoflow import current_run, workflow, workflow_input, workflow_output

pytestmark = pytest.mark.core

IN, OUT = ("input", "project", 1), ("output", "project", 2)


def both(function):
    """Decorate with an input from `project_id` and an output from the result."""
    return workflow_input("project")(workflow_output("project")(function))


class Odd(Exception):
    """An error of the app's."""


# -- plain functions


def test_a_function_records_its_input_before_and_its_output_after(recorded_edges):
    """The body already sees its input recorded, and not yet its output."""

    @both
    def load(project_id):
        assert recorded_edges() == [IN]
        return 2

    assert load(1) == 2
    assert recorded_edges() == [IN, OUT]


def test_the_result_is_the_same_object(recorded_edges):
    """Nothing is copied or wrapped."""
    thing = [object()]

    @workflow_output("project", value="result[0].id")
    def make():
        return thing

    assert make() is thing


def test_an_exception_is_the_apps_own(recorded_edges):
    """The same object, its traceback ending where it was raised, nothing chained to it; the input stays."""
    error = Odd("no")

    @both
    def load(project_id):
        raise error

    with pytest.raises(Odd) as caught:
        load(1)
    assert caught.value is error
    assert traceback.extract_tb(error.__traceback__)[-1].line == "raise error"
    assert error.__context__ is None
    assert error.__cause__ is None
    assert recorded_edges() == [IN]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_a_base_exception_passes_through(recorded_edges, kind):
    """Interrupts, exits and cancellations are the app's."""
    error = kind()

    @both
    def load(project_id):
        raise error

    with pytest.raises(kind) as caught:
        load(1)
    assert caught.value is error
    assert recorded_edges() == [IN]


def test_a_call_with_wrong_arguments_raises_as_undecorated(recorded_edges):
    """Wrong arguments are the function's own TypeError."""

    @both
    def load(project_id):
        return 2

    with pytest.raises(TypeError, match=r"load\(\) missing 1 required positional argument: 'project_id'"):
        load()
    with pytest.raises(TypeError, match="unexpected keyword argument 'other'"):
        load(1, other=2)


def test_recursion_is_recorded_once_and_its_result_right(recorded_edges):
    """A function that calls itself records each entity once."""

    @workflow_input("project")
    def factorial(project_id):
        return 1 if project_id == 1 else project_id * factorial(project_id - 1)

    assert factorial(4) == 24
    assert [number for _, _, number in recorded_edges()] == [4, 3, 2, 1]
    assert factorial(4) == 24
    assert len(recorded_edges()) == 4


def test_generators_too_refuse_wrong_arguments_at_the_call(recorded_edges):
    """As undecorated ones do, not at their first step."""

    @both
    def load(project_id):
        yield 1

    @both
    async def load_async(project_id):
        yield 1

    for function in (load, load_async):
        with pytest.raises(TypeError, match="missing 1 required positional argument"):
            function()


# -- coroutines


def test_a_coroutine_records_when_it_runs(recorded_edges):
    """Making a coroutine records nothing, awaiting it records input and output."""

    @both
    async def load(project_id):
        assert recorded_edges() == [IN]
        await asyncio.sleep(0)
        return 2

    waiting = load(1)
    assert inspect.iscoroutine(waiting)
    assert inspect.iscoroutinefunction(load)
    assert recorded_edges() == []
    assert asyncio.run(waiting) == 2
    assert recorded_edges() == [IN, OUT]


def test_a_coroutine_never_awaited_records_nothing(recorded_edges):
    """Closing it is enough to be silent."""

    @both
    async def load(project_id):
        return 2

    load(1).close()
    assert recorded_edges() == []


def test_a_coroutine_needs_no_event_loop(recorded_edges):
    """It can be driven by hand, as other loops do."""

    @both
    async def load(project_id):
        return 2

    with pytest.raises(StopIteration) as stopped:
        load(1).send(None)
    assert stopped.value.value == 2
    assert recorded_edges() == [IN, OUT]


def test_a_coroutine_that_raises_has_no_output(recorded_edges):
    """The exception is the app's own."""
    error = Odd("no")

    @both
    async def load(project_id):
        raise error

    with pytest.raises(Odd) as caught:
        asyncio.run(load(1))
    assert caught.value is error
    assert error.__context__ is None
    assert recorded_edges() == [IN]


def test_a_cancelled_task_has_no_output(recorded_edges):
    """Cancellation reaches the body, which may clean up, and goes on to who awaits."""
    steps = []

    @both
    async def load(project_id):
        try:
            steps.append("waiting")
            await asyncio.Event().wait()
        finally:
            steps.append("cleaned")

    async def main():
        task = asyncio.create_task(load(1))
        while not steps:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(main())
    assert steps == ["waiting", "cleaned"]
    assert recorded_edges() == [IN]


def test_a_time_limit_is_seen_as_a_cancellation_inside(recorded_edges):
    """`wait_for` ends the body and the caller gets its TimeoutError."""

    @both
    async def load(project_id):
        await asyncio.Event().wait()

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(load(1), 0.01)

    asyncio.run(main())
    assert recorded_edges() == [IN]


# -- the context


def test_a_generator_leaves_no_run_behind_in_its_consumer(captured):
    """While a generator is suspended, its consumer's run is its consumer's."""

    @workflow("inner")
    @workflow_input("project")
    def load(project_id):
        yield current_run().name
        yield current_run().name

    with workflow("outer") as outer:
        generator = load(1)
        assert next(generator) == "inner"
        assert current_run() is outer
        assert next(generator) == "inner"
        generator.close()
        assert current_run() is outer


def test_a_generator_records_into_the_run_it_was_started_in(captured):
    """The run is held from the first step, whoever goes on with it."""

    @workflow_output("project")
    def load():
        yield 1
        return 2

    with workflow("first") as first:
        generator = load()
        next(generator)
        with workflow("second"):
            list(generator)
    (edge,) = captured.edges
    assert edge.run == first.key


def test_a_function_that_returns_a_coroutine_is_called_as_a_plain_function(recorded_edges):
    """A foreign wrapper that gives a coroutine keeps giving it."""

    def foreign(function):
        return lambda *args: function(*args)

    @workflow_input("project", value=lambda call: call.args.args[0])
    @foreign
    async def load(project_id):
        return 2

    assert asyncio.run(load(1)) == 2
    assert recorded_edges() == [IN]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asks with inspect.markcoroutinefunction's era")
def test_asyncio_and_inspect_recognise_a_decorated_coroutine_function():
    """Frameworks ask both."""

    @both
    async def load(project_id):
        return 2

    assert inspect.iscoroutinefunction(load)
    assert inspect.isfunction(load)
