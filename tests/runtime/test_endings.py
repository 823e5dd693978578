"""The end of a run is that of its body, in every form of `workflow`."""

from __future__ import annotations

import asyncio

import pytest

from autoflow import workflow

pytestmark = pytest.mark.core


def states(captured):
    """Return the end of each run: name -> (state, error)."""
    names = {record["run"]: record["name"] for record in captured.records if record["type"] == "run"}
    return {
        names[record["run"]]: (record["state"], record["error"])
        for record in captured.records
        if record["type"] == "finish"
    }


def _with(error):
    with workflow("Train"):
        raise error


def _function(error):
    def main():
        raise error

    workflow("Train")(main)()


def _async_with(error):
    async def main():
        async with workflow("Train"):
            raise error

    main().send(None)


def _coroutine(error):
    async def main():
        raise error

    workflow("Train")(main)().send(None)


def _generator(error):
    def main():
        yield 1
        raise error

    list(workflow("Train")(main)())


def _async_generator(error):
    async def main():
        yield 1
        raise error

    async def consume():
        async for _ in workflow("Train")(main)():
            pass

    consume().send(None)


FORMS = {
    "with": _with,
    "async with": _async_with,
    "function": _function,
    "coroutine": _coroutine,
    "generator": _generator,
    "async generator": _async_generator,
}


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ValueError("no\nsecond line"), ("failed", "ValueError: no")),
        (KeyboardInterrupt(), ("failed", "KeyboardInterrupt: ")),
        (SystemExit(3), ("failed", "SystemExit: 3")),
        (SystemExit("bad"), ("failed", "SystemExit: bad")),
        (SystemExit(0), ("finished", None)),
        (SystemExit(), ("finished", None)),
        (asyncio.CancelledError(), ("failed", "CancelledError: ")),
        (RuntimeError("password=hunter2"), ("failed", "RuntimeError: password=***")),
    ],
)
@pytest.mark.parametrize("form", FORMS, ids=FORMS)
def test_a_run_ends_as_its_body_does(captured, form, error, state):
    """The error is the app's, the same object; its first line is kept, its secrets are not."""
    with pytest.raises(type(error)) as caught:
        FORMS[form](error)
    assert caught.value is error
    assert error.__context__ is None
    assert states(captured) == {"Train": state}


def test_an_error_whose_str_raises_is_still_a_failure(captured):
    """Its `__str__` is the app's, and may raise."""

    class Odd(Exception):
        def __str__(self):
            raise RuntimeError("not today")

    with pytest.raises(Odd), workflow("Train"):
        raise Odd
    assert states(captured) == {"Train": ("failed", "Odd: ")}
