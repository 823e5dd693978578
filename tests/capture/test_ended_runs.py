"""A call that goes on beyond its run records nothing more in it."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from autoflow import workflow, workflow_input, workflow_output

pytestmark = pytest.mark.core


@workflow_input("project", value="item")
def read(count):
    yield from range(1, count + 1)


@workflow_input("project")
@workflow_output("folder", value="result")
def work(project_id, meanwhile):
    meanwhile()
    return f"/results/{project_id}"


@workflow_input("project")
@workflow_output("folder", value="result")
async def wait(project_id, gate):
    await gate.wait()
    return f"/results/{project_id}"


def runs(captured):
    """The run of each recorded thing, and the runs that are marked unattributed."""
    marked = {record["run"] for record in captured.records if record["type"] == "run" and "unattributed" in record}
    return {edge.id: edge.run for edge in captured.edges}, marked


def test_a_generator_that_outlives_its_run_records_items_where_it_is_consumed(captured):
    """In the next run, not in the one that has ended."""
    with workflow("first") as first:
        items = read(3)
        assert next(items) == 1
    with workflow("second") as second:
        assert list(items) == [2, 3]
    assert runs(captured) == ({1: first.key, 2: second.key, 3: second.key}, set())


def test_a_function_that_outlives_its_run_records_its_output_elsewhere(captured):
    """Another thread closed the run meanwhile."""
    opened = workflow("closed by another")
    run = opened.__enter__()
    context = contextvars.copy_context()
    context.run(work, 1, lambda: contextvars.Context().run(opened.__exit__, None, None, None))
    edges, unattributed = runs(captured)
    assert edges[1] == run.key
    assert unattributed == {edges["/results/1"]}


def test_a_task_that_outlives_its_run_records_its_output_elsewhere(captured):
    """It was created inside, and ends outside."""

    async def main():
        gate = asyncio.Event()
        async with workflow("first") as first:
            task = asyncio.create_task(wait(1, gate))
            await asyncio.sleep(0)
        async with workflow("second") as second:
            gate.set()
            await task
        return first.key, second.key

    first, second = asyncio.run(main())
    edges, unattributed = runs(captured)
    assert edges[1] == first
    assert edges["/results/1"] not in {first, second}
    assert unattributed == {edges["/results/1"]}
