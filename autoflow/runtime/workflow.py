"""`workflow`: around an app's main, as a context manager, an async one, or a decorator."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import Token
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from autoflow.errors import DecorationError
from autoflow.guard import guard
from autoflow.model.card import WorkflowSettings
from autoflow.runtime import app_name, context, destination, integrations, lifecycle, logs
from autoflow.runtime.card_options import CardOptions
from autoflow.runtime.run import Run, new_key

F = TypeVar("F", bound=Callable[..., Any])


class _Opened(NamedTuple):
    """What opening a run changed, to be put back when it closes."""

    run: Run
    token: Token[Run | None] | None  # None for generators, whose run is the context's only while their body runs
    pid: int  # a forked child leaves its parent's block too, and must not end its run


class workflow:  # noqa: N801 - reads as a statement: with workflow("Train"):
    """A run: ``with workflow("Train YOLO") as run:``, ``async with``, or ``@workflow("Train YOLO")`` on a function.

    Each entry, and each call of the decorated function, is a new run. Nothing it does can raise into the app.

    Args:
        name: the app's name; default the function's, or the script's.
        task_id: the task's number; default the environment's, else our server gives one.
        api: the SDK's Api or ours: its server, its task number, its way to save versions.
        server: where this run's records go, instead of where the environment says.
        team_id, workspace_id: numbers on the server.
        node: a WorkflowSettings for the run's own card.
        parameters: what the run was given, kept with its task; secrets are masked.
        log: keep the app's `logging` output as the run's log, on our server.

    Raises:
        CardError: `node` could never make a card.
        DecorationError: `name` is no text (a decorator without parentheses).
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
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise DecorationError("write @workflow() with parentheses, or @workflow('A name')")
        CardOptions(node, {}, frozenset())  # a wrong card is loud here, not at run time
        if server is not None:
            destination.parse_address(server)  # and so is an address that is none
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
        opened = next((one for one in reversed(self._opened) if one.run is run), self._opened[-1])
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

    def _named(self, function: Callable[..., Any]) -> str:
        return self._name or str(getattr(function, "__name__", type(function).__name__))

    def _function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            opened = self._open(self._named(function))
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                self._close(opened, error)
                raise
            self._close(opened, None)
            return result

        return run

    def _coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def run(*args: Any, **kwargs: Any) -> Any:
            opened = self._open(self._named(function))
            try:
                result = await function(*args, **kwargs)
            except BaseException as error:
                self._close(opened, error)
                raise
            self._close(opened, None)
            return result

        return run

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            opened = self._open(self._named(function), enter=False)
            body = function(*args, **kwargs)
            step, sent = body.send, None
            try:
                while True:
                    token = context.current.set(opened.run)
                    try:
                        item = step(sent)
                    finally:
                        context.current.reset(token)
                    try:
                        sent, step = (yield item), body.send
                    except GeneratorExit:
                        token = context.current.set(opened.run)
                        try:
                            body.close()
                        finally:
                            context.current.reset(token)
                        raise
                    except BaseException as error:  # noqa: BLE001 - thrown in by the consumer: it is the body's
                        sent, step = error, body.throw
            except StopIteration as stop:
                self._close(opened, None)
                return stop.value
            except BaseException as error:
                self._close(opened, None if isinstance(error, GeneratorExit) else error)
                raise

        return run

    def _async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            opened = self._open(self._named(function), enter=False)
            body = function(*args, **kwargs)
            step, sent = body.asend, None
            try:
                while True:
                    token = context.current.set(opened.run)
                    try:
                        item = await step(sent)
                    finally:
                        context.current.reset(token)
                    try:
                        sent, step = (yield item), body.asend
                    except GeneratorExit:
                        token = context.current.set(opened.run)
                        try:
                            await body.aclose()
                        finally:
                            context.current.reset(token)
                        raise
                    except BaseException as error:  # noqa: BLE001 - thrown in by the consumer: it is the body's
                        sent, step = error, body.athrow
            except StopAsyncIteration:
                self._close(opened, None)
            except BaseException as error:
                self._close(opened, None if isinstance(error, GeneratorExit) else error)
                raise

        return run

    # -- both

    def _open(self, name: str | None, *, enter: bool = True) -> _Opened:
        run = Run(None, new_key(), name)  # what is left when anything below fails: a run that records nothing
        with guard:
            integrations.switch_on()
            around = context.current.get()
            parent = around if around is not None and around.key else None
            run = lifecycle.start(name or app_name.app_name(), parent=parent, **self._options)
            if self._node is not None:
                with run.guard:
                    run.set_node(self._node, {})
            if self._log:
                logs.keep(run)
        context.opened(run)
        return _Opened(run, context.current.set(run) if enter else None, os.getpid())

    def _close(self, opened: _Opened, error: BaseException | None) -> None:
        run, token, pid = opened
        context.closed(run)
        with guard:
            logs.stop(run)
            if pid == os.getpid():
                lifecycle.finish(run, error)
        if token is not None:
            context.leave(run, token)
