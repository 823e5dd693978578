"""Other people's decorators and callers: what they look at, and how they call."""

from __future__ import annotations

import asyncio
import inspect
import threading
import typing

import pytest

from autoflow import workflow_input, workflow_output
from autoflow.errors import TargetError

try:
    import click
    from click.testing import CliRunner
except ImportError:  # the core has no click; the platform's uvicorn brings it
    click = None

needs_click = pytest.mark.skipif(click is None, reason="click is not installed")


@workflow_output("file")
@workflow_input("project")
def export(project_id: int, fast: bool = False) -> str:
    """Export a project."""
    return f"/export/{project_id}"


EDGES = [("input", "project", 7), ("output", "file", "/export/7")]


def route(function):
    """A web framework's idea of a call: it reads the signature, converts text, and calls by keyword."""
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters

    def respond(**query):
        bound = {name: hints[name](query[name]) for name in parameters if name in query}
        answer = function(**bound)
        return asyncio.run(answer) if inspect.iscoroutinefunction(function) else answer

    return respond


@pytest.mark.core
def test_a_route_is_called_by_keyword(seen):
    """Signature and hints are the function's; the arguments arrive converted, by name."""
    assert route(export)(project_id="7") == "/export/7"
    assert seen() == EDGES


@pytest.mark.core
def test_an_async_route_is_known_as_one(seen):
    """A framework that asks whether to await gets the right answer."""

    @workflow_output("file")
    @workflow_input("project")
    async def export_async(project_id: int) -> str:
        return f"/export/{project_id}"

    assert route(export_async)(project_id="7") == "/export/7"
    assert seen() == EDGES


@pytest.mark.core
def test_a_callback_in_a_frameworks_thread_is_recorded(seen):
    """An event loop of its own, a thread of its own."""
    thread = threading.Thread(target=export, args=(7,))
    thread.start()
    thread.join()
    assert seen() == EDGES


@pytest.mark.core
def test_below_a_task_decorator_each_run_of_the_task_records(seen):
    """As with Celery: the task object holds our function, and runs it by name."""

    class Task:
        def __init__(self, function):
            self.run = function
            self.__name__, self.__module__ = function.__name__, function.__module__

        def delay(self, *args, **kwargs):
            return self(*args, **kwargs)

        def __call__(self, *args, **kwargs):
            return self.run(*args, **kwargs)

    task = Task(export)
    assert task.delay(7) == "/export/7"
    assert seen() == EDGES
    with pytest.raises(TargetError, match="below @task"):
        workflow_input("project", value=lambda call: 1)(task)


@pytest.mark.core
def test_partial_application_and_injection(seen):
    """A dependency injector wraps a function it has read."""
    import functools

    bound = functools.partial(export, fast=True)
    assert bound(7) == "/export/7"
    assert seen() == EDGES


@needs_click
def test_below_click_command_the_command_records(seen):
    """Options and arguments are click's."""

    @click.command()
    @click.option("--project-id", type=int)
    @workflow_input("project")
    def command(project_id):
        click.echo(f"loaded {project_id}")

    result = CliRunner().invoke(command, ["--project-id", "7"], catch_exceptions=False)
    assert (result.exit_code, result.output) == (0, "loaded 7\n")
    assert seen() == [("input", "project", 7)]


@needs_click
def test_over_click_command_it_is_refused():
    """Click runs `.main`, past a wrapper."""

    @click.command()
    def command():
        pass

    with pytest.raises(TargetError, match=r"below @click\.command"):
        workflow_input("project", value=lambda call: 1)(command)
