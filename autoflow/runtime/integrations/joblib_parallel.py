"""joblib: the calls of a `Parallel` belong to the run that called it, on every backend.

joblib hands out most calls from a thread of its own, in whose context the caller's run is not the current one. So each
call carries the run from the beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from autoflow.runtime.context import enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.propagation import Carried
from autoflow.runtime.run import Run


def install(parallel: Any) -> None:
    """Carry the run with each call that a `Parallel` is given."""
    patching.around(parallel.Parallel, "__call__", _call)


def _call(original: Any, parallel: Any, iterable: Iterable[Any]) -> Any:
    run = enclosing_run()
    if hasattr(iterable, "__len__"):
        return original(parallel, [_carried(call, run) for call in iterable])
    return original(parallel, _each(iter(iterable), run))


def _each(calls: Iterator[Any], run: Run) -> Iterator[Any]:
    for call in calls:
        yield _carried(call, run)


def _carried(call: Any, run: Run) -> Any:
    """Return a call as `joblib.delayed` makes it, with the run; anything else is joblib's to refuse."""
    if type(call) is tuple and len(call) == 3 and callable(call[0]):
        return Carried(call[0], run), *call[1:]
    return call
