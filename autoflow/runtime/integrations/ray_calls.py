"""Functions for Ray's workers that take the caller's run as a parameter of their own.

Ray pickles a function once and calls it many times: the run goes with each call. It is a keyword that the function in
the worker takes off again, as Ray's own tracing does it. These functions are pickled by value and look for autoflow
only when they are called: where a worker's environment lacks it, the app's function is called as it is.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

PARAMETER = inspect.Parameter("_autoflow_run", inspect.Parameter.KEYWORD_ONLY, default=None)


def accepting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the same kind that takes the run as well, and is part of it."""
    shape = _plain
    if inspect.iscoroutinefunction(function):
        shape = _coroutine
    elif inspect.isasyncgenfunction(function):
        shape = _async_generator
    carried = functools.wraps(function)(shape(function))
    carried.__signature__ = accepting_signature(inspect.signature(function))  # type: ignore[attr-defined]
    return carried


def accepting_signature(signature: inspect.Signature) -> inspect.Signature:
    """Return a signature with the run's parameter."""
    return signature.replace(parameters=with_parameter(list(signature.parameters.values())))


def with_parameter(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    """Return parameters and the run's, which stands before ``**kwargs``."""
    keywords = [one for one in parameters if one.kind is one.VAR_KEYWORD]
    return [one for one in parameters if one.kind is not one.VAR_KEYWORD] + [PARAMETER] + keywords


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def carried(*args: Any, _autoflow_run: str | None = None, **kwargs: Any) -> Any:
        try:
            from autoflow.runtime.lifecycle import run_from_pickle
            from autoflow.runtime.run_scope import bind_to_run
        except ImportError:
            return function(*args, **kwargs)
        if _autoflow_run is None:
            return function(*args, **kwargs)
        return bind_to_run(run_from_pickle(_autoflow_run), function)(*args, **kwargs)

    return carried


def _coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    plain = _plain(function)

    async def carried(*args: Any, **kwargs: Any) -> Any:
        return await plain(*args, **kwargs)

    return carried


def _async_generator(function: Callable[..., Any]) -> Callable[..., Any]:
    plain = _plain(function)

    async def carried(*args: Any, **kwargs: Any) -> Any:
        async for item in plain(*args, **kwargs):
            yield item

    return carried
