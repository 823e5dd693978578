"""The real `supervisely` in a process of its own, and a served server that it talks to.

The SDK changes the process it is imported into: its logging, its environment. So what it does is a function of
`tests.sdk.sdk_scenarios`, run in a child that is kept for the whole session; what it found comes back as plain values.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import pathlib
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from autoflow.server.server import Server
from autoflow.wire import methods
from tests.sdk import child
from tests.serving import served

HERE = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(items):
    if importlib.util.find_spec("supervisely") is not None:
        return
    reason = "the package supervisely is not installed for this interpreter: pip install 'autoflow-lineage[sdk]'"
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def sdk_processes():
    """A function that gives the SDK's process, one with pyarrow or one without: versions are of another format then."""
    pools: dict[bool, ProcessPoolExecutor] = {}

    def process(columnar=False):
        if columnar not in pools:
            pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")))
            trouble = pool.submit(child.load, columnar).result()
            if trouble is not None:
                pytest.skip(trouble)
            pools[columnar] = pool
        return pools[columnar]

    with contextlib.ExitStack() as stack:
        yield process
        for pool in pools.values():
            with contextlib.suppress(BrokenProcessPool):
                pool.submit(child.leave).result()


@pytest.fixture
def sdk_process(sdk_processes):
    """The SDK's process."""
    return sdk_processes()


@pytest.fixture
def server(tmp_path):
    opened = Server.open(tmp_path / "home")
    yield opened
    opened.close()


class Sdk:
    """What an app with the SDK does on a server."""

    def __init__(self, pool, url, token="token"):
        self._pool = pool
        self.url = url
        self._token = token

    def __call__(self, scenario, task=None, ignore_task_id=False, **arguments):
        """Run one of `tests.sdk.sdk_scenarios` with an Api, as the app of a task, and give what it gives."""
        return self._pool.submit(child.run, scenario, self.url, self._token, task, arguments, ignore_task_id).result()


@pytest.fixture
def sdk(sdk_process, server):
    """The SDK, on a server without tokens, which has every method that it asks for."""
    yield from serving(sdk_process, server)
    assert server.call(methods.UNKNOWN_METHODS, {})["methods"] == []


def serving(pool, server):
    """The SDK of a process, for as long as the server is served."""
    with served(server) as url:
        yield Sdk(pool, url)
