"""`versioned`: a project's data is saved, and the run's edge points at the save."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import types

import pytest

from autoflow import current_run, versioned, workflow, workflow_input, workflow_output
from autoflow.errors import ServerRefused, ServerUnreachable, VersionNotSaved
from autoflow.outbox.destinations.servers import ServerConnector
from autoflow.outbox.outbox import Outbox
from autoflow.runtime import run_snapshot
from autoflow.transport.memory import MemoryTransport
from autoflow.wire import methods

pytestmark = pytest.mark.core


class VersioningServer(MemoryTransport):
    """A server that knows a few projects, and saves them."""

    def __init__(self):
        super().__init__()
        self.types = {7: "images", 8: "videos", 9: "images"}
        self.current = {8: 80, 9: 90}
        self.saved = []
        self.requests = []
        self.down = False
        self.hangs = threading.Event()
        self.hangs.set()

    def call(self, method, body, *, timeout=None):
        self.requests.append(method)
        if method == methods.PROJECT_INFO:
            number = body["id"]
            if number not in self.types:
                raise ServerRefused("unknown", status=404)
            version = {"id": self.current[number]} if number in self.current else None
            return {"id": number, "name": f"P{number}", "type": self.types[number], "version": version}
        if method == methods.SNAPSHOT:
            self.hangs.wait(60)
            if self.down:
                raise ServerUnreachable("down")
            self.saved.append(body)
            return {"id": 1000 + body["projectId"]}
        return super().call(method, body, timeout=timeout)


@pytest.fixture
def server(monkeypatch, captured):
    """The run's destination is such a server."""
    transport = VersioningServer()
    monkeypatch.setattr(Outbox, "connector", property(lambda self: ServerConnector(transport)))
    yield transport
    transport.hangs.set()


def test_data_is_saved_before_the_body_and_the_edge_is_the_version(server, captured, recorded_edges):
    """One decorator is enough; the body sees both done."""

    @versioned
    def train(project_id):
        assert len(server.saved) == 1
        assert len(captured.edges) == 1
        return "trained"

    assert train(7) == "trained"
    assert recorded_edges() == [("input", "project_version", 1007)]


def test_version_texts_are_templates_and_may_name_the_task_id(server, captured):
    """Title and description of the version."""

    @versioned(title="Train {name}", description="Before task {task_id} of {value}")
    def train(project_id, name):
        return None

    with workflow("x", task_id=5, server="memory"):
        train(7, "YOLO")
    assert server.saved == [{"projectId": 7, "title": "Train YOLO", "description": "Before task 5 of 7"}]


@pytest.mark.parametrize("above", [True, False])
def test_a_stacked_input_of_the_same_project_is_the_same_edge(server, captured, above):
    """And says how it looks, whichever is written first."""
    ours = workflow_input("project", node_title="Train")
    function = lambda project_id: None  # noqa: E731
    (ours(versioned(function)) if above else versioned(ours(function)))(7)
    (edge,) = captured.edges
    assert (edge.type, edge.id, edge.node) == ("project_version", 1007, {"title": "Train"})


def test_a_later_input_of_the_same_project_in_the_run_is_the_same_edge(server, recorded_edges):
    """Through another decorator and from the run; another project is another."""
    versioned(lambda project_id: None)(7)
    workflow_input("project")(lambda project_id: None)("7")
    current_run().input("project", {"id": 7})
    current_run().input("project", 9)
    assert recorded_edges() == [("input", "project_version", 1007), ("input", "project", 9)]


def test_an_explicit_version_overrides_the_saved_one(server, recorded_edges):
    """The author knows better."""
    versioned(workflow_input("project", version=12)(lambda project_id: None))(7)
    assert ("input", "project_version", 12) in recorded_edges()


def test_saved_afterwards_it_is_the_outputs_version(server, recorded_edges):
    """`after=True`: what was written."""

    @versioned(after=True)
    @workflow_output("project")
    def make():
        assert server.saved == []
        return {"id": 7, "type": "images"}

    make()
    assert recorded_edges() == [("output", "project_version", 1007)]


def test_saved_before_and_after_they_are_two_versions(server, recorded_edges):
    """An input's and an output's do not mix."""

    @versioned
    @versioned(after=True, value="project_id")
    def clean(project_id):
        server.types[7] = "images"
        return

    clean(7)
    assert [body["projectId"] for body in server.saved] == [7, 7]
    assert recorded_edges() == [("input", "project_version", 1007), ("output", "project_version", 1007)]


def test_nothing_is_saved_after_a_failure(server, recorded_edges):
    """The body raised: nothing was made."""

    @versioned(after=True, value="project_id")
    def clean(project_id):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        clean(7)
    assert server.saved == []
    assert recorded_edges() == []


def test_several_projects_are_saved_each(server, recorded_edges):
    """One that cannot be costs only itself."""
    versioned(lambda projects: None)([7, {"id": 9, "type": "images"}])
    assert recorded_edges() == [("input", "project_version", 1007), ("input", "project_version", 1009)]


def test_a_project_that_cannot_be_saved_does_not_affect_others(server, recorded_edges, non_strict):
    """As for inputs."""
    versioned(lambda projects: None)([7, object(), None, 9])
    assert [number for _, _, number in recorded_edges()] == [1007, 1009]


@pytest.mark.parametrize("project", [None, "", [], {}])
def test_versioned_saves_nothing_for_none(server, recorded_edges, project):
    """And no failure."""
    versioned(required=True)(lambda project: None)(project)
    assert server.requests.count(methods.SNAPSHOT) == 0
    assert recorded_edges() == []
    assert current_run().failures == []


# -- when it cannot be saved


def refused(server):
    """Ways a version cannot be saved: the project, how to bring it about, and the edge that is left."""
    return {
        "not images": (8, lambda: None, ("project_version", 80)),
        "down": (7, lambda: setattr(server, "down", True), ("project", 7)),
        "down, saved once": (9, lambda: setattr(server, "down", True), ("project_version", 90)),
        "unknown": (55, lambda: None, ("project", 55)),
    }


CASES = ["not images", "down", "down, saved once", "unknown"]


@pytest.mark.parametrize("case", CASES)
def test_it_falls_back_to_the_current_version_else_the_plain_project(server, recorded_edges, caplog, case):
    """The app goes on; a line says why, and `failures` keeps it."""
    project, prepare, expected = refused(server)[case]
    prepare()
    with caplog.at_level(logging.WARNING, logger="autoflow"):
        assert versioned(lambda project_id: 3)(project) == 3
    assert recorded_edges() == [("input", *expected)]
    assert len(current_run().failures) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("strict", ["0", "1"])
@pytest.mark.parametrize("case", CASES)
def test_required_it_raises_before_the_body(monkeypatch, server, recorded_edges, case, strict):
    """The one failure of ours that reaches the app, because it was asked for."""
    monkeypatch.setenv("AUTOFLOW_STRICT", strict)
    project, prepare, _ = refused(server)[case]
    prepare()
    called = []
    with pytest.raises(VersionNotSaved, match=str(project)):
        versioned(required=True)(lambda project_id: called.append(project_id))(project)
    assert called == []


def test_required_on_a_coroutine_raises_where_it_is_awaited(server):
    """And in generators at the first step."""
    server.down = True

    @versioned(required=True)
    async def train(project_id):
        return 3

    @versioned(required=True)
    def stream(project_id):
        yield 3

    @versioned(required=True)
    async def stream_async(project_id):
        yield 3

    with pytest.raises(VersionNotSaved):
        asyncio.run(train(7))
    created = stream(7)
    with pytest.raises(VersionNotSaved):
        next(created)
    with pytest.raises(VersionNotSaved):
        asyncio.run(anext(stream_async(7)))


def test_other_types_are_saved_when_asked_for(server, recorded_edges):
    """`types=` says which."""
    versioned(types=("images", "videos"))(lambda project_id: None)(8)
    assert recorded_edges() == [("input", "project_version", 1008)]


def test_versioned_waits_no_longer_than_its_limit(server, recorded_edges):
    """A server that hangs costs `wait` seconds, and the edge is there."""
    server.hangs.clear()
    assert versioned(wait=0.05)(lambda project_id: 3)(7) == 3
    assert recorded_edges() == [("input", "project", 7)]
    assert isinstance(current_run().failures[0], TimeoutError)


def test_saving_in_a_coroutine_does_not_block_the_event_loop(server, recorded_edges):
    """The save runs in a thread; other tasks go on meanwhile."""
    server.hangs.clear()

    @versioned
    async def train(project_id):
        return len(server.saved)

    async def main():
        task = asyncio.create_task(train(7))
        while methods.SNAPSHOT not in server.requests:
            await asyncio.sleep(0)
        server.hangs.set()
        return await task

    assert asyncio.run(main()) == 1
    assert recorded_edges() == [("input", "project_version", 1007)]


def test_data_of_another_server_is_not_saved_here(monkeypatch, server, recorded_edges):
    """The numbers are another's; its edge is recorded all the same."""
    monkeypatch.setenv("SERVER_ADDRESS", "https://app.example")
    with workflow("x", server="memory"):
        versioned(lambda project: None)({"id": 7, "version": {"id": 70}})
    assert server.saved == []
    assert recorded_edges() == [("input", "project_version", 70)]


# -- on an instance


class Version:
    """`api.project.version` as the SDK has it."""

    def __init__(self, answer):
        self.answer = answer
        self.created = []

    def create(self, project, title=None, description=None):
        self.created.append((project, title, description))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def sdk_api(answer=777):
    """An Api of the SDK."""
    version = Version(answer)
    return types.SimpleNamespace(project=types.SimpleNamespace(version=version), created=version.created)


@pytest.fixture
def instance(monkeypatch, server):
    """The destination says it is an instance when `versioned` asks."""
    monkeypatch.setattr("autoflow.runtime.run_snapshot._has_own_methods", lambda outbox: False)
    return server


def test_on_an_instance_the_sdks_api_in_the_arguments_saves(instance, recorded_edges):
    """One that the function is given."""
    api = sdk_api()
    versioned(title="T", description="D")(lambda api, project_id: None)(api, 7)
    assert api.created == [(7, "T", "D")]
    assert recorded_edges() == [("input", "project_version", 777)]


def test_the_api_of_the_workflow_saves(instance, recorded_edges):
    """`workflow(api=…)`."""
    api = sdk_api()
    with workflow("x", api=api, server="memory"):
        versioned(lambda project_id: None)(7)
    assert api.created == [(7, None, None)]


def test_an_api_from_the_imported_sdk_saves(monkeypatch, instance, recorded_edges):
    """`supervisely`, if it is there; it is never imported by us."""
    api = sdk_api()
    fake = types.SimpleNamespace(Api=types.SimpleNamespace(from_env=lambda: api))
    monkeypatch.setitem(sys.modules, "supervisely", fake)
    versioned(lambda project_id: None)(7)
    assert api.created == [(7, None, None)]


@pytest.mark.parametrize("answer", [None, RuntimeError("no")])
def test_an_api_that_creates_no_version_falls_back(instance, recorded_edges, answer):
    """The SDK answers None when it could not."""
    versioned(lambda api, project_id: None)(sdk_api(answer), 9)
    assert recorded_edges() == [("input", "project_version", 90)]
    assert len(current_run().failures) == 1


def test_without_an_api_it_falls_back(monkeypatch, instance, recorded_edges):
    """And the failure names what would help."""
    monkeypatch.delitem(sys.modules, "supervisely", raising=False)
    versioned(lambda project_id: None)(9)
    assert recorded_edges() == [("input", "project_version", 90)]
    assert "workflow(api=" in str(current_run().failures[0])


# -- a server that keeps callers waiting


def test_a_hanging_server_opens_the_circuit(server, captured, non_strict):
    """The circuit is open then: further calls do not wait, and a required version is refused at once."""
    server.hangs.clear()

    @versioned(wait=0.3)
    def train(project_id):
        return "trained"

    @versioned(wait=0.3, required=True)
    def careful(project_id):
        return "trained"

    assert [train(7) for _ in range(5)] == ["trained"] * 5
    with pytest.raises(VersionNotSaved, match="next request is sent in"):
        careful(7)
    assert server.requests.count(methods.SNAPSHOT) == 1
    assert [(edge.type, edge.id) for edge in captured.edges] == [("project", 7)]


def test_the_circuit_closes_when_the_server_is_back(server, captured, non_strict, monkeypatch):
    """After the pause one call tries, and all is well again."""
    monkeypatch.setattr(run_snapshot, "PAUSE_FACTOR", 0.0)
    monkeypatch.setattr("autoflow.outbox.backoff._system_random.uniform", lambda least, most: 0.0)
    server.hangs.clear()

    @versioned(wait=0.3)
    def train(project_id):
        return None

    train(7)
    server.hangs.set()
    train(9)
    assert ("project_version", 1009) in [(edge.type, edge.id) for edge in captured.edges]


def test_a_quick_failure_does_not_open_the_circuit(server, captured, non_strict):
    """A refused connection costs no time: the version is saved as soon as the server is back."""
    server.down = True

    @versioned(wait=5)
    def train(project_id):
        return None

    train(7)
    train(7)
    server.down = False
    train(9)
    assert server.requests.count(methods.SNAPSHOT) == 3
    assert [body["projectId"] for body in server.saved] == [9]


def test_a_lookup_of_the_task_id_is_limited_by_wait(server, captured, non_strict, monkeypatch):
    """A description with the task's number asks a hanging server within the same limit, and is the only one to."""
    requests = []

    def hang(self, method, body, *, timeout=None):
        requests.append(method)
        self.hangs.wait(60)
        raise ServerUnreachable("too late")

    monkeypatch.setattr(VersioningServer, "call", hang)
    server.hangs.clear()

    @versioned(description="before {task_id}", wait=0.3)
    def train(project_id):
        return "trained"

    with workflow(server="http://127.0.0.1:1", log=False):
        assert train(7) == "trained"
        assert train(7) == "trained"
        assert any("next request is sent in" in str(failure) for failure in current_run().failures)
    server.hangs.set()
