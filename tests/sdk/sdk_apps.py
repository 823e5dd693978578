"""Small apps in the shapes of the public ones, each a function that runs one from its launch to its end.

They read their input from the environment, as the platform sets it, and record edges as public apps do.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import requests
import supervisely as sly
from fastapi.testclient import TestClient
from supervisely.api.app_api import WorkflowMeta, WorkflowSettings
from supervisely.app.widgets import Button, Container, InputNumber, Text


@contextlib.contextmanager
def launched(api: sly.Api, **variables: object) -> Iterator[str]:
    """The surroundings that a platform gives an app: its variables, and a folder for its data."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        known = {"TASK_ID": api.task_id, "WORKSPACE_ID": 1, "SLY_APP_DATA_DIR": folder, **variables}
        os.environ.update({name: str(value) for name, value in known.items()})
        try:
            yield folder
        finally:
            os.environ.clear()
            os.environ.update(before)


def request(state: dict[str, Any]) -> dict[str, Any]:
    """The body of a request to an app's own server."""
    return {"state": state, "context": {}, "server_address": os.environ["SERVER_ADDRESS"], "api_token": "token"}


def import_app(api: sly.Api) -> dict[str, Any]:
    """Import an archive of images from team files, as `main-import` does."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "images")
        for number in range(3):
            sly.image.write(os.path.join(source, "ds", f"{number}.png"), np.full((8, 8, 3), number, np.uint8))
        archive = os.path.join(folder, "in.tar")
        sly.fs.archive_directory(source, archive)
        api.file.upload(1, archive, "/import/in.tar")
    with launched(api, FILE="/import/in.tar") as folder:
        file = api.file.get_info_by_path(sly.env.team_id(), sly.env.file())
        api.app.workflow.add_input_file(file)
        local = os.path.join(folder, file.name)
        api.file.download(file.team_id, file.path, local)
        sly.fs.unpack_archive(local, os.path.join(folder, "data"))
        paths = sly.fs.list_files_recursively(
            os.path.join(folder, "data"), valid_extensions=sly.image.SUPPORTED_IMG_EXTS
        )
        project = api.project.create(sly.env.workspace_id(), "imported", change_name_if_conflict=True)
        dataset = api.dataset.create(project.id, "ds")
        api.image.upload_paths(dataset.id, [os.path.basename(path) for path in paths], paths)
        api.app.workflow.add_output_project(project.id)
        sly.output.set_project(project.id)
        api.file.remove(file.team_id, file.path)
    return {"file": file.id, "project": project.id, "images": len(api.image.get_list(dataset.id))}


def export_app(api: sly.Api, project: int) -> dict[str, Any]:
    """Export a project by the SDK's template, as `export-to-supervisely-format` does."""

    class Export(sly.app.Export):
        def process(self, context: sly.app.Export.Context) -> str:
            api.app.workflow.add_input_project(context.project_id)
            folder = os.path.join(sly.app.get_data_dir(), "project")
            sly.download_project(api, context.project_id, folder, log_progress=False)
            archive = folder + ".tar"
            sly.fs.archive_directory(folder, archive)
            shutil.rmtree(folder)
            return archive

    with launched(api, PROJECT_ID=project):
        app = Export()
        app.run()
        settings = WorkflowSettings(title="Archive", url=f"/files/{app.output_file.id}/true", url_title="Download")
        api.app.workflow.add_output_file(app.output_file, meta=WorkflowMeta(relation_settings=settings))
    return {"file": app.output_file.id, "output": list(api.task.get_info_by_id(int(api.task_id))["meta"]["output"])}


def transform_app(api: sly.Api, project: int) -> dict[str, Any]:
    """Save a version and copy the images with labels into a new project, as `filter-images` does."""
    with launched(api, PROJECT_ID=project):
        source = api.project.get_info_by_id(sly.env.project_id())
        version = api.project.version.create(source, "before", f"by task {sly.env.task_id()}")
        api.app.workflow.add_input_project(source.id, version_id=version)
        target = api.project.create(source.workspace_id, source.name, change_name_if_conflict=True)
        api.project.merge_metas(source.id, target.id)
        copied = 0
        for dataset in api.dataset.get_list(source.id, recursive=True):
            chosen = [image for image in api.image.get_list(dataset.id) if image.labels_count]
            api.image.copy_batch_optimized(
                dataset.id, chosen, api.dataset.create(target.id, dataset.name).id, with_annotations=True
            )
            copied += len(chosen)
        api.app.workflow.add_output_project(target)
    return {"version": version, "project": target.id, "copied": copied}


def page_app(api: sly.Api, dataset: int) -> dict[str, Any]:
    """Press the button of an app with a page of widgets, headless."""
    with launched(api):
        button, number, text = Button("Run"), InputNumber(dataset), Text()
        app = sly.Application(layout=Container([number, button, text]))
        done = []

        @button.click
        def run() -> None:
            api.app.workflow.add_input_dataset(number.get_value())
            made = api.project.create(sly.env.workspace_id(), "by a button")
            api.app.workflow.add_output_project(made.id)
            text.set(f"made {made.id}", "success")
            done.append(made.id)

        client = TestClient(app.get_server())
        page = client.get("/").status_code
        pressed = client.post(button.get_route_path(Button.Routes.CLICK), json=request(dict(sly.app.StateJson())))
    return {"project": done[0], "page": page, "pressed": pressed.status_code, "text": text.text}


def serving_app(api: sly.Api, image: int) -> dict[str, Any]:
    """Deploy a model from a checkpoint in team files by the SDK's class, and ask it by HTTP."""

    class Model(sly.nn.inference.ObjectDetection):
        def load_on_device(self, *_: Any, **__: Any) -> None:
            self.class_names = ["lemon"]

        def get_classes(self) -> list[str]:
            return self.class_names

        def predict(self, *_: Any, **__: Any) -> list[Any]:
            return [sly.nn.PredictionBBox("lemon", [1, 2, 6, 7], 0.5)]

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "best.pt")
        with open(path, "w") as file:
            file.write("weights")
        weights = api.file.upload(1, path, "/experiments/best.pt")
    with launched(api) as folder:
        api.app.workflow.add_input_file(weights, model_weight=True)
        api.file.download(1, weights.path, os.path.join(folder, weights.name))
        model = Model(model_dir=folder, use_gui=False)
        model.load_on_device(folder, "cpu")
        model.serve()
        api.app.workflow.add_output_app(int(api.task_id))
        client = TestClient(model.app.get_server())
        response = client.post("/inference_image_id", json=request({"image_id": image, "settings": {}}))
    objects = response.json()["annotation"]["objects"]
    return {"weights": weights.id, "classes": [entry["classTitle"] for entry in objects]}


def pipeline_app(api: sly.Api, projects: list[int]) -> dict[str, Any]:
    """Merge projects and hand the images to a labeling job, with a preset file, as `data-nodes` does."""
    with launched(api) as folder:
        merged = api.project.create(1, "merged", change_name_if_conflict=True)
        for source in projects:
            api.app.workflow.add_input_project(source)
            for dataset in api.dataset.get_list(source):
                api.dataset.copy(merged.id, dataset.id, f"{source} {dataset.name}", with_annotations=False)
        api.app.workflow.add_output_project(merged.id)
        first = api.dataset.get_list(merged.id)[0]
        jobs = api.labeling_job.create("label", first.id, [api.user.get_my_info().id])
        for job in jobs:
            api.app.workflow.add_output_job(job.id)
        preset = os.path.join(folder, "preset.json")
        sly.json.dump_json_file({"nodes": len(projects)}, preset)
        file = api.file.upload(1, preset, f"/data-nodes/{sly.env.task_id()}/preset.json")
        api.app.workflow.add_output_file(file)
    return {"project": merged.id, "job": jobs[0].id, "file": file.id}


def drive_v1_app(api: sly.Api, app: int) -> dict[str, Any]:
    """Press the buttons of an app of the first generation, once it is connected, and read what its page shows."""
    while True:
        try:
            answer = api.task.send_request(
                app, "count", {"datasets": ["outer"]}, context={"clicked": True}, retries=1, raise_error=True
            )
        except requests.HTTPError as error:
            if error.response.status_code not in {404, 409}:
                raise
            time.sleep(0.2)  # the app has not opened its stream yet
        else:
            break
    shown = {
        "answer": {"names": len(answer["names"]), "clicked": answer["clicked"]},
        "data": api.task.get_field(app, "data.count"),
        "processing": api.task.get_field(app, "state.processing"),
    }
    made = api.task.send_request(app, "finish", {})["project"]
    api.task.send_request(app, "stop", {}, skip_response=True)
    return {**shown, "made": made}
