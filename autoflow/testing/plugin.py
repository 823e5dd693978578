"""The pytest plugin: it keeps a session's records in memory and gives each test its own implicit run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from autoflow.runtime import context, destination, inference
from autoflow.testing.capture import Edge, capture, shared_folder
from autoflow.transport.memory import ORIGIN as MEMORY

_session = ExitStack()


def pytest_configure() -> None:
    """Keep the session's records in memory, including those of child processes."""
    destination.default_in_tests = MEMORY
    _session.enter_context(shared_folder())


def pytest_unconfigure() -> None:
    """Restore the destination, and remove the folder of child processes."""
    destination.default_in_tests = None
    _session.close()


def pytest_runtest_setup() -> None:
    """Start a new implicit run for each test."""
    context.reset()
    inference.reset()


@pytest.fixture
def autoflow_edges() -> Iterator[Callable[[], list[Edge]]]:
    """Return a function that returns the edges the test has recorded so far."""
    with capture() as captured:
        yield lambda: captured.edges
