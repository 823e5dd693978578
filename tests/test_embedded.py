"""The whole way on one machine: decorated functions, the outbox, the embedded server and its graph."""

from __future__ import annotations

import pytest

import autoflow
from autoflow.outbox.dead_letters import iter_dead_letters
from autoflow.outbox.status import destinations, status


@autoflow.versioned(title="Train {project.name}", description="Before task {task_id}")
@autoflow.workflow_input("project")
def load(project):
    return project


@autoflow.workflow_input("project")
def read(project):
    return project


@autoflow.workflow_output("file", model_weight=True, card=autoflow.cards.checkpoints, node=autoflow.cards.session)
def save(path):
    return path


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    return autoflow.Api.from_env()


@pytest.fixture
def project(api):
    return api.project.create(1, "lemons")


def arrows(graph):
    names = {card.key: (card.type, card.name) for card in graph.cards}
    return [(names[arrow.source], names[arrow.target], arrow.kind) for arrow in graph.arrows]


def dead():
    return [letter["reason"] for _, folder in destinations() for letter in iter_dead_letters(folder)]


def test_a_training_run_is_a_chain_of_cards(api, project, tmp_path):
    """Project, version, run and weights are cards with arrows between them, and the run's number is known."""
    weights = tmp_path / "w.pt"
    weights.write_bytes(b"weights")
    with autoflow.workflow("Train", parameters={"epochs": 3, "api_key": "s3cret"}) as run:
        load(project)
        api.file.upload(1, str(weights), "/lemons/w.pt")
        save("/lemons/w.pt")
        assert autoflow.flush(60)
        assert run.task_id is not None
        assert run.failures == []
    assert autoflow.flush(60)
    version = ("project_version", "Train lemons")
    assert set(arrows(api.graph(task=run.task_id))) == {
        (("project", "lemons"), version, "version"),
        (version, ("task", "Train"), "input"),
        (("task", "Train"), ("model_weight", "w.pt"), "output"),
    }
    assert api.project.version.get_list(project.id)[0].description == f"Before task {run.task_id}"
    task = api.transport.call("tasks.info", {"id": run.task_id})
    assert "s3cret" not in str(task)


@pytest.mark.parametrize(
    "named", [lambda project: project.id, lambda project: str(project.id), lambda project: "lemons"]
)
def test_a_project_is_found_by_number_or_by_name(named, api, project):
    """A number, numeric text and the project's name mean the same card."""
    with autoflow.workflow("Read") as run:
        read(named(project))
    assert autoflow.flush(60)
    assert arrows(api.graph(task=run.task_id)) == [(("project", "lemons"), ("task", "Read"), "input")]


@pytest.mark.parametrize(
    ("value", "words"), [(999, "project 999 is unknown"), ("no such", 'no project is called "no such"')]
)
def test_an_entity_unknown_to_the_server_is_a_dead_letter_with_its_reason(value, words, api):
    """Its own unknown numbers and names are refused, and nothing else waits for them."""
    with autoflow.workflow("Read"):
        read(value)
        read(api.project.create(1, "limes"))
    assert autoflow.flush(60)
    assert [words in reason for reason in dead()] == [True]
    assert status()["waiting"] == 0


def test_entities_of_another_server_are_kept_and_shown(api, monkeypatch):
    """In development the instance's numbers are cards with their origin."""
    monkeypatch.setenv("SERVER_ADDRESS", "https://instance.example")
    monkeypatch.setattr("autoflow.runtime.inference._latest_api_origin", None)
    with autoflow.workflow("Read", task_id=52345):
        read(999)
    assert autoflow.flush(60)
    cards = {card.type: card for card in api.graph().cards}
    assert (str(cards["project"].id), cards["project"].origin) == ("999", "https://instance.example")
    assert dead() == []


def test_each_run_of_a_process_is_a_task_of_its_own(api, project):
    """A second run records the same input again, as its own."""
    numbers = []
    for _ in range(2):
        with autoflow.workflow("Read") as run:
            read(project)
        assert autoflow.flush(60)
        numbers.append(run.task_id)
    assert len(set(numbers)) == 2
    assert len(arrows(api.graph(project=project.id))) == 2


def test_versioned_falls_back_to_the_plain_project_for_other_types(api):
    """A project of videos is recorded as it is; the reason is kept."""
    videos = api.project.create(1, "clips", type="videos")
    with autoflow.workflow("Train") as run:
        load(videos)
        assert autoflow.flush(60)
    assert [type(failure) for failure in run.failures] == [RuntimeError]
    assert autoflow.flush(60)
    assert arrows(api.graph(task=run.task_id)) == [(("project", "clips"), ("task", "Train"), "input")]


def test_a_run_whose_edges_were_all_refused_is_in_the_graph(api):
    """The data it read is unknown to the server, but the run is in the graph."""
    with autoflow.workflow("Lonely app"):
        read(999)
    assert autoflow.flush(60)
    assert len(dead()) == 1
    assert [(card.type, card.name) for card in api.graph().cards] == [("task", "Lonely app")]
