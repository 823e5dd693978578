"""The wrapper of a decorated function: transparent to introspection, and one for any number of stacked decorators.

The only module that imports wrapt.
"""

from __future__ import annotations

import sys
from typing import Any

import wrapt

from autoflow.capture import pickling
from autoflow.capture.drivers_importlib_bootstrap import drivers_for
from autoflow.capture.plan import Plan


def _annotations_of_wrapped() -> property:
    """Return a property of the wrapper's class that reads the wrapped function's annotations.

    Reading ``__annotations__`` of the class itself (`typing.get_type_hints`, `unittest.mock`) makes Python put an empty
    dict there, which would hide the annotations of every wrapped function.
    """

    def read(wrapper: Any) -> Any:
        return wrapper.__wrapped__.__annotations__

    def write(wrapper: Any, annotations: Any) -> None:
        wrapper.__wrapped__.__annotations__ = annotations

    return property(read, write)


def _class_of_wrapped() -> property:
    """Return a property that reads the wrapped function's class, or our own for a pickler that copies functions."""

    def read(wrapper: Any) -> Any:
        return (
            type(wrapper) if pickling.register_reducers(sys._getframe(1), _REDUCERS) else wrapper.__wrapped__.__class__
        )

    return property(read)


class BoundRecordedFunction(wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]
    """A decorated method bound to its instance."""

    __annotations__ = _annotations_of_wrapped()  # pyright: ignore[reportAssignmentType]
    __class__ = _class_of_wrapped()  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def __reduce_ex__(self, protocol: Any) -> Any:
        holder = getattr(self.__wrapped__, "__self__", None)
        return getattr, (self._self_owner if holder is None else holder, self.__name__)

    def __copy__(self) -> BoundRecordedFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> BoundRecordedFunction:
        return self


class RecordedFunction(wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """A decorated function, whose calls are recorded; to introspection, copies and pickles it is the function."""

    # Python calls the function in the slot directly: a method here would add a frame to each call
    __slots__ = ("__call__",)
    __annotations__ = _annotations_of_wrapped()  # pyright: ignore[reportAssignmentType]
    __class__ = _class_of_wrapped()  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    __bound_function_wrapper__ = BoundRecordedFunction

    def __init__(self, function: Any, plan: Plan) -> None:
        driver, direct = drivers_for(plan)
        super().__init__(function, driver)
        slot: Any = RecordedFunction.__dict__["__call__"]
        slot.__set__(self, direct)  # setattr would set it on the wrapped function
        self._self_plan = plan

    @property
    def autoflow(self) -> Plan:
        """The function's plan."""
        plan: Plan = self._self_plan
        return plan

    def __reduce_ex__(self, protocol: Any) -> Any:
        return pickling.by_name_or_value(self, _by_value, sys._getframe(1))

    def __copy__(self) -> RecordedFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> RecordedFunction:
        return self


def _by_value(recorded: RecordedFunction) -> Any:
    """Reduce a decorated function to the plain one and its decorators; created empty, as it may refer to itself."""
    return _empty, (), (recorded.__wrapped__, recorded.autoflow.declarations), None, None, _fill


def _empty() -> RecordedFunction:
    return RecordedFunction.__new__(RecordedFunction)


def _fill(recorded: RecordedFunction, state: tuple[Any, Any]) -> None:
    copy = pickling.redecorated(*state)
    RecordedFunction.__init__(recorded, copy.__wrapped__, copy.autoflow)


_REDUCERS = ((RecordedFunction, _by_value), (BoundRecordedFunction, lambda bound: bound.__reduce_ex__(4)))


def wrap(target: Any, plan: Plan) -> RecordedFunction:
    """Wrap a function; one that is wrapped already gets one wrapper with the specs of both plans."""
    if type(target) is RecordedFunction:
        return RecordedFunction(target.__wrapped__, target.autoflow.under(plan))
    return RecordedFunction(target, plan)


def undecorated(target: Any) -> Any:
    """Return the function below our own wrapper, if there is one."""
    return target.__wrapped__ if type(target) is RecordedFunction else target
