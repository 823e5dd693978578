"""What a type checker must see: every decorator gives back the type it was given. Checked, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

from typing_extensions import assert_type

from autoflow import (
    WorkflowMeta,
    WorkflowSettings,
    cards,
    current_run,
    propagate,
    select,
    versioned,
    workflow,
    workflow_input,
    workflow_output,
)


@workflow_input("project")
def plain(project_id: int, fast: bool = False) -> str:
    return str(project_id)


@versioned(title="T", description=lambda call: call.project_id, types=("images",), after=False)
@workflow_input("project", value="project_id", when={"fast": True}, title="{value.name}")
@workflow_output("file", card=cards.archive, node=lambda call: WorkflowSettings(title="x"), node_title=None)
def stacked(project_id: int, fast: bool = False) -> str:
    return str(project_id)


@versioned
def bare(project_id: int) -> float:
    return 1.0


@workflow_output("file", value=select.best_checkpoint("result"), meta=WorkflowMeta(), model_weight=True)
async def coroutine(project_id: int) -> list[str]:
    return []


@workflow_output("file", value="item")
def generator(project_id: int) -> Iterator[int]:
    yield project_id


@workflow_output("file", value="item", icon="a", icon_color=lambda call: "b", icon_bg_color="c")
async def async_generator(project_id: int) -> AsyncIterator[int]:
    yield project_id


class Loader:
    @workflow_input("project", task_id="project_id", version="#3")
    def method(self, project_id: int) -> str:
        return str(project_id)

    @classmethod
    @workflow_input("project", version=3)
    def of_class(cls, project_id: int) -> Loader:
        return cls()

    @staticmethod
    @workflow_input("project")
    def static(project_id: int) -> bytes:
        return b""


@workflow("Train", parameters={"epochs": 3}, task_id=5)
def main(epochs: int) -> int:
    return epochs


@workflow()
async def main_async(epochs: int) -> int:
    return epochs


def uses() -> None:
    assert_type(plain(3, fast=True), str)
    assert_type(stacked(3), str)
    assert_type(bare(3), float)
    assert_type(generator(3), Iterator[int])
    assert_type(async_generator(3), AsyncIterator[int])
    assert_type(Loader().method(3), str)
    assert_type(Loader.of_class(3), Loader)
    assert_type(Loader.static(3), bytes)
    assert_type(main(3), int)
    assert_type(propagate(plain)(3), str)
    decorate: Callable[[Callable[[int], int]], Callable[[int], int]] = workflow_input("project")
    decorate(lambda number: number)
    with workflow("Train") as run:
        run.input("project", 7, title="x")
        assert_type(run.task_id, int | None)
        assert_type(run.failures, list[Exception])
    current_run().node(title="x")


async def uses_async() -> None:
    assert_type(await coroutine(3), list[str])
    assert_type(await main_async(3), int)
    async with workflow("Train") as run:
        assert_type(run.key, str)
