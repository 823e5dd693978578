"""Stack frames of a decorated call: warnings and log lines name the app's caller, and recursion goes deep."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
import warnings

import pytest

import autoflow

pytestmark = pytest.mark.core


def _warn():
    warnings.warn("look at the caller", UserWarning, stacklevel=3)


def _locations(caught):
    return [(warning.filename, warning.lineno) for warning in caught]


def function(project):
    _warn()
    return project


async def coroutine(project):
    _warn()


def generator(project):
    _warn()
    yield project


async def async_generator(project):
    _warn()
    yield project


class Holder:
    def method(self, project):
        _warn()

    @classmethod
    def of_class(cls, project):
        _warn()

    @staticmethod
    def static(project):
        _warn()


def _in_function(call):
    return call(7)


def _in_coroutine(call):
    async def caller():
        await call(7)

    asyncio.run(caller())


def _in_generator(call):
    return next(call(7))


def _in_async_generator(call):
    async def caller():
        async for _ in call(7):
            pass

    asyncio.run(caller())


@pytest.mark.parametrize(
    ("function", "run"),
    [
        (function, _in_function),
        (coroutine, _in_coroutine),
        (generator, _in_generator),
        (async_generator, _in_async_generator),
    ],
    ids=lambda value: value.__name__,
)
@pytest.mark.parametrize("options", [{}, {"title": "{project}"}, {"value": "item"}], ids=["plain", "card", "item"])
def test_a_warning_with_stacklevel_names_the_caller(captured, function, run, options):
    """`stacklevel` counts the app's frames only, in each way a function can run."""
    if options.get("value") == "item" and "generator" not in function.__name__:
        pytest.skip("yields nothing")
    recorded = autoflow.workflow_input("project", **options)(function)
    with warnings.catch_warnings(record=True) as bare:
        warnings.simplefilter("always")
        run(function)
    with warnings.catch_warnings(record=True) as decorated:
        warnings.simplefilter("always")
        run(recorded)
    assert _locations(decorated) == _locations(bare)
    assert decorated[0].filename == __file__


@pytest.mark.parametrize("name", ["method", "of_class", "static"])
def test_a_warning_in_a_method_names_the_caller(captured, name):
    """Bound functions go by another driver, which is as invisible."""

    class Decorated(Holder):
        pass

    setattr(Decorated, name, autoflow.workflow_output("project", value="project")(Holder.__dict__[name]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(Decorated(), name)(7)
    assert caught[0].filename == __file__
    assert caught[0].lineno == sys._getframe().f_lineno - 2


def test_a_warning_under_stacked_decorators_names_the_caller(captured):
    """However many decorators of ours there are, between others too."""

    def other(inner):
        return inner

    recorded = autoflow.workflow_input("project")(other(autoflow.workflow_output("project")(function)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recorded(7)
    assert caught[0].lineno == sys._getframe().f_lineno - 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="logging skips no frames before Python 3.11")
def test_a_log_line_with_stacklevel_names_the_caller(captured, caplog):
    """`logging` counts as `warnings` does."""

    @autoflow.workflow_input("project")
    def load(project):
        logging.getLogger("app").warning("deprecated", stacklevel=2)

    load(7)
    line = sys._getframe().f_lineno - 1
    assert [(record.pathname, record.lineno) for record in caplog.records if record.name == "app"] == [(__file__, line)]


def test_a_traceback_shows_the_source_of_every_frame(captured):
    """The frame in between is of a real file: debuggers and tracebacks show its lines."""

    @autoflow.workflow_input("project")
    def load(project):
        raise OSError("no such project")

    with pytest.raises(OSError, match="no such project") as caught:
        load(7)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert len(frames) == 3  # the test, the driver, the function
    assert all(frame.line for frame in frames)


def _depth(decorate):
    reached = 0

    def dive(project):
        nonlocal reached
        reached += 1
        recorded(project)

    recorded = decorate(dive)
    with pytest.raises(RecursionError):
        recorded(7)
    return reached


def _method_depth(decorate):
    class Diver:
        reached = 0

        @decorate
        def dive(self, project):
            self.reached += 1
            self.dive(project)

    diver = Diver()
    with pytest.raises(RecursionError):
        diver.dive(7)
    return diver.reached


@pytest.mark.parametrize("depth", [_depth, _method_depth])
@pytest.mark.parametrize(
    "decorate",
    [
        autoflow.workflow_input("project"),
        autoflow.workflow_output("project", value="project", title="{project}"),
        lambda function: autoflow.workflow_input("project")(autoflow.workflow_output("project")(function)),
    ],
    ids=["input", "output", "stacked"],
)
def test_a_decorated_call_adds_one_frame(captured, monkeypatch, depth, decorate):
    """A decorated call is one Python frame, as with any decorator; Python before 3.13 bounds calls by C, too."""
    monkeypatch.delenv("AUTOFLOW_STRICT")
    share = 2.1 if sys.version_info >= (3, 13) else 3.5
    assert depth(decorate) >= depth(lambda function: function) / share
