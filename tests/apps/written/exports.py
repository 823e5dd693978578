"""Apps that read a project or a dataset and leave an archive in Team Files."""

from __future__ import annotations

from typing import Any

from autoflow import cards, workflow_input, workflow_output
from tests.apps.case import Case


def export_to_coco(case: Case) -> dict[str, Any]:
    @workflow_input("project")
    def download(project_id): ...

    @workflow_output("file", card=cards.archive)
    def upload(archive):
        return archive

    return {"workflow_input": download, "workflow_output": upload}


def export_as_masks(case: Case) -> dict[str, Any]:
    @workflow_input("dataset", value="id", when={"kind": "dataset"})
    @workflow_input("project", value="id", when={"kind": "project"})
    def download(id, kind): ...  # noqa: A002

    @workflow_output("file", card=cards.archive)
    def upload(archive):
        return archive

    return {"workflow_input": download, "workflow_output": upload}


def convert_supervisely_to_yolov5(case: Case) -> dict[str, Any]:
    def by_hand(call):
        file = call.result
        return {
            "customRelationSettings": {
                "icon": {"icon": "zmdi-archive", "color": "#33c94c", "backgroundColor": "#d9f7e4"},
                "title": f"<h4>{file.name}</h4>",
                "mainLink": {"url": f"/files/{file.id}/true/?teamId={file.team_id}", "title": "Download"},
            }
        }

    @workflow_input("project")
    def download(project_id): ...

    @workflow_output("file", meta=by_hand)
    def upload(archive):
        return archive

    return {"add_input": download, "add_output": upload}
