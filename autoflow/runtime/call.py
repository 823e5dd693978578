"""The call, as selectors and callables see it: its parameters as attributes, and `result`, `value`, `task_id`."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from autoflow.errors import DecorationError, PathError
from autoflow.model.path import Path, Step

if TYPE_CHECKING:
    from autoflow.runtime.run import Run

RESERVED = ("result", "value", "item", "task_id", "team_id", "app_id", "args")  # the attributes of a `Call`
_UNSET = object()


class ResultPending(Exception):
    """The result was asked for before there is one: the edge is put off until after the body."""


class Call:
    """One call of a decorated function, or one imperative `run.input` / `run.output`.

    Parameters are attributes. The words `result`, `value`, `item` and `task_id` win over parameters of the same
    name; ``call.args.task_id`` reaches the parameter.
    """

    __slots__ = ("_arguments", "_result", "_run", "item", "value")

    def __init__(self, run: Run, arguments: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> None:
        self._run = run
        self._arguments = arguments
        self._result: Any = _UNSET
        self.value: Any = None
        self.item: Any = None

    @property
    def result(self) -> Any:
        """What the function returned.

        Raises:
            ResultPending: it has not yet.
        """
        if self._result is _UNSET:
            raise ResultPending
        return self._result

    @result.setter
    def result(self, result: Any) -> None:
        self._result = result

    @property
    def task_id(self) -> int | None:
        """The number of the run's task, None while it is not known."""
        return self._run.task_id

    @property
    def team_id(self) -> None:
        """Known to the sender only."""

    @property
    def app_id(self) -> None:
        """Known to the sender only."""

    @property
    def args(self) -> SimpleNamespace:
        """The parameters alone."""
        return SimpleNamespace(**parameters_of(self))

    def __getattr__(self, name: str) -> Any:
        parameters = parameters_of(self)
        if name not in parameters:
            raise AttributeError(f"the call has no parameter {name!r}; it has {', '.join(parameters)}")
        return parameters[name]


# What autoflow asks of a call is no attribute of it: attributes are the author's parameters.


def run_of(call: Call) -> Run:
    """The run a call is part of."""
    return call._run


def move(call: Call, run: Run) -> None:
    """Make a call part of another run: its own has ended before it."""
    call._run = run


def parameters_of(call: Call) -> Mapping[str, Any]:
    """A call's parameters by name, defaults included; worked out when first needed."""
    found = call._arguments
    if callable(found):
        found = call._arguments = found()
    return found


def getter(path: Path, *, report: bool = True) -> Callable[[Call], Any]:
    """Return a function that gives the value at a path of a call, None when it ends nowhere.

    It raises `ResultPending` when the path starts at the result, and there is none yet.

    Args:
        path: where the value is.
        report: keep a `PathError` in the run's failures when the path ends nowhere.
    """
    root, steps = path.root, path.steps
    start: Callable[[Call], Any] = (
        operator.attrgetter(root) if root in RESERVED else lambda call: parameters_of(call).get(root)
    )
    if not steps:
        return start
    if not report:
        return lambda call: path.follow(start(call))
    return lambda call: path.follow(start(call), lambda value, step: _ends_nowhere(call, path, value, step))


def _ends_nowhere(call: Call, path: Path, value: Any, step: Step) -> None:
    """Keep the failure, once a run: a call in a loop would push all others out."""
    run = run_of(call)
    wanted = "a list" if isinstance(step, tuple) else f"item {step}" if isinstance(step, int) else repr(step)
    verb = "is not" if isinstance(step, tuple) else "has no"
    error = PathError(f"the path {str(path)!r} ends nowhere: a {type(value).__name__} {verb} {wanted}")
    if str(error) not in map(str, run.failures):
        run.add_failure(error)
        run.debug("%s", error)


def one_argument(what: str, function: Callable[..., Any]) -> Callable[[Call], Any]:
    """Return a callable that an author wrote for an option, once it is certain that it takes the call.

    Raises:
        DecorationError: it takes no argument, or needs more than one, or it is asynchronous.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise DecorationError(f"{what}= is called where nothing can be awaited: write a function without async")
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # some builtins do not tell
        return function
    try:
        signature.bind(None)
    except TypeError:
        raise DecorationError(
            f"{what}= takes a callable of one argument, the call, as in {what}=lambda call: ...; "
            f"{getattr(function, '__name__', type(function).__name__)}{signature} cannot be called so"
        ) from None
    return function
