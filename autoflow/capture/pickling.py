"""Pickling of decorated functions: by name when they can be imported, by value when the pickler copies functions.

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
    """Reduce a decorated function in the way that the running pickler reduces a plain one.

    Args:
        function: the decorated function.
        by_value: reduces it by value.
        caller: the calling frame, which is the pickler's own when the pickler is written in Python.
    """
    copied = function.__module__ == "__main__" and _copies_functions(caller.f_locals.get("self"))
    return by_value(function) if copied or not _importable(function) else function.__qualname__


def _importable(function: Any) -> bool:
    """Return whether the function can be imported by its module and qualified name."""
    target: Any = sys.modules.get(getattr(function, "__module__", None) or "")
    for name in getattr(function, "__qualname__", "<no name>").split("."):
        target = getattr(target, name, None)
    return target is function


def _copies_functions(pickler: Any) -> bool:
    """Return whether an object is a pickler written in Python that pickles functions by value, such as dill's."""
    dispatch = getattr(type(pickler), "dispatch", None)
    standard = getattr(sys.modules.get("pickle"), "_Pickler", None)
    if not isinstance(dispatch, dict) or standard is None:
        return False
    return dispatch.get(FunctionType) is not standard.save_global


def register_reducers(caller: FrameType, reducers: Iterable[tuple[type, Reducer]]) -> bool:
    """Register reducers in the dispatch table of the calling pickler, when it is one that copies functions.

    cloudpickle's `reducer_override` copies every object whose class is a function's, attribute by attribute, which
    would drop the decorators. Objects of other classes are looked up in the pickler's own ``dispatch_table``, the
    documented extension point. The pickler may be cloudpickle itself or a copy that another package ships, imported
    before or after the decoration: so reducers are registered when a pickler reads a decorated function's class.

    Args:
        caller: the frame that reads the class of a decorated function.
        reducers: our classes, with the reducer of each.

    Returns:
        Whether the caller is such a pickler, which reads its table next.
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
    """Reduce a decorated function for cloudpickle: by value when the other process cannot import it."""
    module = getattr(function, "__module__", None) or "__main__"
    copied = module == "__main__" or any(f"{module}.".startswith(f"{name}.") for name in modules_by_value())
    return by_value(function) if copied or not _importable(function) else function.__qualname__


def redecorated(function: Any, declarations: Iterable[Callable[[], Any]]) -> Any:
    """Apply decorators again, the outermost first in `declarations`."""
    for declaration in reversed(tuple(declarations)):
        function = declaration()(function)
    return function
