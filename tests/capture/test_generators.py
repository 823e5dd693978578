"""Generators of both kinds: recorded step by step, and to their consumers the same as undecorated."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import types

import pytest

from autoflow import workflow_input, workflow_output

pytestmark = pytest.mark.core

IN, OUT = ("input", "project", 1), ("output", "project", 2)


def both(function):
    """Decorate with an input from `project_id` and an output from the result."""
    return workflow_input("project")(workflow_output("project")(function))


class Odd(Exception):
    """An error of the app's."""


# -- generators


def test_a_decorated_generator_function_looks_like_one(recorded_edges):
    """It is made, iterated and exhausted as the plain one."""

    @both
    def load(project_id):
        yield "a"
        yield "b"

    assert inspect.isgeneratorfunction(load)
    generator = load(1)
    assert isinstance(generator, types.GeneratorType)
    assert list(generator) == ["a", "b"]


def test_a_generator_never_started_records_nothing(recorded_edges):
    """The body has not run."""

    @both
    def load(project_id):
        yield "a"

    generator = load(1)
    generator.close()
    del generator
    gc.collect()
    assert recorded_edges() == []


def test_a_generator_records_its_input_at_the_first_step_and_its_output_at_the_end(recorded_edges):
    """The result is what it returns."""

    @both
    def load(project_id):
        yield "a"
        return 2

    generator = load(1)
    assert recorded_edges() == []
    assert next(generator) == "a"
    assert recorded_edges() == [IN]
    with pytest.raises(StopIteration) as stopped:
        next(generator)
    assert stopped.value.value == 2
    assert recorded_edges() == [IN, OUT]


STEPPING = [
    pytest.param({"value": "result"}, id="delegating"),
    pytest.param({"value": "item.id"}, id="stepping"),
]


@pytest.mark.parametrize("options", STEPPING)
def test_send_and_throw_reach_a_generator(recorded_edges, options):
    """`send`, `throw` and the return value pass through both drivers."""
    received = []

    @workflow_output("project", **options)
    def talk():
        received.append((yield {"id": 5}))
        try:
            yield {"id": 6}
        except Odd as error:
            received.append(error)
        received.append((yield {"id": 7}))
        return 2

    generator = talk()
    error = Odd("thrown")
    assert next(generator) == {"id": 5}
    assert generator.send("sent") == {"id": 6}
    assert generator.throw(error) == {"id": 7}
    with pytest.raises(StopIteration) as stopped:
        generator.send("last")
    assert stopped.value.value == 2
    assert received == ["sent", error, "last"]
    numbers = [5, 6, 7] if options["value"].startswith("item") else [2]
    assert [number for _, _, number in recorded_edges()] == numbers


@pytest.mark.parametrize("options", STEPPING)
def test_an_exception_thrown_into_a_generator_comes_back_unchanged(recorded_edges, options):
    """The same object, nothing chained to it, and no output from the result."""
    error = Odd("thrown")

    @workflow_output("project", **options)
    def talk():
        yield None
        return 2

    generator = talk()
    next(generator)
    with pytest.raises(Odd) as caught:
        generator.throw(error)
    assert caught.value is error
    assert error.__context__ is None
    assert recorded_edges() == []


@pytest.mark.parametrize("options", STEPPING)
def test_a_generator_closed_early_keeps_its_input_and_has_no_output(recorded_edges, options, caplog):
    """Its own clean-up runs, once, and a debug line tells why there is no output."""
    cleaned = []

    @workflow_input("project")
    @workflow_output("project", **options)
    def load(project_id):
        try:
            yield {}
            yield {}
        finally:
            cleaned.append(True)
        return 2

    with caplog.at_level(logging.DEBUG, logger="autoflow"):
        for _ in load(1):
            break
        gc.collect()
    assert cleaned == [True]
    assert recorded_edges() == [IN]
    assert any("closed early" in line for line in caplog.messages)


@pytest.mark.parametrize("options", STEPPING)
def test_a_generator_that_ignores_close_raises_as_undecorated(options):
    """`generator ignored GeneratorExit` is the consumer's, as without the decorator."""

    @workflow_output("project", **options)
    def stubborn():
        while True:
            try:
                yield {}
            except GeneratorExit:
                yield {}

    generator = stubborn()
    next(generator)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        generator.close()


@pytest.mark.parametrize("options", STEPPING)
def test_stop_iteration_in_a_generator_is_a_runtime_error_as_undecorated(options):
    """PEP 479 holds through the driver."""

    @workflow_output("project", **options)
    def wrong():
        yield {}
        raise StopIteration(2)

    with pytest.raises(RuntimeError, match="raised StopIteration"):
        list(wrong())


def test_items_are_recorded_as_they_are_yielded(recorded_edges):
    """Each item is known before its consumer has it; None is nothing."""

    @workflow_output("project", value="item")
    def produce():
        yield 5
        yield None
        yield [6, 7]
        return 8

    generator = produce()
    next(generator)
    assert [number for _, _, number in recorded_edges()] == [5]
    assert list(generator) == [None, [6, 7]]
    assert [number for _, _, number in recorded_edges()] == [5, 6, 7]


def test_an_item_and_the_result_may_both_be_recorded(recorded_edges):
    """Items while it runs, the result when it ends."""

    @workflow_output("file", value="item")
    @workflow_output("project")
    def produce():
        yield "/a"
        return 2

    list(produce())
    assert recorded_edges() == [("output", "file", "/a"), OUT]


def test_an_item_may_be_an_input(recorded_edges):
    """A generator that reads item by item records item by item."""

    @workflow_input("dataset", value="item.id")
    def read():
        yield {"id": 3}

    list(read())
    assert recorded_edges() == [("input", "dataset", 3)]


def test_a_generator_delegates_to_a_decorated_one(recorded_edges):
    """`yield from` gives what the inner one returns."""

    @workflow_output("project")
    def inner():
        received = yield 1
        return received

    def outer():
        return (yield from inner())

    generator = outer()
    next(generator)
    with pytest.raises(StopIteration) as stopped:
        generator.send(2)
    assert stopped.value.value == 2
    assert recorded_edges() == [OUT]


# -- async generators


def test_an_async_generator_records_by_the_same_rule(recorded_edges):
    """Input at the first step; items as they come."""

    @workflow_input("project")
    @workflow_output("file", value="item")
    async def load(project_id):
        assert recorded_edges() == [IN]
        yield "/a"
        yield "/b"

    generator = load(1)
    assert inspect.isasyncgenfunction(load)
    assert inspect.isasyncgen(generator)
    assert recorded_edges() == []

    async def main():
        return [item async for item in generator]

    assert asyncio.run(main()) == ["/a", "/b"]
    assert recorded_edges() == [IN, ("output", "file", "/a"), ("output", "file", "/b")]


def test_asend_and_athrow_reach_an_async_generator(recorded_edges):
    """`asend` and `athrow` reach the body."""
    received = []

    @both
    async def talk(project_id):
        received.append((yield "a"))
        try:
            yield "b"
        except Odd as error:
            received.append(error)
        yield "c"

    async def main():
        error = Odd("thrown")
        generator = talk(1)
        assert await generator.asend(None) == "a"
        assert await generator.asend("sent") == "b"
        assert await generator.athrow(error) == "c"
        with pytest.raises(StopAsyncIteration):
            await generator.asend(None)
        assert received == ["sent", error]

    asyncio.run(main())


def test_an_exception_thrown_into_an_async_generator_comes_back_unchanged(recorded_edges):
    """The same object, and the body cleaned up."""
    cleaned = []

    @both
    async def talk(project_id):
        try:
            yield "a"
        finally:
            cleaned.append(True)

    async def main():
        error = Odd("thrown")
        generator = talk(1)
        await generator.asend(None)
        with pytest.raises(Odd) as caught:
            await generator.athrow(error)
        assert caught.value is error
        assert error.__context__ is None

    asyncio.run(main())
    assert cleaned == [True]
    assert recorded_edges() == [IN]


def test_an_async_generator_closed_early_cleans_up_at_once(recorded_edges, caplog):
    """`aclose` runs the body's own clean-up before it returns."""
    cleaned = []

    @both
    async def load(project_id):
        try:
            yield "a"
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async def main():
        generator = load(1)
        await generator.asend(None)
        await generator.aclose()
        assert cleaned == [True]

    with caplog.at_level(logging.DEBUG, logger="autoflow"):
        asyncio.run(main())
    assert any("closed early" in line for line in caplog.messages)
    assert recorded_edges() == [IN]


def test_an_async_generator_left_behind_is_closed_by_its_loop(recorded_edges):
    """The event loop finalises the body through the driver."""
    cleaned = []

    @both
    async def load(project_id):
        try:
            yield "a"
            yield "b"
        finally:
            cleaned.append(True)

    async def main():
        async for _ in load(1):
            break
        gc.collect()

    asyncio.run(main())
    assert cleaned == [True]


def test_a_cancelled_async_generator_ends(recorded_edges):
    """Cancellation arrives in the body."""
    steps = []

    @both
    async def load(project_id):
        try:
            steps.append("waiting")
            await asyncio.Event().wait()
            yield "never"
        finally:
            steps.append("cleaned")

    async def main():
        async def consume():
            async for _ in load(1):
                pass

        task = asyncio.create_task(consume())
        while not steps:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert steps == ["waiting", "cleaned"]
    assert recorded_edges() == [IN]
