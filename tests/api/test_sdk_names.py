"""`import autoflow as sly`: the names that apps' ``workflow.py`` files use, and what happens to any other."""

from __future__ import annotations

import logging
import types

import pytest

import autoflow
from autoflow.server.server import Server
from tests.serving import served

MODULE = """
import autoflow as sly
from autoflow.api.file_api import FileInfo
from autoflow.api.project_api import ProjectInfo

class Workflow:
    def __init__(self, api: sly.Api, minimum: str = None):
        self.api = api
        self.minimum = "6.9.22" if minimum is None else minimum
        self.is_compatible = self.check()

    def check(self):
        if self.api.is_version_supported(self.minimum):
            return True
        message = f"Supervisely instance version {self.api.instance_version} does not support workflow features."
        if not sly.is_community():
            message += f" To enable them, please update your instance to version {self.minimum} or higher."
        sly.logger.info(message)
        return False

    def output(self, file: sly.api.file_api.FileInfo, project: ProjectInfo):
        assert str(project.type) == str(sly.ProjectType.IMAGES)
        if sly.is_production():
            task = self.api.task.get_info_by_id(self.api.task_id)
            module = task["meta"]["app"]["id"]
        team = sly.env.team_id()
        meta = sly.WorkflowMeta(node_settings=sly.WorkflowSettings(title="T"))
        return team, module, self.api.app.workflow.add_output_file(file, model_weight=True, meta=meta)
"""


def loaded(text):
    """Return a module of this text."""
    module = types.ModuleType("workflow_of_an_app")
    exec(compile(text, "workflow.py", "exec", dont_inherit=True), vars(module))
    return module


def test_a_workflow_module_in_the_public_apps_shape_records(tmp_path, monkeypatch, non_strict):
    """Version check, environment, types of values and the task's app are all there, and the edge is recorded."""
    server = Server.open(tmp_path / "home")
    task = server.call("autoflow.tasks.ensure", {"id": 777})
    with served(server) as url:
        for name, value in {"ENV": "production", "SUPERVISELY_TASK_ID": "777", "TEAM_ID": "1"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AUTOFLOW_SERVER", url)
        api = autoflow.Api(url)
        project = api.project.create(1, "p")
        source = tmp_path / "a.txt"
        source.write_text("x")
        workflow = loaded(MODULE).Workflow(api)
        assert workflow.is_compatible
        assert not loaded(MODULE).Workflow(api, "99.0.0").is_compatible
        team, module, receipt = workflow.output(api.file.upload(1, str(source), "/a.txt"), project)
        assert (team, module, receipt["recorded"]) == (1, task["meta"]["app"]["id"], True)
        assert api.outbox.flush(20)
    server.close()


@pytest.mark.parametrize(
    "text",
    [
        "import autoflow as sly\nproject = sly.Project",
        "import autoflow as sly\ndef f(x: sly.api.video_api.VideoInfo): ...",
        "from autoflow import rand_str",
        "from autoflow.api.video_api import VideoInfo",
        "import autoflow as sly\nagent = sly.env.smart_cache_ttl",
    ],
)
def test_a_name_that_is_not_there_fails_the_import(text):
    """The module of the app is not imported, and the error has the name."""
    with pytest.raises((AttributeError, ImportError), match=r"Project|video_api|rand_str|smart_cache_ttl"):
        loaded(text)


@pytest.mark.parametrize("use", ["autoflow.fs", "autoflow.env.agent_storage", "autoflow.Api('embedded').video"])
def test_a_missing_name_is_logged_where_the_app_swallows_the_error(use, caplog):
    """A warning says what is missing and where to take it from, once."""
    caplog.set_level(logging.WARNING, "autoflow")
    for _ in range(2):
        with pytest.raises(AttributeError, match="also `import supervisely`"):
            eval(use)
    assert len([record for record in caplog.records if "also `import supervisely`" in record.message]) == 1


def test_a_room_of_the_package_is_no_missing_name(caplog):
    """`from autoflow import transport` works and logs nothing."""
    from autoflow import transport

    assert transport.__name__ == "autoflow.transport"
    assert not caplog.records


def test_the_environment_is_read_as_the_sdk_reads_it(monkeypatch):
    """The variables' order, and KeyError with their names when none is set."""
    for name in ("PROJECT_ID", "modal.state.slyProjectId", "modal.state.inputProjectId", "CONTEXT_PROJECTID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KeyError, match="PROJECT_ID"):
        autoflow.env.project_id()
    assert autoflow.env.project_id(raise_not_found=False) is None
    monkeypatch.setenv("PROJECT_ID", "5")
    assert autoflow.env.project_id() == 5
    monkeypatch.setenv("modal.state.slyProjectId", "6")
    assert autoflow.env.project_id() == 6


def test_a_task_is_read_by_position_field_and_wire_name(tmp_path):
    """As the SDK's dictionary and as our named tuple."""
    from autoflow.api.task import read_task

    task = read_task({"id": 5, "teamId": 3, "meta": {"app": {"id": 9, "name": "Train"}}})
    assert (task[0], task["id"], task.get("teamId"), task["meta"]["app"]["id"]) == (5, 5, 3, 9)
    assert task.get("nothing", 4) == 4
    with pytest.raises(KeyError):
        task["nothing"]
