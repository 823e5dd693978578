"""The guide's example, its module with the missing import as the guide has it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import autoflow
from tests.apps.case import Case

logger = logging.getLogger(__name__)

AS_WRITTEN = """
from typing import Optional
import autoflow as sly

@sly.workflow_output("file", value="archive")
def finish(project: Optional[sly.ProjectInfo] = None, archive: Optional[FileInfo] = None):
    ...
"""


def as_written(case: Case) -> dict[str, Any]:
    def start(project):
        with pytest.raises(NameError, match="FileInfo"):
            exec(compile(AS_WRITTEN, "workflow.py", "exec", dont_inherit=True), {})

    return {"workflow_input": start}


def example(case: Case) -> dict[str, Any]:
    @autoflow.workflow_input("project")
    def start(project_info): ...

    @autoflow.workflow_output("project", value="project_info")
    @autoflow.workflow_output(
        "file",
        value="file_info",
        title="Project Archive: {value.name}",
        description="COCO format",
        icon="archive",
        icon_color="#ff4c9e",
        icon_bg_color="#ffe3ed",
        url="/files/{value.id}/true/?teamId={value.team_id}",
        url_title="Download",
    )
    def finish(project_info=None, file_info=None):
        if project_info is None and file_info is None:
            logger.info("Nothing was made.")

    return {"workflow_input": start, "workflow_output": finish}
