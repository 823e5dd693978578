"""Where a value is when the author does not say: decided at decoration, from the function's signature."""

from __future__ import annotations

import inspect
from typing import Any

from autoflow.capture.binding import signature
from autoflow.errors import DecorationError
from autoflow.model.entity import Direction, Kind
from autoflow.model.path import Path

_ALSO: dict[str, tuple[str, ...]] = {
    "file": ("file_path", "path", "remote_path"),
    "folder": ("folder_path", "path", "dir"),
}
_RESULT = Path("result")


def parameter_for(function: Any, kind: Kind) -> Path | None:
    """The first parameter whose name says that it is the kind."""
    wanted = {kind, f"{kind}_id", f"{kind}_info", f"{kind}s", f"{kind}_ids", *_ALSO.get(kind, ())}
    found = next((name for name in signature(function).parameters if name in wanted), None)
    return Path(found) if found is not None else None


def value_path(function: Any, direction: Direction, kind: Kind) -> Path | None:
    """The default value: for an input a parameter, else the result; for an output the other way round.

    Raises:
        DecorationError: an output of a function that returns None, with no parameter of the kind.
    """
    if kind == "app":
        return None
    found = parameter_for(function, kind)
    if direction == "input":
        return found or _RESULT
    if not _returns_none(function):
        return _RESULT
    if found is None:
        raise DecorationError(
            f"the function returns None and has no parameter {kind} or {kind}_id: say where the {kind} is with value="
        )
    return found


def _returns_none(function: Any) -> bool:
    if inspect.isclass(function):
        return False  # a class's signature is that of __init__, but what it gives is the object
    annotation = signature(function).return_annotation
    if isinstance(annotation, str):
        return annotation.strip("'\"") == "None"
    return annotation is None or annotation is type(None)
