"""`api.app.workflow`: return values, destinations and parameters."""

from __future__ import annotations

import inspect
import logging

import pytest

import autoflow
from autoflow import Api, WorkflowMeta, WorkflowSettings, current_run, workflow
from autoflow.runtime import destination
from autoflow.testing import capture
from tests.recording import Recording, World

pytestmark = pytest.mark.core

WORLD = {
    "tasks": {number: {"id": number, "teamId": 9} for number in (55, 66)},
    "files": [{"id": 1001, "path": "/m.pt"}],
}
CALLS = {
    "add_input_project": 501,
    "add_input_dataset": 601,
    "add_input_file": 1001,
    "add_input_folder": "/models",
    "add_input_task": 66,
    "add_input_job": 31,
    "add_output_project": 501,
    "add_output_dataset": 601,
    "add_output_file": 1001,
    "add_output_folder": "/models",
    "add_output_task": 66,
    "add_output_job": 31,
}


@pytest.fixture
def instance(monkeypatch):
    monkeypatch.setenv("SUPERVISELY_TASK_ID", "55")
    with Recording(World(9, WORLD)).running() as recording:
        yield recording


@pytest.fixture
def api(instance):
    return Api(instance.url, "token")


def posted(instance):
    """Return (task, type, id) of each edge."""
    assert autoflow.flush(60)
    return [(edge.body["node"]["id"], edge.body["type"], edge.body["id"]) for edge in instance.edges]


@pytest.mark.parametrize("method", [*CALLS, "add_output_app"])
def test_every_method_returns_the_records_key(api, method):
    """The result is truthy and has the record's key."""
    answer = getattr(api.app.workflow, method)(*([CALLS[method]] if method in CALLS else []))
    assert answer["recorded"] is True
    assert answer["key"]


@pytest.mark.parametrize("method", [*CALLS, "add_output_app"])
def test_every_method_accepts_a_task_and_a_meta(api, instance, method):
    """As in the guide's tables, by keyword."""
    meta = WorkflowMeta(node_settings=WorkflowSettings(title="Train"))
    arguments = [CALLS[method]] if method in CALLS else []
    getattr(api.app.workflow, method)(*arguments, task_id=66, meta=meta)
    assert [task for task, _, _ in posted(instance)] == [66]
    assert instance.edges[0].body["meta"] == {"customNodeSettings": {"title": "<h4>Train</h4>"}}


def test_the_parameters_equal_the_sdks(api):
    """Names and order of the parameters equal the SDK's."""
    expected = {
        "add_input_project": ["project", "version_id", "version_num", "task_id", "meta"],
        "add_output_project": ["project", "version_id", "task_id", "meta"],
        "add_input_dataset": ["dataset", "task_id", "meta"],
        "add_output_dataset": ["dataset", "task_id", "meta"],
        "add_input_file": ["file", "model_weight", "task_id", "meta"],
        "add_output_file": ["file", "model_weight", "task_id", "meta"],
        "add_input_folder": ["path", "task_id", "meta"],
        "add_output_folder": ["path", "task_id", "meta"],
        "add_input_task": ["input_task_id", "task_id", "meta"],
        "add_output_task": ["output_task_id", "task_id", "meta"],
        "add_input_job": ["id", "task_id", "meta"],
        "add_output_job": ["id", "task_id", "meta"],
        "add_output_app": ["task_id", "meta"],
    }
    methods = {name: getattr(api.app.workflow, name) for name in expected}
    assert {name: list(inspect.signature(method).parameters) for name, method in methods.items()} == expected


@pytest.mark.parametrize("value", [None, 1.5, True, "", object(), [1], (1, 2)])
def test_an_invalid_entity_returns_an_empty_result_with_a_warning(api, instance, caplog, value):
    """Nothing is recorded, and the reason is logged."""
    with caplog.at_level(logging.WARNING, logger="autoflow"):
        assert api.app.workflow.add_input_file(value) == {}
    assert "not recorded" in caplog.text
    assert posted(instance) == []


def test_a_disabled_workflow_returns_none_and_records_nothing(api, instance):
    """Recording is turned off and on for one Api."""
    other = Api(instance.url, "token")
    api.app.workflow.disable()
    assert not api.app.workflow.is_enabled()
    assert api.app.workflow.add_input_project(501) is None
    assert other.app.workflow.is_enabled()
    api.app.workflow.enable()
    assert api.app.workflow.add_input_project(502)
    assert posted(instance) == [(55, "project", 502)]


def test_a_workflow_without_recording_is_disabled(monkeypatch):
    """`AUTOFLOW_SERVER=off` turns off recording for every Api."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "off")
    api = Api.from_env()
    assert not api.app.workflow.is_enabled()
    assert api.app.workflow.add_output_app() is None


def test_equal_calls_are_not_deduplicated(api, instance):
    """Each call records an edge; only decorators are de-duplicated."""
    with workflow("Train", server=instance.url) as run:
        api.app.workflow.add_input_project(501)
        run.input("project", 501)
        run.input("project", 501)
        api.app.workflow.add_input_project(501)
        api.app.workflow.add_input_project(501)
    assert posted(instance) == [(55, "project", 501)] * 4


def test_edges_belong_to_the_current_run(api, instance):
    """The edges belong to the run's task, unless the call names another."""
    with workflow("Train", task_id=66):
        api.app.workflow.add_output_project(501)
        api.app.workflow.add_output_project(502, task_id=55)
        api.app.workflow.add_output_app()
    assert posted(instance) == [(66, "project", 501), (55, "project", 502), (66, "app_session", 66)]


def test_a_run_with_another_destination_does_not_redirect_records(api, instance):
    """Records are sent to the Api's server, also in a run with another destination."""
    with workflow("Train", server="memory"):
        api.app.workflow.add_output_project(501)
    assert posted(instance) == [(55, "project", 501)]


def test_the_task_of_the_environment_is_read_when_the_api_is_created(instance, monkeypatch):
    """The Api reads it once, as the SDK does; a run without a task uses the Api's."""
    api = Api(instance.url, "token")
    monkeypatch.delenv("SUPERVISELY_TASK_ID")
    api.app.workflow.add_output_project(501)
    assert posted(instance) == [(55, "project", 501)]


def test_a_file_path_is_resolved_in_the_tasks_team(api, instance):
    """In both directions, by the sender; the call makes no request."""
    api.app.workflow.add_input_file("/m.pt", model_weight=True)
    api.app.workflow.add_output_file("m.pt")
    assert posted(instance) == [(55, "model_weight", 1001), (55, "file", 1001)]
    assert instance.lookups.count("file-storage.list") == 1


def test_an_instance_gets_a_model_as_the_file_it_knows(api, instance):
    """A name of a model is no part of an edge on an instance, which has no models."""
    with workflow("Train", server=instance.url, task_id=66) as run:
        run.output("file", 1001, model="lemons")
    assert posted(instance) == [(66, "model_weight", 1001)]
    assert "model" not in instance.edges[0].body


def test_a_meta_in_wire_form_is_sent_unchanged(api, instance):
    """The result of `WorkflowMeta.create_as_dict`, and a handwritten dict."""
    meta = WorkflowMeta.create_as_dict(relation_settings=WorkflowSettings(title="<b>T</b>", description="d"))
    api.app.workflow.add_output_file(1001, meta=meta)
    posted(instance)
    assert instance.edges[0].body["meta"] == {
        "customRelationSettings": {"title": "<h4><b>T</b></h4>", "description": "<small>d</small>"}
    }


def test_from_env_in_development_reads_the_instance_and_records_elsewhere(instance, monkeypatch):
    """Ids of the instance keep their origin, and nothing is sent to the instance."""
    monkeypatch.setenv("SERVER_ADDRESS", instance.url)
    monkeypatch.setenv("API_TOKEN", "token")
    with capture() as captured:
        api = Api.from_env()
        assert api.origin == instance.url
        assert api.app.workflow.add_input_project(501)
        edges = [record for record in captured.records if record["type"] == "edge"]
    assert [edge["entity"] for edge in edges] == [{"type": "project", "id": 501, "origin": instance.url}]
    assert instance.requests == []


def test_from_env_in_production_records_to_the_instance(instance, monkeypatch):
    """`ENV=production`, `SERVER_ADDRESS` and `API_TOKEN`, as an instance sets them for an app."""
    monkeypatch.setenv("SERVER_ADDRESS", instance.url)
    monkeypatch.setenv("API_TOKEN", "token")
    monkeypatch.setenv("ENV", "production")
    monkeypatch.setattr(destination, "default_in_tests", None)
    Api.from_env().app.workflow.add_input_project(501)
    assert posted(instance) == [(55, "project", 501)]


@pytest.mark.parametrize(
    ("address", "reason"), [("", None), ("ftp://host", "not the address"), ("http://u:p@host", "user")]
)
def test_an_invalid_address_is_an_error(address, reason):
    """It is an error when the Api is created; an empty one is ignored."""
    if reason is None:
        assert Api(address).origin == Api().origin
        return
    with pytest.raises(ValueError, match=reason):
        Api(address)


def test_a_version_that_is_not_a_number_is_an_error(api, instance):
    """A text with lone surrogates does not block later records."""
    assert api.app.workflow.add_input_project(501, version_id="latest") == {}
    assert api.app.workflow.add_input_project(501, version_num="latest") == {}
    assert api.app.workflow.add_output_project(501, version_id=1.5) == {}
    api.app.workflow.add_input_project(501, version_num="4")
    api.app.workflow.add_input_project(501, version_id="77")
    assert [edge[1:] for edge in posted(instance)] == [("project", 501), ("project_version", 77)]


def test_decorators_and_methods_share_a_run(api, instance, monkeypatch):
    """An app may use both; edges are delivered in the order of recording."""
    monkeypatch.setenv("AUTOFLOW_SERVER", instance.url)
    current_run().input("project", 501)
    api.app.workflow.add_output_project(502)
    current_run().output("dataset", 601)
    assert [edge[1:] for edge in posted(instance)] == [("project", 501), ("project", 502), ("dataset", 601)]
