"""Ray: a call of a task, or of an actor's method, belongs to the run that made it.

The methods of an actor's class are prepared before its first actor is created. Whether they take the run is part of
their signatures, which every handle carries: a handle of an actor that was created without autoflow sends nothing.
"""

from __future__ import annotations

import inspect
from typing import Any

from autoflow.guard import guard
from autoflow.runtime.context import enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.integrations.ray_calls import PARAMETER, accept_run, with_parameter

_ACCEPTS = "_autoflow_accepts"


def install_tasks(remote_function: Any) -> None:
    """Send the run with each call of a remote function."""
    patching.wrap(remote_function.RemoteFunction, "_remote", _call_task)


def install_actors(actor: Any) -> None:
    """Prepare a class when an actor is created, and send the run with each call."""
    patching.wrap(actor.ActorClass, "_remote", _create_actor)
    patching.wrap(actor.ActorHandle, "_actor_method_call", _call_method)


def _call_task(original: Any, task: Any, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
    with guard:
        if not task._is_cross_language:
            _prepare_task(task)
            kwargs = {**(kwargs or {}), PARAMETER.name: enclosing_run().to_text()}
    return original(task, args, kwargs, *rest, **options)


def _prepare_task(task: Any) -> None:
    """Replace a remote function's own function by one that takes the run; an exported one is exported again."""
    with task._inject_lock:
        if getattr(task._function, _ACCEPTS, False):
            return
        function = accept_run(task._function)
        setattr(function, _ACCEPTS, True)
        task._function = function
        task._function_signature = None
        task._last_export_cluster_and_job = None


def _create_actor(
    original: Any, actor_class: Any, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any
) -> Any:
    with guard:
        metadata = actor_class.__ray_metadata__
        if not metadata.is_cross_language:
            if metadata.last_export_cluster_and_job is None:
                _prepare_class(metadata)
            kwargs = _with_run(metadata.method_meta.signatures.get("__init__"), kwargs)
    return original(actor_class, args, kwargs, *rest, **options)


def _call_method(
    original: Any, handle: Any, method_name: str, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any
) -> Any:
    with guard:
        if not handle._ray_is_cross_language:
            kwargs = _with_run(handle._ray_method_signatures.get(method_name), kwargs)
    return original(handle, method_name, args, kwargs, *rest, **options)


def _with_run(signature: list[inspect.Parameter] | None, kwargs: Any) -> Any:
    """Return a call's keywords, with the run if the method takes it."""
    if signature is None or not any(parameter.name == PARAMETER.name for parameter in signature):
        return kwargs
    return {**(kwargs or {}), PARAMETER.name: enclosing_run().to_text()}


def _prepare_class(metadata: Any) -> None:
    """Have the methods of an actor's class take the run; the class is Ray's own subclass of the app's."""
    signatures = metadata.method_meta.signatures
    for name, signature in signatures.items():
        method = inspect.getattr_static(metadata.modified_class, name)
        if name.startswith("__ray_") or not inspect.isfunction(method):  # Ray's own; class- and static methods
            continue
        if any(parameter.name == PARAMETER.name for parameter in signature):
            continue
        setattr(metadata.modified_class, name, accept_run(method))
        signatures[name] = with_parameter(signature)
