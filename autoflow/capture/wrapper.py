"""The wrapper around a decorated function: transparent to whoever looks at it, and one however many are stacked.

The only place that knows wrapt.
"""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter
from typing import Any

import wrapt

from autoflow.capture.drivers_importlib_bootstrap import drivers_for
from autoflow.capture.plan import Plan


def _annotations_of_wrapped() -> property:
    """The wrapped function's annotations, as an entry of the wrapper's class.

    Whoever asks that class for annotations of its own (`typing.get_type_hints`, `unittest.mock`) makes Python put an
    empty dict there, which would then hide every wrapped function's.
    """

    def read(wrapper: Any) -> Any:
        return wrapper.__wrapped__.__annotations__

    def write(wrapper: Any, annotations: Any) -> None:
        wrapper.__wrapped__.__annotations__ = annotations

    return property(read, write)


class BoundRecorded(wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]
    """A decorated method bound to its instance."""

    __annotations__ = _annotations_of_wrapped()  # pyright: ignore[reportAssignmentType]

    def __reduce_ex__(self, protocol: Any) -> Any:
        holder = getattr(self.__wrapped__, "__self__", None)
        if holder is None:  # looked up on the class, or static
            return _named, (self.__module__, self.__qualname__)
        return getattr, (holder, self.__name__)

    def __copy__(self) -> BoundRecorded:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> BoundRecorded:
        return self


class Recorded(wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """A function and what is recorded of its calls. It is the function to introspection, copies and pickles."""

    # Python calls what stands in the slot: a method here would be one more frame in each call of the function
    __slots__ = ("__call__",)
    __annotations__ = _annotations_of_wrapped()  # pyright: ignore[reportAssignmentType]
    __bound_function_wrapper__ = BoundRecorded

    def __init__(self, function: Any, plan: Plan) -> None:
        driver, direct = drivers_for(plan)
        super().__init__(function, driver)
        slot: Any = Recorded.__dict__["__call__"]
        slot.__set__(self, direct)  # setattr would set it on the wrapped function
        self._self_plan = plan

    @property
    def autoflow(self) -> Plan:
        """What is recorded."""
        plan: Plan = self._self_plan
        return plan

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__qualname__

    def __copy__(self) -> Recorded:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Recorded:
        return self


def _named(module: str, name: str) -> Any:
    """What a pickle names: a function of a class by its qualified name."""
    return attrgetter(name)(import_module(module))


def wrap(target: Any, plan: Plan) -> Recorded:
    """Wrap a function; a wrapped one is not wrapped again but given the plan's specs on top of its own."""
    if type(target) is Recorded:
        return Recorded(target.__wrapped__, target.autoflow.under(plan))
    return Recorded(target, plan)


def undecorated(target: Any) -> Any:
    """The function below our own wrapper, if there is one."""
    return target.__wrapped__ if type(target) is Recorded else target
