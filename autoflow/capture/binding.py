"""Binding of a call's arguments to parameter names.

Computed once for each way a function can be bound, from the signature of the bound callable: with ``@classmethod``
outermost, Python 3.11 passes the class separately and 3.13 as the first argument.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

Getter = Callable[[tuple[Any, ...], dict[str, Any]], Any]

_EMPTY = inspect.Parameter.empty


def signature(function: Any) -> inspect.Signature:
    """Return the signature of a function, a class, a callable object, or what a descriptor wraps; any when unknown."""
    function = getattr(function, "__func__", function) if isinstance(function, staticmethod | classmethod) else function
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):  # some builtins
        return inspect.Signature([inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)])


class Binding:
    """The parameters of one bound form of a function.

    Args:
        called: the callable, with the instance already bound to it if there is one.
        raw: the undecorated function, whose first parameter is the name of the instance.
        bound: whether there is an instance (or class), for paths that start at ``self`` or ``cls``.
    """

    def __init__(self, called: Any, raw: Any, *, bound: bool) -> None:
        parameters = list(signature(called).parameters.values())
        self._positions = {
            parameter.name: index
            for index, parameter in enumerate(parameters)
            if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
        }
        self._defaults = {parameter.name: parameter.default for parameter in parameters}
        self._rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self._keywords = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
        self._instance_name: str | None = None
        if bound:
            first = next(iter(signature(raw).parameters), None)
            self._instance_name = first if first not in self._defaults else "self"

    def getter(self, name: str) -> Getter:
        """Return a function that reads one parameter from positional and keyword arguments, None when it is absent."""
        index = self._positions.get(name)
        default = self._defaults.get(name)
        default = None if default is _EMPTY else default
        if name not in self._defaults and self._keywords is None:
            return lambda args, kwargs: None
        if index is None:
            return lambda args, kwargs: kwargs.get(name, default)

        def get(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return args[index] if len(args) > index else kwargs.get(name, default)

        return get

    def arguments(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return all parameters by name, defaults included."""
        arguments = {name: value for name, value in self._defaults.items() if value is not _EMPTY}
        arguments.update(zip(self._positions, args, strict=False))
        if self._rest is not None:
            arguments[self._rest] = args[len(self._positions) :]
        extra = {name: value for name, value in kwargs.items() if name not in self._defaults}
        arguments.update(kwargs)
        if self._keywords is not None:
            arguments[self._keywords] = extra
        if self._instance_name is not None:
            arguments[self._instance_name] = instance
        return arguments


def names(function: Any) -> frozenset[str] | None:
    """Return the parameter names that paths may start at; None when the function takes any keyword."""
    parameters = signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)
