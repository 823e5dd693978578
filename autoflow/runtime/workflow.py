"""`workflow`: a run of an app, as a context manager, an async context manager, or a decorator."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from contextvars import Token
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from autoflow.errors import DecorationError
from autoflow.guard import guard
from autoflow.model.card import WorkflowSettings
from autoflow.runtime import app_name, context, destination, integrations, lifecycle, logs
from autoflow.runtime.card_options import CardOptions
from autoflow.runtime.generators_importlib_bootstrap import (
    AsyncIteration,
    Iteration,
    async_generator_function,
    generator_function,
)
from autoflow.runtime.recorder import new_key
from autoflow.runtime.run import Run

F = TypeVar("F", bound=Callable[..., Any])


class _Opened(NamedTuple):
    """State that opening a run changed, restored when it closes."""

    run: Run
    token: Token[Run | None] | None  # None for generators: their run is current only during a step of the body
    pid: int  # a forked child leaves its parent's block too, and must not end its run


class workflow:  # noqa: N801 - reads as a statement: with workflow("Train"):
    """A run: ``with workflow("Train YOLO") as run:``, ``async with``, or ``@workflow("Train YOLO")`` on a function.

    Each entry, and each call of the decorated function, is a new run. No failure of it reaches the app.

    Args:
        name: the app's name; default the function's, or the script's.
        task_id: the task's id; default the environment's, else our server assigns one.
        api: the SDK's Api or ours: its server, its task id, its way to save versions.
        server: destination of the run's records; overrides the environment.
        team_id, workspace_id: ids on the server.
        node: a WorkflowSettings for the run's own card.
        parameters: the app's parameters, stored with its task; secrets are masked.
        log: store the app's `logging` output as the run's log, on our server.
        environment: names of environment variables that the run depends on; the values of secrets are masked.
        observe: record also the files that the process opens during the run; default ``AUTOFLOW_OBSERVE``, else no.

    Raises:
        CardError: `node` is not a valid card.
        DecorationError: `name` is not a text (a decorator without parentheses).
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        task_id: Any = None,
        api: Any = None,
        server: str | None = None,
        team_id: int | None = None,
        workspace_id: int | None = None,
        node: WorkflowSettings | Callable[..., Any] | None = None,
        parameters: Any = None,
        log: bool = True,
        environment: Sequence[str] = (),
        observe: bool | None = None,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise DecorationError("write @workflow() with parentheses, or @workflow('A name')")
        CardOptions(node, {}, frozenset())  # raises now, not when the run opens
        if server is not None:
            destination.parse_address(server)  # likewise
        self._name = name
        self._node = node
        self._log = log
        self._options = {
            "task_id": task_id,
            "api": api,
            "server": server,
            "team_id": team_id,
            "workspace_id": workspace_id,
            "parameters": parameters,
            "environment": [environment] if isinstance(environment, str) else list(environment),
            "observe": observe,
        }
        self._opened: list[_Opened] = []

    # -- as a context manager

    def __enter__(self) -> Run:
        opened = self._open(self._name)
        self._opened.append(opened)
        return opened.run

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run = context.current.get()  # one object may be open in several tasks and threads at once
        opened = next((entry for entry in reversed(self._opened) if entry.run is run), self._opened[-1])
        self._opened.remove(opened)
        self._close(opened, error)

    async def __aenter__(self) -> Run:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    # -- as a decorator

    def __call__(self, function: F) -> F:
        """Make each call of `function` a run; sync, async, and both kinds of generator functions."""
        if not callable(function):
            raise DecorationError(f"@workflow goes on a function, not on a {type(function).__name__}")
        drive = (
            self._async_generator
            if inspect.isasyncgenfunction(function)
            else self._generator
            if inspect.isgeneratorfunction(function)
            else self._coroutine
            if inspect.iscoroutinefunction(function)
            else self._function
        )
        return functools.wraps(function)(drive(function))  # type: ignore[return-value]

    def _name_for(self, function: Callable[..., Any]) -> str:
        return self._name or str(getattr(function, "__name__", type(function).__name__))

    def _function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            opened = self._open(self._name_for(function))
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                self._close(opened, error)
                raise
            self._close(opened, None)
            return result

        return wrapper

    def _coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            opened = self._open(self._name_for(function))
            try:
                result = await function(*args, **kwargs)
            except BaseException as error:
                self._close(opened, error)
                raise
            self._close(opened, None)
            return result

        return wrapper

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def start(*args: Any, **kwargs: Any) -> Iteration:
            opened = self._open(self._name_for(function), enter=False)
            return Iteration(
                function(*args, **kwargs),
                functools.partial(context.current.set, opened.run),
                context.current.reset,
                on_return=lambda result: self._close(opened, None),
                on_error=functools.partial(self._close_after_error, opened),
            )

        return generator_function(start)

    def _async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def start(*args: Any, **kwargs: Any) -> AsyncIteration:
            opened = self._open(self._name_for(function), enter=False)

            async def close() -> None:
                self._close(opened, None)

            return AsyncIteration(
                function(*args, **kwargs),
                functools.partial(context.current.set, opened.run),
                context.current.reset,
                on_return=close,
                on_error=functools.partial(self._close_after_error, opened),
            )

        return async_generator_function(start)

    def _close_after_error(self, opened: _Opened, error: BaseException) -> None:
        """Close the run of a generator; one that its consumer closed ended well."""
        self._close(opened, None if isinstance(error, GeneratorExit) else error)

    # -- opening and closing

    def _open(self, name: str | None, *, enter: bool = True) -> _Opened:
        run = Run(None, new_key(), name)  # records nothing: the fallback when anything below fails
        with guard:
            integrations.install_all()
            enclosing = context.current.get()
            parent = enclosing if enclosing is not None and enclosing.key else None
            run = lifecycle.start(name or app_name.app_name(), parent=parent, **self._options)
            if self._node is not None:
                with run.guard:
                    run.set_node(self._node, {})
            if self._log:
                logs.start_collecting(run)
        context.add_open_run(run)
        return _Opened(run, context.current.set(run) if enter else None, os.getpid())

    def _close(self, opened: _Opened, error: BaseException | None) -> None:
        run, token, pid = opened
        context.remove_open_run(run)
        with guard:
            logs.stop_collecting(run)
            if pid == os.getpid():
                lifecycle.finish(run, error)
        if token is not None:
            context.restore(run, token)
