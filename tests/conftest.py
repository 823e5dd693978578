"""What every test of ours runs under: strict, in a home of its own, without the environment of the machine."""

from __future__ import annotations

import collections
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from autoflow.runtime import destination
from autoflow.testing import FaultyServer, capture
from tests import postgres as postgresql

settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fewer", settings.get_profile("ours"), max_examples=25)  # for all but the newest Python
settings.load_profile("ours")

GROUP = 8  # tests

# A shell starts a job in the background with SIGINT ignored, and the processes that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_OUTSIDE = (
    "AUTOFLOW_",
    "SERVER_ADDRESS",
    "API_TOKEN",
    "SUPERVISELY_",
    "TASK_ID",
    "TEAM_ID",
    "WORKSPACE_ID",
    "CONTEXT_T",
)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config, items):
    """Leave out the tests of `make soak`, unless they are asked for by their marker, and group the others.

    Tests of a file go to the same worker eight by eight, as it makes once what they share: one server on each database.
    """
    if "soak" not in config.option.markexpr:
        long_ones = {item for item in items if item.get_closest_marker("soak") is not None}
        config.hook.pytest_deselected(items=list(long_ones))
        items[:] = [item for item in items if item not in long_ones]
    sizes = collections.Counter()
    for item in items:
        if not any(map(item.get_closest_marker, ("xdist_group", "slow"))):
            database = ".postgresql" if "postgresql" in item.name else ""
            shared = f"{item.path.parent.name}.{item.path.stem}{database}"
            item.add_marker(pytest.mark.xdist_group(f"{shared}.{sizes[shared] // GROUP}"))
            sizes[shared] += 1


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(_OUTSIDE) or name == "ENV":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "autoflow-home"))
    monkeypatch.setenv("AUTOFLOW_STRICT", "1")
    yield
    destination.reset()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A real PostgreSQL that all workers share."""
    if not postgresql.installed():
        pytest.skip(postgresql.MISSING)
    with postgresql.running(postgresql.shared_folder(tmp_path_factory)) as server:
        yield server


@pytest.fixture
def server():
    """Our server, as a server that can be told to misbehave."""
    with FaultyServer("server") as server:
        yield server


@pytest.fixture
def instance():
    """An instance, as a server that can be told to misbehave."""
    with FaultyServer("instance") as server:
        yield server


@pytest.fixture
def captured():
    """Everything the test records."""
    with capture() as recording:
        yield recording


@pytest.fixture
def recorded_edges(captured):
    """A function that returns the edges recorded so far as (direction, type, id)."""
    return lambda: [(edge.direction, edge.type, edge.id) for edge in captured.edges]


@pytest.fixture
def non_strict(monkeypatch):
    """Without AUTOFLOW_STRICT: failures of autoflow are swallowed, as in an app."""
    monkeypatch.delenv("AUTOFLOW_STRICT")
