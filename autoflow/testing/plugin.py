"""The pytest plugin: a session's records stay in memory, and each test has an implicit run of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from autoflow.runtime import context, destination, inference
from autoflow.testing.capture import Edge, capture, shared_folder
from autoflow.transport.memory import ORIGIN as MEMORY

_session = ExitStack()


def pytest_configure() -> None:
    """Keep records in memory for the session, those of children too."""
    destination.default_in_tests = MEMORY
    _session.enter_context(shared_folder())


def pytest_unconfigure() -> None:
    """End that."""
    destination.default_in_tests = None
    _session.close()


def pytest_runtest_setup() -> None:
    """Give each test a fresh implicit run."""
    context.reset()
    inference.reset()


@pytest.fixture
def autoflow_edges() -> Iterator[Callable[[], list[Edge]]]:
    """A function that gives the edges the test has recorded so far."""
    with capture() as captured:
        yield lambda: captured.edges
