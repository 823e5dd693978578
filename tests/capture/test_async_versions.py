"""`versioned` on coroutines and async generators, under asyncio, trio, and anyio on either."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading

import pytest

from autoflow import versioned, workflow_input, workflow_output
from autoflow.capture import offload
from autoflow.errors import ServerUnreachable, VersionNotSaved
from autoflow.outbox.destinations.servers import ServerConnector
from autoflow.outbox.outbox import Outbox
from autoflow.transport.memory import MemoryTransport
from autoflow.wire import methods

pytestmark = pytest.mark.core

SAVED = [("input", "project_version", 1007)]


class Store(MemoryTransport):
    """A server that saves versions of any project, slowly when told to, or not at all."""

    def __init__(self):
        super().__init__()
        self.threads = []
        self.down = False
        self.requested, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    def call(self, method, body, *, timeout=None):
        if method == methods.PROJECT_INFO:
            return {"id": body["id"], "name": "P", "type": "images", "version": None}
        if method == methods.SNAPSHOT:
            self.threads.append(threading.current_thread())
            self.requested.set()
            self.goes_on.wait(60)
            if self.down:
                raise ServerUnreachable("down")
            return {"id": 1000 + body["projectId"]}
        return super().call(method, body, timeout=timeout)


@pytest.fixture
def store(monkeypatch, captured):
    """The run's destination is such a server."""
    transport = Store()
    monkeypatch.setattr(Outbox, "connector", property(lambda self: ServerConnector(transport)))
    yield transport
    transport.goes_on.set()


class Backend:
    """One async library: how to run a coroutine function, sleep, and cancel a task from another one."""

    def __init__(self, name):
        self.name = name
        package = name.split(" ")[0]
        self.library = pytest.importorskip(package)
        if "trio" in name:
            pytest.importorskip("trio")

    def run(self, function):
        if self.name.startswith("anyio"):
            return self.library.run(function, backend=self.name.split(" ")[-1])
        return asyncio.run(function()) if self.name == "asyncio" else self.library.run(function)

    async def sleep(self, seconds):
        await self.library.sleep(seconds)

    async def cancelled(self, function, ready):
        """Run a function in a task and cancel it once `ready` says so."""
        if self.name == "asyncio":
            task = asyncio.create_task(function())
            while not ready():
                await asyncio.sleep(0.001)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return
        groups = self.library.open_nursery() if self.name == "trio" else self.library.create_task_group()
        async with groups as group:
            group.start_soon(function)
            while not ready():
                await self.sleep(0.001)
            group.cancel_scope.cancel()


@pytest.fixture(params=["asyncio", "trio", "anyio on asyncio", "anyio on trio"])
def backend(request):
    """An async library."""
    return Backend(request.param)


def test_data_is_saved_before_the_body(backend, store, recorded_edges):
    """In a thread, with the edge recorded before the body runs."""

    @versioned
    async def train(project_id):
        await backend.sleep(0)
        return recorded_edges()

    assert backend.run(lambda: train(7)) == SAVED
    assert threading.main_thread() not in store.threads


def test_the_event_loop_continues_while_a_version_is_saved(backend, store, recorded_edges):
    """Other tasks are not stopped by a save."""
    store.goes_on.clear()
    steps = []

    @versioned
    async def train(project_id):
        return None

    async def main():
        async def other():
            while not store.requested.is_set():
                await backend.sleep(0.001)
            steps.append("other")
            store.goes_on.set()

        if backend.name == "asyncio":
            await asyncio.gather(train(7), other())
            return
        groups = backend.library.open_nursery() if backend.name == "trio" else backend.library.create_task_group()
        async with groups as group:
            group.start_soon(train, 7)
            group.start_soon(other)

    backend.run(main)
    assert (steps, recorded_edges()) == (["other"], SAVED)


def test_a_required_version_that_is_not_saved_stops_the_call(backend, store):
    """The body of a coroutine, or of an async generator, does not run."""
    store.down = True
    ran = []

    @versioned(required=True)
    async def train(project_id):
        ran.append(project_id)

    @versioned(required=True)
    async def stream(project_id):
        ran.append(project_id)
        yield project_id

    async def first():
        return await anext(stream(7))

    with pytest.raises(VersionNotSaved):
        backend.run(lambda: train(7))
    with pytest.raises(VersionNotSaved):
        backend.run(first)
    assert ran == []


def test_an_async_generator_saves_before_its_first_item(backend, store, recorded_edges):
    """And records what it yields as ever."""

    @versioned
    @workflow_output("file", value="item")
    async def stream(project_id):
        yield f"/{len(store.threads)}"

    async def drain():
        return [item async for item in stream(7)]

    assert backend.run(drain) == ["/1"]
    assert recorded_edges() == [*SAVED, ("output", "file", "/1")]


def test_versioned_after_saves_when_the_body_returned(backend, store, recorded_edges):
    """`after=True`, and the outputs come after it."""

    @versioned(after=True)
    @workflow_output("file", value="args.path")
    async def make(path):
        return {"id": 7, "type": "images"}

    backend.run(lambda: make("/x"))
    assert recorded_edges() == [("output", "project_version", 1007), ("output", "file", "/x")]


def test_a_call_cancelled_while_saving_records_nothing(backend, store, recorded_edges):
    """It ends at once, its body does not run, and the save that is done later writes into no run."""
    store.goes_on.clear()
    ran = []

    @versioned
    @workflow_input("dataset")
    async def train(project_id, dataset_id=3):
        ran.append(project_id)

    async def main():
        await backend.cancelled(lambda: train(7), store.requested.is_set)
        assert not store.goes_on.is_set()
        store.goes_on.set()

    backend.run(main)
    store.threads[0].join(60)
    assert (ran, recorded_edges()) == ([], [])


def test_a_coroutine_without_a_free_thread_saves_in_the_loop(backend, store, recorded_edges, monkeypatch, caplog):
    """As when the interpreter shuts down: said in the log, saved all the same, and required as ever."""

    async def refuse(work):
        raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setattr(offload, "_thread_runner", lambda: refuse)
    ran = []

    @versioned(required=True)
    async def train(project_id):
        ran.append(project_id)

    with caplog.at_level(logging.WARNING, logger="autoflow"):
        backend.run(lambda: train(7))
    assert (ran, recorded_edges()) == ([7], SAVED)
    assert "no thread is available" in caplog.text
    store.down = True
    with pytest.raises(VersionNotSaved):
        backend.run(lambda: train(8))
    assert ran == [7]


def test_a_coroutine_under_an_unknown_event_loop_saves_in_the_loop(store, recorded_edges, caplog):
    """Stepped by hand, as a loop that is neither asyncio's nor trio's would."""

    @versioned(required=True)
    async def train(project_id):
        return 3

    with caplog.at_level(logging.WARNING, logger="autoflow"), pytest.raises(StopIteration) as stopped:
        train(7).send(None)
    assert (stopped.value.value, recorded_edges()) == (3, SAVED)
    assert "neither asyncio nor trio" in caplog.text
    store.down = True
    with pytest.raises(VersionNotSaved):
        train(8).send(None)


def test_trio_as_a_guest_of_asyncio(store, recorded_edges):
    """The task that runs is trio's, although asyncio's event loop runs around it."""
    trio = pytest.importorskip("trio")

    @versioned(required=True)
    async def train(project_id):
        await trio.sleep(0)
        return 3

    async def host():
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        trio.lowlevel.start_guest_run(
            train, 7, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=future.set_result
        )
        return (await future).unwrap()

    assert (asyncio.run(host()), recorded_edges()) == (3, SAVED)


@pytest.mark.parametrize("value", [lambda call: 1 / 0, lambda call: ["a", object()], lambda call: object()])
def test_a_required_version_of_an_unknown_project_stops_the_call(store, value, non_strict):
    """A value that fails, or that can mean no project, is a version that was not saved; sync and async."""
    ran = []

    def body(project_id):
        ran.append(project_id)

    async def async_body(project_id):
        ran.append(project_id)

    with pytest.raises(VersionNotSaved):
        versioned(required=True, value=value)(body)(7)
    with pytest.raises(VersionNotSaved):
        asyncio.run(versioned(required=True, value=value)(async_body)(7))
    assert ran == []
    versioned(value=value)(body)(7)
    assert ran == [7]
