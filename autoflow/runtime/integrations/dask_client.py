"""Dask's `Client`: a task belongs to the run that submitted it.

Dask's schedulers for one machine need nothing here: they use pools of the standard library.
"""

from __future__ import annotations

import sys
from typing import Any

from autoflow.runtime.context import enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.propagation import Propagated


def install(client: Any) -> None:
    """Carry the run with the functions of `submit` and `map`."""
    for name in ("submit", "map"):
        patching.around(client.Client, name, _submit)


def _submit(original: Any, client: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
    return original(client, task(func) if callable(func) else func, *args, **kwargs)


def task(func: Any) -> Any:
    """Return a function with the current run."""
    return _Task(func, enclosing_run())


class _Task(Propagated):
    """A function with its run, under the key that Dask makes for the function alone."""

    def __dask_tokenize__(self) -> Any:
        return sys.modules["dask.base"].normalize_token(self._fn)
