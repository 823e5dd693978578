"""Ready-made cards for common outputs: pass one as ``card=`` (`session` as ``node=``)."""

from __future__ import annotations

from autoflow.model.card import WorkflowSettings
from autoflow.model.template import FirstKnown

archive = WorkflowSettings(
    title="{value.name}",
    icon="archive",
    icon_color="#33c94c",
    icon_bg_color="#d9f7e4",
    url="/files/{value.id}/true/?teamId={value.team_id}",
    url_title="Download",
)

checkpoints = WorkflowSettings(
    title="Checkpoints",
    icon="folder",
    icon_color="#FFA500",
    icon_bg_color="#FFE8BE",
    url="/files/{value.id}/true",
    url_title="Open Folder",
)

report = WorkflowSettings(
    title="Model Benchmark",
    icon="assignment",
    icon_color="#dcb0ff",
    icon_bg_color="#faebff",
    url="/model-benchmark?id={value.id}",
    url_title="Open Benchmark Report",
)

session = WorkflowSettings(
    url=FirstKnown(("/apps/{app_id}/sessions/{task_id}", "/apps/sessions/{task_id}")),
    url_title="Show Results",
)

__all__ = ["archive", "checkpoints", "report", "session"]
