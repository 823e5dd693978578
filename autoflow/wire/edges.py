"""An edge on the wire: the body of ``workflow.node.add-input`` and ``add-output``."""

from __future__ import annotations

from typing import Any

from autoflow.model.entity import Kind, WireType


def wire_type(kind: Kind, *, model_weight: bool = False, version: bool = False) -> WireType:
    """Give the type that stands in the edge for a kind an author named."""
    if kind == "project" and version:
        return "project_version"
    if kind == "file" and model_weight:
        return "model_weight"
    return "app_session" if kind == "app" else kind


def edge_body(
    team_id: int, task_id: int, entity_type: WireType, entity_id: int | str, meta: Any = None
) -> dict[str, Any]:
    """Build the body, its keys in the SDK's order."""
    body: dict[str, Any] = {
        "teamId": team_id,
        "node": {"type": "task", "id": task_id},
        "type": entity_type,
        "id": entity_id,
    }
    if meta:
        body["meta"] = meta
    return body
