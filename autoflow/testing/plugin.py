"""The pytest plugin: a session's records stay in memory, and each test has an implicit run of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from autoflow.runtime import context, destination, inference
from autoflow.testing.capture import Edge, capture
from autoflow.transport.memory import ORIGIN as MEMORY


def pytest_configure() -> None:
    """Keep records in memory for the session."""
    destination.in_tests = MEMORY


def pytest_unconfigure() -> None:
    """End that."""
    destination.in_tests = None


def pytest_runtest_setup() -> None:
    """Give each test a fresh implicit run."""
    context.forget()
    inference.forget()


@pytest.fixture
def autoflow_edges() -> Iterator[Callable[[], list[Edge]]]:
    """A function that gives the edges the test has recorded so far."""
    with capture() as captured:
        yield lambda: captured.edges
