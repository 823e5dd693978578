"""The app's workflow, as the guide lays it out: what goes in, what comes out."""

from typing import Optional

import autoflow as sly


def workflow_input(api: sly.Api, project_info: sly.ProjectInfo):
    try:
        api.app.workflow.add_input_project(project_info.id)
        sly.logger.debug(f"Workflow: project {project_info.id} goes in")
    except Exception as e:
        sly.logger.debug(f"Workflow: the input was not added: {e!r}")


def workflow_output(
    api: sly.Api,
    project_info: Optional[sly.ProjectInfo] = None,  # noqa: UP045 - as the guide writes it
    file_info: Optional[sly.FileInfo] = None,  # noqa: UP045
):
    if project_info is None and file_info is None:
        sly.logger.warning("Workflow: neither a project nor a file came out; nothing is added.")
        return
    try:
        if project_info is not None:
            api.app.workflow.add_output_project(project_info.id)
            sly.logger.debug(f"Workflow: project {project_info.id} comes out")
    except Exception as e:
        sly.logger.debug(f"Workflow: the project was not added: {e!r}")
    try:
        if file_info is not None:
            card = sly.WorkflowSettings(
                title=f"Archive of the project: {file_info.name}",
                description="COCO format",
                icon="archive",
                icon_color="#ff4c9e",
                icon_bg_color="#ffe3ed",
                url=f"/files/{file_info.id}/true/?teamId={file_info.team_id}",
                url_title="Download",
            )
            api.app.workflow.add_output_file(file_info, meta=sly.WorkflowMeta(relation_settings=card))
            sly.logger.debug(f"Workflow: file {file_info.path} comes out")
    except Exception as e:
        sly.logger.debug(f"Workflow: the file was not added: {e!r}")
