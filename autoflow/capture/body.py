"""The function inside a callable, and what its code says: whether it yields, and whether it returns a value.

The code is read, not the source, which may not be at hand.
"""

from __future__ import annotations

import dis
import functools
import inspect
from types import CodeType
from typing import Any


def body_of(function: Any) -> Any:
    """Return the function that runs: inside partials, behind ``__call__``, in a class- or staticmethod."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, staticmethod | classmethod):
            function = function.__func__
        elif inspect.isroutine(function) or inspect.isclass(function):
            return function
        else:
            return type(function).__call__


def yields(function: Any) -> bool:
    """Return whether a function is a generator function, of either kind."""
    body = body_of(function)
    return inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body)


def never_returns_a_value(function: Any) -> bool:
    """Return whether every way out of a function returns None; False where that cannot be known.

    Unknown are functions without bytecode (a class, a builtin) and those that never return, as stubs that raise.
    """
    body = body_of(function)
    code = getattr(body, "__code__", None)
    if inspect.isclass(body) or not isinstance(code, CodeType):
        return False
    instructions = [one for one in dis.get_instructions(code) if one.opname not in _NO_OPERATION]
    ends = [
        _returns_none(before, one)
        for before, one in zip([None, *instructions], instructions, strict=False)
        if one.opname.startswith("RETURN_") and one.opname != "RETURN_GENERATOR"
    ]
    return bool(ends) and all(ends)


_NO_OPERATION = {"EXTENDED_ARG", "NOP", "CACHE"}


def _returns_none(before: dis.Instruction | None, instruction: dis.Instruction) -> bool:
    if instruction.opname == "RETURN_CONST":
        return instruction.argval is None
    if instruction.is_jump_target or before is None:  # as in `return a or None`
        return False
    return before.opname == "LOAD_CONST" and before.argval is None
