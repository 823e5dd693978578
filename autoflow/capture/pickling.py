"""Pickling of decorated functions: by name where the name leads to them, by value where a pickler copies functions.

`pickle` writes a function as its name. cloudpickle (loky, Dask, Ray, Spark) and dill copy a function that the other
process cannot import: one of ``__main__``, of a notebook, or defined inside another function. A decorated function is
copied as the plain function and the decorators to apply to it again, so that its copy records as well.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from types import FrameType, FunctionType
from typing import Any

Reducer = Callable[[Any], Any]


def by_name_or_value(function: Any, by_value: Reducer, caller: FrameType) -> Any:
    """Reduce a decorated function as the pickler at work reduces a plain one.

    Args:
        function: the decorated function.
        by_value: reduces it by value.
        caller: the frame that asked, which is the pickler's own when the pickler is written in Python.
    """
    copied = function.__module__ == "__main__" and _copies_functions(caller.f_locals.get("self"))
    return by_value(function) if copied or not _importable(function) else function.__qualname__


def _importable(function: Any) -> bool:
    """Return whether the function's module and qualified name lead to it."""
    found: Any = sys.modules.get(getattr(function, "__module__", None) or "")
    for name in getattr(function, "__qualname__", "<no name>").split("."):
        found = getattr(found, name, None)
    return found is function


def _copies_functions(pickler: Any) -> bool:
    """Return whether an object is a pickler in Python that writes functions in a way of its own, as dill's does."""
    dispatch = getattr(type(pickler), "dispatch", None)
    standard = getattr(sys.modules.get("pickle"), "_Pickler", None)
    if not isinstance(dispatch, dict) or standard is None:
        return False
    return dispatch.get(FunctionType) is not standard.save_global


def taught(caller: FrameType, reducers: Iterable[tuple[type, Reducer]]) -> bool:
    """Put reducers into the dispatch table of the pickler that calls, when it is one that copies functions.

    cloudpickle's `reducer_override` copies whatever claims to be a function, attribute by attribute, and would leave
    the decorators behind. What claims to be none is looked up in the pickler's own ``dispatch_table``, the documented
    place for reducers. It may be cloudpickle itself or any of the copies that other packages ship, imported before
    or after the decoration: so a pickler learns of us when it asks.

    Args:
        caller: the frame that asks what class a decorated function has.
        reducers: the classes of ours, and how each is reduced.

    Returns:
        Whether the caller is such a pickler, and looks into its table next.
    """
    if caller.f_code.co_name != "reducer_override":
        return False
    table = getattr(caller.f_locals.get("self"), "dispatch_table", None)
    if table is None or "list_registry_pickle_by_value" not in caller.f_globals:
        return False
    for kind, reduce in reducers:
        if kind not in table:
            table[kind] = functools.partial(_copy, reduce, caller.f_globals["list_registry_pickle_by_value"])
    return True


def _copy(by_value: Reducer, modules_by_value: Callable[[], Iterable[str]], function: Any) -> Any:
    """Reduce a decorated function for cloudpickle: by value what its module's readers cannot import."""
    module = getattr(function, "__module__", None) or "__main__"
    copied = module == "__main__" or any(f"{module}.".startswith(f"{name}.") for name in modules_by_value())
    return by_value(function) if copied or not _importable(function) else function.__qualname__


def redecorated(function: Any, declarations: Iterable[Callable[[], Any]]) -> Any:
    """Apply decorators again, the outermost first in `declarations`."""
    for declaration in reversed(tuple(declarations)):
        function = declaration()(function)
    return function
