"""How an integration changes a library: one method at a time, looking like the original."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from autoflow import settings


def around(owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
    """Put a function around a method or function; with ``AUTOFLOW_PROPAGATE=0`` the original is called.

    Args:
        owner: the class or module; a class may inherit it, as gevent's `threading.Thread` does.
        name: the attribute.
        wrapper: called with the original and its arguments, `self` included.

    Raises:
        AttributeError: the owner does not have it: another version of the library.
    """
    original = inspect.getattr_static(owner, name, None)
    if original is None:
        raise AttributeError(f"{owner!r} has no {name}")

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        if not settings.propagate():
            return original(*args, **kwargs)
        return wrapper(original, *args, **kwargs)

    setattr(owner, name, replacement)


def carrying(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A wrapper for methods whose first argument after `self` is the function that a worker will call."""
    from autoflow.runtime.propagation import carry

    if len(args) > 1 and callable(args[1]):
        args = (args[0], carry(args[1]), *args[2:])
    elif callable(kwargs.get("func")):
        kwargs["func"] = carry(kwargs["func"])
    return original(*args, **kwargs)
