"""`Call`, the argument of selectors and callables: parameters as attributes, and `result`, `value`, `task_id`."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from autoflow.errors import DecorationError, PathError
from autoflow.model.path import Path, PathStep
from autoflow.runtime.recorder import Recorder

# attributes of a `Call` other than parameters: the reserved words of paths and templates
RESERVED = ("result", "value", "item", "task_id", "team_id", "app_id", "args")
_UNSET = object()


class ResultPending(Exception):
    """The result was read before the function returned; the edge is recorded after the body."""


class Call:
    """One call of a decorated function, or one imperative `run.input` / `run.output`.

    Parameters are attributes. The words of `RESERVED` take precedence over parameters of the same name;
    ``call.args.task_id`` is the parameter.

    Attributes:
        value: the entity that is being recorded.
    """

    __slots__ = ("_arguments", "_recorder", "_result", "_yielded", "value")

    def __init__(self, recorder: Recorder, arguments: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> None:
        self._recorder = recorder
        self._arguments = arguments
        self._result: Any = _UNSET
        self.value: Any = None
        self._yielded: Any = None

    @property
    def result(self) -> Any:
        """The function's return value.

        Raises:
            ResultPending: the function has not returned yet.
        """
        if self._result is _UNSET:
            raise ResultPending
        return self._result

    @result.setter
    def result(self, result: Any) -> None:
        self._result = result

    @property
    def item(self) -> Any:
        """The item that a generator yielded last."""
        return self._yielded

    @property
    def task_id(self) -> int | None:
        """The id of the run's task; None while it is unknown."""
        return self._recorder.task_id

    @property
    def team_id(self) -> None:
        """None: only the sender knows it."""

    @property
    def app_id(self) -> None:
        """None: only the sender knows it."""

    @property
    def args(self) -> SimpleNamespace:
        """The parameters alone."""
        return SimpleNamespace(**parameters_of(self))

    def __getattr__(self, name: str) -> Any:
        parameters = parameters_of(self)
        if name not in parameters:
            raise AttributeError(f"the call has no parameter {name!r}; it has {', '.join(parameters)}")
        return parameters[name]


# What autoflow reads of a call is a function, not an attribute: attributes are the author's parameters.


def recorder_of(call: Call) -> Recorder:
    """Return the recorder of the run that a call is part of."""
    return call._recorder


def move_to_run(call: Call, recorder: Recorder) -> None:
    """Make a call part of another run, because its own ended first."""
    call._recorder = recorder


def set_yielded(call: Call, item: Any) -> None:
    """Set the item that the generator yielded."""
    call._yielded = item


def parameters_of(call: Call) -> Mapping[str, Any]:
    """Return a call's parameters by name, defaults included; computed at first use."""
    parameters = call._arguments
    if callable(parameters):
        parameters = call._arguments = parameters()
    return parameters


def getter(path: Path, *, report: bool = True) -> Callable[[Call], Any]:
    """Return a function that returns the value at a path of a call, None when the path cannot be followed.

    It raises `ResultPending` when the path starts at the result and the function has not returned yet.

    Args:
        path: the path of the value.
        report: add a `PathError` to the run's failures when the path cannot be followed.
    """
    root, steps = path.root, path.steps
    start: Callable[[Call], Any] = (
        operator.attrgetter(root) if root in RESERVED else lambda call: parameters_of(call).get(root)
    )
    if not steps:
        return start
    if not report:
        return lambda call: path.follow(start(call))
    return lambda call: path.follow(start(call), lambda value, step: _report_dead_end(call, path, value, step))


def _report_dead_end(call: Call, path: Path, value: Any, step: PathStep) -> None:
    """Add a failure, once a run: a call in a loop would push all others out."""
    recorder = recorder_of(call)
    expected = "a list" if isinstance(step, tuple) else f"item {step}" if isinstance(step, int) else repr(step)
    verb = "is not" if isinstance(step, tuple) else "has no"
    error = PathError(f"the path {str(path)!r} cannot be followed: a {type(value).__name__} {verb} {expected}")
    if str(error) not in map(str, recorder.failures):
        recorder.add_failure(error)
        recorder.debug("%s", error)


def check_callable(option: str, function: Callable[..., Any]) -> Callable[[Call], Any]:
    """Return an author's callable for an option, after checking that it takes the call as its only argument.

    Raises:
        DecorationError: it takes no argument, or needs more than one, or it is asynchronous.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise DecorationError(f"{option}= is called where nothing can be awaited: write a function without async")
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # some builtins have none
        return function
    try:
        signature.bind(None)
    except TypeError:
        raise DecorationError(
            f"{option}= takes a callable of one argument, the call, as in {option}=lambda call: ...; "
            f"{getattr(function, '__name__', type(function).__name__)}{signature} cannot be called that way"
        ) from None
    return function
