"""Deliveries to an instance of odd, refused and repeated records."""

from __future__ import annotations

import pytest

import autoflow
from autoflow import current_run
from tests.recording import Fault, Recording
from tests.wire.golden import world

pytestmark = pytest.mark.core


@pytest.fixture
def instance(monkeypatch):
    with Recording(world()).running() as recording:
        monkeypatch.setenv("AUTOFLOW_SERVER", recording.url)
        monkeypatch.setenv("SUPERVISELY_TASK_ID", "55")
        yield recording


def sent(instance):
    """(type, id) of each edge."""
    return [(entry.body["type"], entry.body["id"]) for entry in instance.edges]


@pytest.mark.parametrize(
    "odd",
    [
        b'"type":"edge"',
        b'"type":"edge","direction":"sideways","kind":"project","run":"r","subject":{"id":5}',
        b'"type":"edge","direction":"input","kind":"project","run":"r","task":55,"subject":{}',
        b'"type":"edge","direction":"input","kind":"project","run":"r","task":55,"subject":{"id":"x"}',
        b'"type":"edge","direction":"input","kind":"project","run":"r","task":55,"subject":{"id":5},"card":{"no":"x"}',
        b'"type":"edge","direction":"input","kind":"project","run":"r","task":55,"subject":{"id":5},"card":[1]',
        b'"type":"node","run":"r","task":55,"card":{"title":[[{"nothing":1}]]}',
    ],
)
def test_a_record_of_odd_content_stops_nobody(instance, odd):
    """What no version of autoflow can read is a dead letter with the reason; those behind it are sent."""
    run = current_run()
    run.input("project", 1)
    assert run.write(odd)
    run.input("project", 2)
    assert autoflow.flush(60)
    assert sent(instance) == [("project", 1), ("project", 2)]
    assert autoflow.status()["dead"] == 1


def test_an_edge_that_was_refused_was_not_sent(instance):
    """Said again in another way, it is asked for again and counted as dead again."""
    instance.faults["workflow.node.add-output"] = Fault(
        422, {"error": "Unprocessable", "details": {"message": "no such kind"}}
    )
    current_run().output("file", "/models/model.pt")
    current_run().output("file", 1001)
    assert autoflow.flush(60)
    assert len(instance.edges) == 2
    assert autoflow.status()["dead"] == 2


def test_questions_are_asked_once_a_batch(instance):
    """A task, a file and a project's version are looked up once, however many edges need them."""
    run = current_run()
    for number in range(20):
        run.output("dataset", number + 1, title="{team_id} {task_id}")
    run.input("file", "/models/model.pt", title="{value.name}")
    run.input("file", "/models/model.pt", title="{value.id}", model_weight=True)
    assert autoflow.flush(60)
    assert len(sent(instance)) == 22
    assert instance.lookups.count("tasks.info") == 1
    assert instance.lookups.count("file-storage.list") == 1
    assert instance.lookups.count("instance.version") == 1


def test_every_request_goes_over_a_kept_connection(instance):
    """One connection for the sender, not one a request as with the SDK."""
    for number in range(10):
        current_run().input("project", number + 1)
    assert autoflow.flush(60)
    assert len(instance.edges) == 10
    assert instance.connections == 1
