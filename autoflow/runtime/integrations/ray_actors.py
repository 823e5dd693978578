"""Ray's actors: a call of a method belongs to the run that made it.

The methods of an actor's class are prepared before its first actor is made. That they take the run stands in their
signatures, which travel with every handle: a handle of an actor that was made without us sends nothing.
"""

from __future__ import annotations

import inspect
from typing import Any

from autoflow.guard import guard
from autoflow.runtime.context import enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.integrations.ray_calls import PARAMETER, accepting, with_parameter


def install(actor: Any) -> None:
    """Prepare classes when an actor is made, and send the run with each call."""
    patching.around(actor.ActorClass, "_remote", _create)
    patching.around(actor.ActorHandle, "_actor_method_call", _call)


def _create(original: Any, actor_class: Any, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
    with guard:
        metadata = actor_class.__ray_metadata__
        if not metadata.is_cross_language:
            if metadata.last_export_cluster_and_job is None:
                _prepare(metadata)
            kwargs = _with_run(metadata.method_meta.signatures.get("__init__"), kwargs)
    return original(actor_class, args, kwargs, *rest, **options)


def _call(
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


def _prepare(metadata: Any) -> None:
    """Have the methods of an actor's class take the run. The class is Ray's own subclass of the app's."""
    signatures = metadata.method_meta.signatures
    for name, signature in signatures.items():
        method = inspect.getattr_static(metadata.modified_class, name)
        if name.startswith("__ray_") or not inspect.isfunction(method):  # Ray's own; class- and static methods
            continue
        if any(parameter.name == PARAMETER.name for parameter in signature):
            continue
        setattr(metadata.modified_class, name, accepting(method))
        signatures[name] = with_parameter(signature)
