"""Edges on the wire: the body of ``workflow.node.add-input`` and ``add-output``."""

from __future__ import annotations

from typing import Any

from autoflow.model.entity_types import WireType


def edge_body(
    team_id: int, task_id: int, entity_type: WireType, entity_id: int | str, meta: Any = None
) -> dict[str, Any]:
    """Return the body of a request, with its keys in the SDK's order."""
    body: dict[str, Any] = {
        "teamId": team_id,
        "node": {"type": "task", "id": task_id},
        "type": entity_type,
        "id": entity_id,
    }
    if meta:
        body["meta"] = meta
    return body
