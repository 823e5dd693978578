"""Apps that make or change projects: imports, filters, clones, labelling, versions."""

from __future__ import annotations

from typing import Any

from autoflow import current_run, workflow, workflow_input, workflow_output
from tests.apps.case import Case


def filter_images(case: Case) -> dict[str, Any]:
    @workflow_input("project")
    def read(project_id): ...

    @workflow_output("project", value="project_id")
    def write(project_id): ...

    return {"workflow_input": read, "workflow_output": write}


def import_images(case: Case) -> dict[str, Any]:
    class Import:
        @workflow_output("project")
        def add_output(self, project_id):
            return project_id

    return {"add_output": Import().add_output}


def import_pointcloud_episode(case: Case) -> dict[str, Any]:
    def uploaded(project_id):  # called inline, in the app's loop: no function of its own to decorate
        current_run().output("project", project_id)

    return {"workflow_output": uploaded}


def import_videos(case: Case) -> dict[str, Any]:
    @workflow_output("project", value="id", when={"type": "project"})
    @workflow_output("dataset", value="id", when={"type": "dataset"})
    def upload(id, type="project"): ...  # noqa: A002

    return {"workflow_output": upload}


def sys_clone_project(case: Case) -> dict[str, Any]:
    @workflow_input("project")
    def read(project_id): ...

    @workflow_output("dataset", node_title="Clone Dataset")
    @workflow_output("project", when=lambda call: call.dataset_id is None, node_title="Clone Project")
    def clone(project_id, dataset_id=None) -> None: ...

    return {"add_input": read, "add_output": clone}


def label_project(case: Case) -> dict[str, Any]:
    @workflow_input("task", value="session_id")
    @workflow_input("project")
    def start(project_id, session_id): ...

    @workflow_output("project")
    def save(project_id):
        return project_id

    return {"workflow_input": start, "workflow_output": save, "add_input": start, "add_output": save}


def data_commander(case: Case) -> dict[str, Any]:
    @workflow_input("project", value="source", task_id=case.injected.TASK_ID)
    @workflow_output("project", value="destination", task_id=case.injected.TASK_ID)
    def transfer(source, destination): ...

    return {"assign_workflow": transfer}


def data_versioning(case: Case) -> dict[str, Any]:
    inputs, versions = case.injected, case.api.project.version

    @workflow("Data versioning", task_id=inputs.TASK_ID, api=case.api)
    def main():
        run = current_run()
        if inputs.action == "create":
            run.input("project", inputs.project_id, node_title="Create New Version")
            before = case.project(inputs.project_id)
            made = versions.create(
                inputs.project_id, getattr(inputs, "version_name", None), getattr(inputs, "version_description", None)
            )
            if made != before.version["id"]:
                run.output("project", inputs.project_id, version=made)
        if inputs.action == "restore":
            run.input("project", inputs.project_id, version=f"#{inputs.version_num}", node_title="Restore From Version")
            run.output("project", versions.restore(inputs.project_id, inputs.version_id))

    return {"main": main}
