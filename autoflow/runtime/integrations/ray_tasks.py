"""Ray's tasks: a call belongs to the run that made it."""

from __future__ import annotations

from typing import Any

from autoflow.guard import guard
from autoflow.runtime.context import enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.integrations.ray_calls import PARAMETER, accepting

_ACCEPTS = "_autoflow_accepts"


def install(remote_function: Any) -> None:
    """Send the run with each call of a remote function."""
    patching.around(remote_function.RemoteFunction, "_remote", _remote)


def _remote(original: Any, task: Any, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
    with guard:
        if not task._is_cross_language:
            _accept(task)
            kwargs = {**(kwargs or {}), PARAMETER.name: enclosing_run().to_text()}
    return original(task, args, kwargs, *rest, **options)


def _accept(task: Any) -> None:
    """Put a function that takes the run in place of a remote function's own; one that was exported is exported anew."""
    with task._inject_lock:
        if getattr(task._function, _ACCEPTS, False):
            return
        function = accepting(task._function)
        setattr(function, _ACCEPTS, True)
        task._function = function
        task._function_signature = None
        task._last_export_cluster_and_job = None
