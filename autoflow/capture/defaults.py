"""Default of ``value=``: inferred at decoration from the function's signature and from what its code returns."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from autoflow.capture.binding import signature
from autoflow.capture.body import never_returns_a_value, yields
from autoflow.errors import DecorationError
from autoflow.model.entity_types import Direction, Kind, type_of_kind
from autoflow.model.path import Path

_RESULT = Path("result")


class Default(NamedTuple):
    """Path of the value by default; a guessed one is used only for values that carry their identity (an id)."""

    path: Path
    guessed: bool = False


def parameter_for(function: Any, kind: Kind) -> Path | None:
    """Return the path of the first parameter that is named after a kind."""
    names = {kind, f"{kind}_id", f"{kind}_info", f"{kind}s", f"{kind}_ids", *type_of_kind(kind).parameters}
    parameter = next((name for name in signature(function).parameters if name in names), None)
    return Path(parameter) if parameter is not None else None


def value_path(function: Any, direction: Direction, kind: Kind) -> Default | None:
    """Return the path of the default value: for an input a parameter, else the result; for an output the reverse.

    Raises:
        DecorationError: the function returns nothing, and has no parameter of the kind.
    """
    if kind == "app":
        return None
    parameter = parameter_for(function, kind)
    returns_none = _returns_none(function)
    if parameter is not None and (direction == "input" or returns_none or _may_return_none(function)):
        return Default(parameter)
    if returns_none:
        hint = '; the items that it yields are value="item"' if yields(function) else ""
        raise DecorationError(
            f"the function returns None and has no parameter {kind} or {kind}_id: name the {kind} with value={hint}"
        )
    return Default(_RESULT, guessed=direction == "input")


def version_path(function: Any, direction: Direction) -> Path:
    """Return the path of the project that `@versioned` saves by default.

    Raises:
        DecorationError: as `value_path`.
    """
    if direction == "input":
        return parameter_for(function, "project") or _RESULT
    default = value_path(function, direction, "project")
    return default.path if default is not None else _RESULT


def _returns_none(function: Any) -> bool:
    """Return whether a function's result is None: its annotation says so, or it has none and returns no value."""
    if inspect.isclass(function):
        return False  # a class's signature is that of __init__, but calling it returns the object
    annotation = signature(function).return_annotation
    if annotation is inspect.Signature.empty or yields(function):  # a generator's annotation is of what it yields
        return never_returns_a_value(function)
    if isinstance(annotation, str):
        return annotation.strip("'\"") == "None"
    return annotation is None or annotation is type(None)


def _may_return_none(function: Any) -> bool:
    """Return whether a function below another decorator returns no value; the wrapper may still return one."""
    inner = inspect.unwrap(function)
    if inner is function or yields(inner) or signature(inner).return_annotation is not inspect.Signature.empty:
        return False
    return never_returns_a_value(inner)
