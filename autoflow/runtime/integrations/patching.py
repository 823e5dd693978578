"""Wrapping of one function or method of a library, so that it looks like the original."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from autoflow import settings


def wrap(owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
    """Replace a function or method by one that calls `wrapper`; with ``AUTOFLOW_PROPAGATE=0`` it calls the original.

    Args:
        owner: the class or module; a class may inherit the method, as gevent's `threading.Thread` does.
        name: the attribute.
        wrapper: called with the original and its arguments, `self` included.

    Raises:
        AttributeError: the owner does not have the attribute: another version of the library.
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
