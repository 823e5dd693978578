"""The SDK's calls of the workflow methods, captured from version 6.74.51, and how to make them with any Api."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import Any

from tests.recording import EDGES, Fault, Recording, World

CASES: dict[str, dict[str, Any]] = {
    case["case"]: case
    for case in json.loads((pathlib.Path(__file__).parents[1] / "data" / "golden_workflow.json").read_text())
}
WORLD = {
    "tasks": {
        number: {"id": number, "teamId": 7, "workspaceId": 8, "meta": {"app": {"id": 1, "name": "stub app"}}}
        for number in (55, 66)
    },
    "files": [{"id": 1001, "path": "/models/model.pt"}],
    "versions": [{"id": 77, "projectId": 501, "version": 4}],
}


def world(version: Any = "6.18.3") -> World:
    """The instance the calls were captured from."""
    return World(7, WORLD, version)


def arguments(described: Any, package: Any) -> Any:
    """The arguments of a call, with the infos and settings of a package (the SDK, or autoflow) made real."""
    if not isinstance(described, Mapping):
        return described
    if len(described) == 1 and (word := next(iter(described))).startswith("$"):
        inside = described[word]
        if word == "$dict":
            return inside
        if word == "$WorkflowMeta":
            parts = {name: package.WorkflowSettings(**settings) for name, settings in inside.items()}
            return package.WorkflowMeta(**parts)
        kind = getattr(package, word[1:])
        return kind(**{**dict.fromkeys(kind._fields), **inside})
    return {name: arguments(value, package) for name, value in described.items()}


def call(workflow: Any, case: Mapping[str, Any], package: Any) -> Any:
    """Make a case's call: what it returned, or `TypeError` when it is not callable so."""
    try:
        return getattr(workflow, case["call"]["method"])(**arguments(case["call"]["kwargs"], package))
    except TypeError:
        return TypeError


def fault_of(case: Mapping[str, Any]) -> dict[str, Fault]:
    """The bad answer of a case, by endpoint."""
    fault = case.get("fault")
    if fault is None:
        return {}
    bad = Fault(
        status=fault.get("status", 200),
        body=fault.get("body", {"error": "injected", "details": {"message": "injected"}}),
        raw=fault["raw"].encode() if "raw" in fault else None,
    )
    return {endpoint: bad for endpoint in (*EDGES, "tasks.info", "instance.version") if fault["match"] in endpoint}


def posts(case: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The edges the SDK posted, with the one thing all of them get wrong put right: a task's number is a number."""
    edges = []
    for request in case["requests"]:
        endpoint = request["path"].rpartition("/")[2]
        if endpoint in EDGES:
            edges.append((endpoint, numbered(request["body"])))
    return edges


def numbered(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body with ``node.id``, and the session's id that is copied from it, as a number."""
    right = {**body, "node": {**body["node"], "id": int(body["node"]["id"])}}
    if body["type"] == "app_session":
        right["id"] = int(body["id"])
    return right


def made(recording: Recording, before: int) -> list[tuple[str, Any]]:
    """The edges posted since there were `before` of them."""
    return [(request.endpoint, request.body) for request in recording.edges[before:]]
