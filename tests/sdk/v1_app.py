"""An app of the first generation with a GUI, run as the program of a task on an instance: it answers commands."""

from __future__ import annotations

import os
from typing import Any

import supervisely as sly
from supervisely.app.v1.app_service import AppService

PROJECT = int(os.environ["PROJECT_ID"])
app = AppService()


@app.callback("connected")
def connected(api: sly.Api, task_id: int, context: dict[str, Any], state: dict[str, Any], app_logger: Any) -> None:
    """Record what the app reads, as it does at its start."""
    api.app.workflow.add_input_project(PROJECT)


@app.callback("count")
@app.ignore_errors_and_show_dialog_window()
def count(api: sly.Api, task_id: int, context: dict[str, Any], state: dict[str, Any], app_logger: Any) -> None:
    """Count images of the datasets that are selected in the GUI, show the number there and answer it."""
    datasets = [dataset for dataset in api.dataset.get_list(PROJECT) if dataset.name in state["datasets"]]
    images = [image.name for dataset in datasets for image in api.image.get_list(dataset.id)]
    fields = [{"field": "data.count", "payload": len(images)}, {"field": "state.processing", "payload": False}]
    api.task.set_fields(task_id, fields)
    app.send_response(context["request_id"], {"names": images, "clicked": context.get("clicked")})


@app.callback("finish")
def finish(api: sly.Api, task_id: int, context: dict[str, Any], state: dict[str, Any], app_logger: Any) -> None:
    """Write the result."""
    made = api.project.create(int(os.environ["WORKSPACE_ID"]), "counted", change_name_if_conflict=True)
    api.task.set_output_project(task_id, made.id, made.name)
    api.app.workflow.add_output_project(made.id)
    app.send_response(context["request_id"], {"project": made.id})


if __name__ == "__main__":
    gui = {"data": {"count": 0}, "state": {"processing": True, "datasets": []}}
    app.run(data=gui["data"], state=gui["state"], initial_events=[{"command": "connected"}])
