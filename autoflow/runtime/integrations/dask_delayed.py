"""`dask.delayed`: a call belongs to the run that made it, and outside of every run to the one that computes it."""

from __future__ import annotations

from typing import Any

from autoflow.runtime.context import enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.integrations.dask_client import task
from autoflow.runtime.lifecycle import NO_RUN

_NOT_THE_APPS = {"builtins", "dask", "operator"}  # operators and attributes of delayed values


def install(delayed: Any) -> None:
    """Carry the run with the function of each delayed call."""
    patching.around(delayed, "call_function", _call)


def _call(original: Any, func: Any, *args: Any, **kwargs: Any) -> Any:
    module = getattr(func, "__module__", None) or "builtins"
    if enclosing_run() is not NO_RUN and module.partition(".")[0] not in _NOT_THE_APPS:
        func = task(func)
    return original(func, *args, **kwargs)
