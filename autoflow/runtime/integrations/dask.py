"""Dask: a task of a `Client` belongs to the run that submitted it, a `dask.delayed` call to the run that made it.

A delayed call made outside of every run belongs to the run that computes it. Dask's schedulers for one machine need no
integration: they use pools of the standard library.
"""

from __future__ import annotations

import sys
from typing import Any

from autoflow.runtime.context import enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.lifecycle import NO_RUN
from autoflow.runtime.propagation import Propagated

_OPERATORS = {"builtins", "dask", "operator"}  # packages of operators and attributes of delayed values


def install_client(client: Any) -> None:
    """Carry the run with the functions of `submit` and `map`."""
    for name in ("submit", "map"):
        patching.wrap(client.Client, name, _submit)


def install_delayed(delayed: Any) -> None:
    """Carry the run with the function of each delayed call."""
    patching.wrap(delayed, "call_function", _call_function)


def _submit(original: Any, client: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
    return original(client, _Task(func, enclosing_run()) if callable(func) else func, *args, **kwargs)


def _call_function(original: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
    package = (getattr(func, "__module__", None) or "builtins").partition(".")[0]
    run = enclosing_run()
    if run is not NO_RUN and package not in _OPERATORS:
        func = _Task(func, run)
    return original(func, *args, **kwargs)


class _Task(Propagated):
    """A function with its run, whose Dask key is that of the function alone."""

    def __dask_tokenize__(self) -> Any:
        return sys.modules["dask.base"].normalize_token(self._fn)
