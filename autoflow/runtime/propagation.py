"""Functions that carry the run they were submitted in: `propagate`, for authors, and `carry`, for integrations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

from autoflow.runtime.context import current, current_run, enclosing_run
from autoflow.runtime.lifecycle import run_from_pickle
from autoflow.runtime.run import Run
from autoflow.runtime.run_scope import bind_to_run

F = TypeVar("F", bound=Callable[..., Any])


class Carried:
    """A function with the run it belongs to; pickles with the run, if the function does."""

    def __init__(self, fn: Callable[..., Any], run: Run) -> None:
        self._fn = fn
        self._run = run

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as part of the run."""
        token = current.set(self._run)
        try:
            return self._fn(*args, **kwargs)
        finally:
            current.reset(token)

    def __reduce__(self) -> Any:
        return type(self)._from_pickle, (self._fn, self._run.to_text())

    @classmethod
    def _from_pickle(cls, fn: Callable[..., Any], text: str) -> Carried:
        return cls(fn, run_from_pickle(text))


class Propagated(Carried):
    """A `Carried` that frameworks treat as a plain function.

    Ray and others check `inspect.isfunction`, and cloudpickle pickles such an object by its code and closure: both are
    those of a real function that does the same.
    """

    def __init__(self, fn: Callable[..., Any], run: Run) -> None:
        super().__init__(fn, run)
        functools.update_wrapper(self, fn, updated=())
        self._function = functools.wraps(fn)(bind_to_run(run, fn))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as part of the run; the body of a coroutine or a generator too."""
        return self._function(*args, **kwargs)

    __class__ = property(lambda self: FunctionType)  # pyright: ignore[reportIncompatibleMethodOverride] - never set

    def __getattr__(self, name: str) -> Any:
        if name == "_function":  # the object is being copied
            raise AttributeError(name)
        return getattr(self._function, name)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


def propagate(fn: F) -> F:
    """Carry the current run to where no integration does: ``queue.put(propagate(work))``, ``ray.remote(propagate(f))``.

    Returns:
        A function like `fn` that records into this run, in whatever thread or process it is called; pickles if `fn`
        does.
    """
    return Propagated(fn, current_run())  # type: ignore[return-value]


def carry(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function for a worker, with the run that it belongs to, if any."""
    return Carried(fn, enclosing_run())
