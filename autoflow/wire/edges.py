"""Edges on the wire: the body of ``workflow.node.add-input`` and ``add-output``."""

from __future__ import annotations

from typing import Literal, TypedDict

from autoflow.model.card import WireMeta
from autoflow.model.entity_types import WireType


class EdgeNode(TypedDict):
    """The task of an edge."""

    type: Literal["task"]
    id: int


class _EdgeWithoutMeta(TypedDict):
    teamId: int
    node: EdgeNode
    type: WireType
    id: int | str


class EdgeBody(_EdgeWithoutMeta, total=False):
    """The body of a request that adds an edge to a task."""

    meta: WireMeta


def edge_body(
    team_id: int, task_id: int, entity_type: WireType, entity_id: int | str, meta: WireMeta | None = None
) -> EdgeBody:
    """Return the body of a request, with its keys in the SDK's order."""
    body: EdgeBody = {
        "teamId": team_id,
        "node": {"type": "task", "id": task_id},
        "type": entity_type,
        "id": entity_id,
    }
    if meta:
        body["meta"] = meta
    return body
