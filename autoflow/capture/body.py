"""Inspection of a callable's body: whether it yields, and whether it returns a value.

The bytecode is read, because the source may be unavailable.
"""

from __future__ import annotations

import dis
import functools
import inspect
from types import CodeType
from typing import Any


def body_of(function: Any) -> Any:
    """Return the function that runs: unwrapped from partials, ``__call__``, class- and static methods."""
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
    """Return whether every exit of a function returns None; False when unknown.

    Unknown are functions without bytecode (a class, a builtin) and those that never return, such as stubs that raise.
    """
    body = body_of(function)
    code = getattr(body, "__code__", None)
    if inspect.isclass(body) or not isinstance(code, CodeType):
        return False
    instructions = [entry for entry in dis.get_instructions(code) if entry.opname not in _NO_OPERATION]
    exits = [
        _returns_none(previous, instruction)
        for previous, instruction in zip([None, *instructions], instructions, strict=False)
        if instruction.opname.startswith("RETURN_") and instruction.opname != "RETURN_GENERATOR"
    ]
    return bool(exits) and all(exits)


_NO_OPERATION = {"EXTENDED_ARG", "NOP", "CACHE"}


def _returns_none(previous: dis.Instruction | None, instruction: dis.Instruction) -> bool:
    if instruction.opname == "RETURN_CONST":
        return instruction.argval is None
    if instruction.is_jump_target or previous is None:  # as in `return a or None`
        return False
    return previous.opname == "LOAD_CONST" and previous.argval is None
