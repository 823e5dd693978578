"""Functions for Ray's workers that take the caller's run as an additional parameter.

Ray pickles a function once and calls it many times, so the run is passed with each call: as a keyword that the function
in the worker removes, as Ray's own tracing does. These functions are pickled by value and import autoflow only when
they are called: where a worker's environment lacks it, the app's function is called as it is.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

PARAMETER = inspect.Parameter("_autoflow_run", inspect.Parameter.KEYWORD_ONLY, default=None)


def accept_run(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the same kind that takes the run too, and is part of it."""
    bind = _function
    if inspect.iscoroutinefunction(function):
        bind = _coroutine
    elif inspect.isasyncgenfunction(function):
        bind = _async_generator
    bound = functools.wraps(function)(bind(function))
    signature = inspect.signature(function)
    bound.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=with_parameter(list(signature.parameters.values()))
    )
    return bound


def with_parameter(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    """Return parameters with the run's, which precedes ``**kwargs``."""
    keywords = [parameter for parameter in parameters if parameter.kind is parameter.VAR_KEYWORD]
    others = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
    return [*others, PARAMETER, *keywords]


def _function(function: Callable[..., Any]) -> Callable[..., Any]:
    def bound(*args: Any, _autoflow_run: str | None = None, **kwargs: Any) -> Any:
        try:
            from autoflow.runtime.lifecycle import run_from_pickle
            from autoflow.runtime.run_scope import bind_to_run
        except ImportError:
            return function(*args, **kwargs)
        if _autoflow_run is None:
            return function(*args, **kwargs)
        return bind_to_run(run_from_pickle(_autoflow_run), function)(*args, **kwargs)

    return bound


def _coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    call = _function(function)

    async def bound(*args: Any, **kwargs: Any) -> Any:
        return await call(*args, **kwargs)

    return bound


def _async_generator(function: Callable[..., Any]) -> Callable[..., Any]:
    call = _function(function)

    async def bound(*args: Any, **kwargs: Any) -> Any:
        async for item in call(*args, **kwargs):
            yield item

    return bound
