"""The send/throw loop of a generator that drives another one: generator functions that run callbacks around each step.

What the body yields, raises or returns, and what its consumer sends or throws, passes through untouched. A step is one
resumption of the body; what `enter` sets for it, `leave` resets before the `yield`, because a context variable that
stays set while a generator waits leaks to its consumer.

The file's name makes `warnings` and `logging` skip these frames, see `capture.drivers_importlib_bootstrap`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, NamedTuple

__tracebackhide__ = True


# defaults that do nothing: functions in C, because each step calls them
_NO_TOKEN: Callable[[], Any] = bool
_IGNORE: Callable[[Any], object] = id


async def _ignore_end() -> None:
    """Do nothing."""


class Iteration(NamedTuple):
    """A generator to drive, and the callbacks around it.

    Attributes:
        body: the generator.
        enter: called before each step; its result is passed to `leave`.
        leave: called after each step.
        on_item: called with each item before it is yielded.
        on_return: called with the body's result when it returned.
        on_error: called with the exception that ended the body, GeneratorExit when it was closed.
    """

    body: Generator[Any, Any, Any]
    enter: Callable[[], Any] = _NO_TOKEN
    leave: Callable[[Any], object] = _IGNORE
    on_item: Callable[[Any], object] = _IGNORE
    on_return: Callable[[Any], object] = _IGNORE
    on_error: Callable[[BaseException], object] = _IGNORE


class AsyncIteration(NamedTuple):
    """The same for an async generator, which has no result."""

    body: AsyncGenerator[Any, Any]
    enter: Callable[[], Any] = _NO_TOKEN
    leave: Callable[[Any], object] = _IGNORE
    on_item: Callable[[Any], object] = _IGNORE
    on_return: Callable[[], Awaitable[None]] = _ignore_end
    on_error: Callable[[BaseException], object] = _IGNORE


def generator_function(start: Callable[..., Iteration]) -> Callable[..., Generator[Any, Any, Any]]:
    """Return a generator function that drives the iteration which `start` returns for its arguments.

    `start` is called at the first step.
    """

    def drive(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        body, enter, leave, on_item, on_return, on_error = start(*args, **kwargs)
        resume: Callable[[Any], Any] = body.send
        sent: Any = None
        try:
            while True:
                token = enter()
                try:
                    item = resume(sent)
                except StopIteration as stop:
                    result = stop.value
                    break
                finally:
                    leave(token)
                on_item(item)
                try:
                    sent, resume = (yield item), body.send
                except GeneratorExit:
                    token = enter()
                    try:
                        body.close()
                    finally:
                        leave(token)
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in by the consumer: it is the body's
                    sent, resume = error, body.throw
        except BaseException as error:
            on_error(error)
            raise
        on_return(result)
        return result

    return drive


def async_generator_function(
    start: Callable[..., Awaitable[AsyncIteration]],
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Return an async generator function that drives the iteration which `start` returns for its arguments.

    `start` is awaited at the first step.
    """

    async def drive(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        body, enter, leave, on_item, on_return, on_error = await start(*args, **kwargs)
        resume: Callable[[Any], Any] = body.asend
        sent: Any = None
        try:
            while True:
                token = enter()
                try:
                    item = await resume(sent)
                except StopAsyncIteration:
                    break
                finally:
                    leave(token)
                on_item(item)
                try:
                    sent, resume = (yield item), body.asend
                except GeneratorExit:
                    token = enter()
                    try:
                        await body.aclose()
                    finally:
                        leave(token)
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in by the consumer: it is the body's
                    sent, resume = error, body.athrow
        except BaseException as error:
            on_error(error)
            raise
        finally:
            await body.aclose()  # of a body that is over, nothing; one that our own failure left is cleaned up at once
        await on_return()

    return drive
