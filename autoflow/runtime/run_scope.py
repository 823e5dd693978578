"""Binds functions to a run: their bodies are part of the run, wherever they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from autoflow.runtime.context import RunScope, current
from autoflow.runtime.generators_importlib_bootstrap import (
    AsyncIteration,
    Iteration,
    async_generator_function,
    generator_function,
)
from autoflow.runtime.run import Run


def bind_to_run(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the same kind (plain, coroutine, generator, async generator) whose body is part of a run."""
    for is_kind, bind in _BINDERS:
        if is_kind(fn):
            return bind(run, fn)
    return _function(run, fn)


def _function(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    def bound(*args: Any, **kwargs: Any) -> Any:
        with RunScope(run):
            return fn(*args, **kwargs)

    return bound


def _coroutine(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    async def bound(*args: Any, **kwargs: Any) -> Any:
        with RunScope(run):
            return await fn(*args, **kwargs)

    return bound


def _generator(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    def start(*args: Any, **kwargs: Any) -> Iteration:
        return Iteration(fn(*args, **kwargs), partial(current.set, run), current.reset)

    return generator_function(start)


def _async_generator(run: Run, fn: Callable[..., Any]) -> Callable[..., Any]:
    async def start(*args: Any, **kwargs: Any) -> AsyncIteration:
        return AsyncIteration(fn(*args, **kwargs), partial(current.set, run), current.reset)

    return async_generator_function(start)


_BINDERS = (
    (inspect.iscoroutinefunction, _coroutine),
    (inspect.isgeneratorfunction, _generator),
    (inspect.isasyncgenfunction, _async_generator),
)
