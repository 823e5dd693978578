"""Functions of every kind, called as part of a run.

The run is entered for each step of the body and left between two: a context variable that stays set while a generator
waits would leak to its consumer.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from autoflow.runtime.context import use_run
from autoflow.runtime.run import Run


def within(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the same kind, as `inspect` tells kinds apart, whose body is part of a run."""
    for is_kind, shape in _SHAPES:
        if is_kind(fn):
            return shape(run, fn)
    return _plain(run, fn)


def _plain(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    def carried(*args: Any, **kwargs: Any) -> Any:
        with use_run(run):
            return fn(*args, **kwargs)

    return carried


def _coroutine(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    async def carried(*args: Any, **kwargs: Any) -> Any:
        with use_run(run):
            return await fn(*args, **kwargs)

    return carried


def _generator(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    def carried(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        body = fn(*args, **kwargs)
        resume: Callable[[Any], Any] = body.send
        sent: Any = None
        while True:
            with use_run(run):
                try:
                    item = resume(sent)
                except StopIteration as stop:
                    return stop.value
            try:
                sent, resume = (yield item), body.send
            except GeneratorExit:
                with use_run(run):
                    body.close()
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in by the consumer: it is the body's
                sent, resume = error, body.throw

    return carried


def _async_generator(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    async def carried(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        body = fn(*args, **kwargs)
        resume: Callable[[Any], Any] = body.asend
        sent: Any = None
        while True:
            with use_run(run):
                try:
                    item = await resume(sent)
                except StopAsyncIteration:
                    return
            try:
                sent, resume = (yield item), body.asend
            except GeneratorExit:
                with use_run(run):
                    await body.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in by the consumer: it is the body's
                sent, resume = error, body.athrow

    return carried


_SHAPES = (
    (inspect.iscoroutinefunction, _coroutine),
    (inspect.isgeneratorfunction, _generator),
    (inspect.isasyncgenfunction, _async_generator),
)
