"""The four ways a function runs, and when recording happens in each; chosen once, at decoration.

Recording is guarded, the app's function never is: what it returns, raises, yields or is sent passes through untouched.
Inputs are recorded when the body starts, not when a coroutine or a generator is created; outputs when it returned;
none of them when it raised, was cancelled or was closed early. No context variable is set around a `yield`.

The file's name matters. Each function here has one frame between the app's function and its caller, and frames of
files whose path contains both ``importlib`` and ``_bootstrap`` are skipped by `warnings.warn(..., stacklevel=n)` (all
Pythons) and by ``logging``'s ``stacklevel`` (since 3.11): so both name the line of the app that called the decorated
function. Pytest and IPython leave these frames out of tracebacks by ``__tracebackhide__``.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Generator
from typing import Any

from autoflow.capture.body import body_of
from autoflow.capture.offload import in_thread
from autoflow.capture.plan import BoundPlan, CallRecorder, Plan
from autoflow.guard import guard
from autoflow.runtime.generators_importlib_bootstrap import (
    AsyncIteration,
    Iteration,
    async_generator_function,
    generator_function,
)

logger = logging.getLogger("autoflow")

Driver = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]

__tracebackhide__ = True


def drivers_for(plan: Plan) -> tuple[Driver, Callable[..., Any]]:
    """Return the driver of a plan's function, and the same as a function of the call's own arguments.

    The second is for calls without an instance: it needs no frame but its own.
    """
    body = body_of(plan.function)
    plans = _Plans(plan)
    if inspect.isasyncgenfunction(body):
        driver: Driver = functools.partial(_drive_async_generator, plans)
    elif inspect.isgeneratorfunction(body):
        driver = functools.partial(_drive_generator, plans)
    elif inspect.iscoroutinefunction(body):
        driver = functools.partial(_drive_coroutine, plans)
    else:
        return _plain(plans), _plain_direct(plans)
    function = plan.function
    return driver, lambda *args, **kwargs: driver(function, None, args, kwargs)


class _Plans:
    """A plan bound with and without an instance, each at its first call."""

    __slots__ = ("bound", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.bound: dict[bool, BoundPlan] = {}  # by whether there is an instance

    def bind(self, called: Any, instance: Any) -> BoundPlan:
        return self.bound.setdefault(instance is not None, BoundPlan(self.plan, called, bound=instance is not None))

    def open(self, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallRecorder:
        bound = self.bound.get(instance is not None) or self.bind(called, instance)
        return bound.open(instance, args, kwargs)

    def begin(self, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallRecorder | None:
        bound = self.bound.get(instance is not None) or self.bind(called, instance)
        return bound.begin(instance, args, kwargs)


def _plain(plans: _Plans) -> Driver:
    bound_plans = plans.bound

    def drive(called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        recorder = None
        try:
            bound = bound_plans.get(instance is not None) or plans.bind(called, instance)
            recorder = bound.begin(instance, args, kwargs)
        except Exception as error:
            if not guard.swallows(error):
                raise
        result = called(*args, **kwargs)
        if recorder is not None:
            with guard:
                recorder.end(result)
        return result

    return drive


def _plain_direct(plans: _Plans) -> Callable[..., Any]:
    """Return `_plain`'s driver for a call without an instance; a shared body would cost each call a second frame."""
    bound_plans, called = plans.bound, plans.plan.function

    def drive(*args: Any, **kwargs: Any) -> Any:
        recorder = None
        try:
            bound = bound_plans.get(False) or plans.bind(called, None)
            recorder = bound.begin(None, args, kwargs)
        except Exception as error:
            if not guard.swallows(error):
                raise
        result = called(*args, **kwargs)
        if recorder is not None:
            with guard:
                recorder.end(result)
        return result

    return drive


async def _drive_coroutine(
    plans: _Plans, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    recorder = await _begin(plans, called, instance, args, kwargs)
    result = await called(*args, **kwargs)
    await _end(recorder, result)
    return result


def _drive_generator(
    plans: _Plans, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Generator[Any, Any, Any]:
    # the body is created at the call, not at the first step: arguments that do not fit are an error of the call
    return _generate(plans, called, called(*args, **kwargs), instance, args, kwargs)


def _generate(
    plans: _Plans,
    called: Any,
    body: Generator[Any, Any, Any],
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Generator[Any, Any, Any]:
    recorder = None
    with guard:
        recorder = plans.begin(called, instance, args, kwargs)
    if recorder is not None and recorder.bound.item_specs:
        body = _drive_items(recorder, body)
    try:
        result = yield from body
    except GeneratorExit as error:
        _log_early_close(called, error)
        raise
    if recorder is not None:
        with guard:
            recorder.end(result)
    return result


_drive_items = generator_function(lambda recorder, body: Iteration(body, on_item=recorder.record_item))


def _drive_async_generator(
    plans: _Plans, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    return _drive_async_items(plans, called, called(*args, **kwargs), instance, args, kwargs)


async def _start_async_items(
    plans: _Plans, called: Any, body: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AsyncIteration:
    recorder = await _begin(plans, called, instance, args, kwargs)
    log = functools.partial(_log_early_close, called)
    if recorder is None:
        return AsyncIteration(body, on_error=log)
    end = functools.partial(_end, recorder, None)
    if not recorder.bound.item_specs:
        return AsyncIteration(body, on_return=end, on_error=log)
    return AsyncIteration(body, on_item=recorder.record_item, on_return=end, on_error=log)


_drive_async_items = async_generator_function(_start_async_items)


def _log_early_close(called: Any, error: BaseException) -> None:
    if isinstance(error, GeneratorExit):
        logger.debug("autoflow: %s was closed early; no output is recorded", called)


async def _begin(
    plans: _Plans, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> CallRecorder | None:
    """Begin a call in the event loop, but save its versions in a thread, because that may block.

    A coroutine that is cancelled meanwhile records nothing: its run may be over when the thread ends.
    """
    with guard:
        if not any(not spec.after for spec in plans.plan.versions):
            return plans.begin(called, instance, args, kwargs)
        recorder = plans.open(called, instance, args, kwargs)
        with guard:
            await in_thread(functools.partial(recorder.save_versions, after=False))
        recorder.record_before()
        return recorder
    return None


async def _end(recorder: CallRecorder | None, result: Any) -> None:
    if recorder is None:
        return
    with guard:
        if not recorder.bound.versions:
            recorder.end(result)
            return
        recorder.set_result(result)
        with guard:
            await in_thread(recorder.check_versions)
            await in_thread(functools.partial(recorder.save_versions, after=True))
        recorder.record_after()
