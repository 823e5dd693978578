"""The four ways a function runs, and when recording happens in each; chosen once, at decoration.

Recording stands in guards, the app's function never does: what it returns, raises, yields or is sent passes
untouched. Inputs are recorded when the body starts, not when a coroutine or a generator is merely made; outputs when
it has ended well; none of them when it raised, was cancelled or was closed early. No context variable is set
around a `yield`.

The file's name matters. Each function here has one frame between the app's function and its caller, and frames of
files whose path contains both ``importlib`` and ``_bootstrap`` are skipped by `warnings.warn(..., stacklevel=n)` (all
Pythons) and by ``logging``'s ``stacklevel`` (since 3.11): so both name the line of the app that called the decorated
function. Pytest and IPython leave these frames out of tracebacks by ``__tracebackhide__``.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from autoflow.capture.body import body_of
from autoflow.capture.offload import in_thread
from autoflow.capture.plan import BoundPlan, Moment, Plan
from autoflow.guard import guard

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
    """A plan bound in each of the two ways, made at the first call of each."""

    __slots__ = ("bound", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.bound: dict[bool, BoundPlan] = {}  # by whether there is an instance

    def bind(self, called: Any, instance: Any) -> BoundPlan:
        return self.bound.setdefault(instance is not None, BoundPlan(self.plan, called, bound=instance is not None))

    def open(self, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Moment:
        bound = self.bound.get(instance is not None) or self.bind(called, instance)
        return bound.open(instance, args, kwargs)

    def begin(self, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Moment | None:
        bound = self.bound.get(instance is not None) or self.bind(called, instance)
        return bound.begin(instance, args, kwargs)


def _plain(plans: _Plans) -> Driver:
    of = plans.bound

    def drive(called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        moment = None
        try:
            bound = of.get(instance is not None) or plans.bind(called, instance)
            moment = bound.begin(instance, args, kwargs)
        except Exception as error:
            if not guard.swallows(error):
                raise
        result = called(*args, **kwargs)
        if moment is not None:
            with guard:
                moment.end(result)
        return result

    return drive


def _plain_direct(plans: _Plans) -> Callable[..., Any]:
    """Return `_plain`'s driver for a call without an instance; a shared body would cost each call a second frame."""
    of, called = plans.bound, plans.plan.function

    def drive(*args: Any, **kwargs: Any) -> Any:
        moment = None
        try:
            bound = of.get(False) or plans.bind(called, None)
            moment = bound.begin(None, args, kwargs)
        except Exception as error:
            if not guard.swallows(error):
                raise
        result = called(*args, **kwargs)
        if moment is not None:
            with guard:
                moment.end(result)
        return result

    return drive


async def _drive_coroutine(
    plans: _Plans, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    moment = await _begin(plans, called, instance, args, kwargs)
    result = await called(*args, **kwargs)
    await _end(moment, result)
    return result


def _drive_generator(
    plans: _Plans, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Generator[Any, Any, Any]:
    # the body is made at the call, not at the first step: arguments that do not fit are an error of the call
    return _generate(plans, called, called(*args, **kwargs), instance, args, kwargs)


def _generate(
    plans: _Plans,
    called: Any,
    body: Generator[Any, Any, Any],
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Generator[Any, Any, Any]:
    moment = None
    with guard:
        moment = plans.begin(called, instance, args, kwargs)
    if moment is not None and (moment.bound.item_inputs or moment.bound.item_outputs):
        body = _recording_items(moment, body)
    try:
        result = yield from body
    except GeneratorExit:
        logger.debug("autoflow: %s was closed early; no output is recorded", called)
        raise
    if moment is not None:
        with guard:
            moment.end(result)
    return result


def _recording_items(moment: Moment, body: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Hand on what a generator yields, and what it is sent and thrown, recording each item."""
    step: Callable[[Any], Any] = body.send
    sent: Any = None
    while True:
        try:
            item = step(sent)
        except StopIteration as stop:
            return stop.value
        with guard:
            moment.item(item)
        try:
            sent, step = (yield item), body.send
        except GeneratorExit:
            body.close()
            raise
        except BaseException as error:  # noqa: BLE001 - thrown in by the consumer: it is the body's
            sent, step = error, body.throw


def _drive_async_generator(
    plans: _Plans, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AsyncGenerator[Any, Any]:
    return _generate_async(plans, called, called(*args, **kwargs), instance, args, kwargs)


async def _generate_async(
    plans: _Plans,
    called: Any,
    body: AsyncGenerator[Any, Any],
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> AsyncGenerator[Any, Any]:
    moment = await _begin(plans, called, instance, args, kwargs)
    step: Callable[[Any], Any] = body.asend
    sent: Any = None
    try:
        while True:
            try:
                item = await step(sent)
            except StopAsyncIteration:
                break
            if moment is not None:
                with guard:
                    moment.item(item)
            try:
                sent, step = (yield item), body.asend
            except GeneratorExit:
                logger.debug("autoflow: %s was closed early; no output is recorded", called)
                raise
            except BaseException as error:  # noqa: BLE001 - thrown in by the consumer: it is the body's
                sent, step = error, body.athrow
    finally:
        await body.aclose()
    await _end(moment, None)


async def _begin(
    plans: _Plans, called: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Moment | None:
    """Begin in the event loop, but save versions in a thread, for that may block.

    A coroutine that is cancelled meanwhile records nothing: its run may be over when the thread is done.
    """
    with guard:
        if not any(not spec.after for spec in plans.plan.versions):
            return plans.begin(called, instance, args, kwargs)
        moment = plans.open(called, instance, args, kwargs)
        with guard:
            await in_thread(functools.partial(moment.save_versions, after=False))
        moment.record_before()
        return moment
    return None


async def _end(moment: Moment | None, result: Any) -> None:
    if moment is None:
        return
    with guard:
        if not any(spec.after for spec in moment.bound.versions):
            moment.end(result)
            return
        moment.take_result(result)
        with guard:
            await in_thread(functools.partial(moment.save_versions, after=True))
        moment.record_after()
