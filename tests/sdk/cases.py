"""The public apps' scenarios as the SDK carries them out: each post of a case by the method that makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import supervisely as sly

Numbers = dict[str, int]  # those of this server, by "type:number" of the case


def _edge(api: sly.Api, direction: str, body: dict[str, Any], numbers: Numbers) -> Any:
    """Post one edge."""
    kind, number, more = body["type"], body.get("id"), {}
    if "meta" in body:
        more["meta"] = body["meta"]
    workflow = api.app.workflow
    known = number if number is None or kind == "folder" else numbers[f"{kind}:{number}"]
    if kind == "project_version":
        if direction == "input":
            return workflow.add_input_project(version_id=known, **more)
        return workflow.add_output_project(numbers[f"version of:{number}"], version_id=known, **more)
    if kind == "model_weight":
        kind, more["model_weight"] = "file", True
    if number is None:
        known = "text"  # as the app gave it
    return getattr(workflow, f"add_{direction}_{kind}")(known, **more)


def _create(api: sly.Api, body: dict[str, Any], numbers: Numbers) -> Any:
    project = numbers[f"project:{body['project_id']}"]
    made = api.project.version.create(project, body["version_title"], body["version_description"])
    numbers.update({"project_version:777": made, "version of:777": project})
    return made


def _restore(api: sly.Api, body: dict[str, Any], numbers: Numbers) -> Any:
    project, version = numbers[f"project:{body['project_id']}"], numbers[f"project_version:{body['version_id']}"]
    numbers["project:202"] = api.project.version.restore(project, version_id=version).id
    return numbers["project:202"]


_CALLS: dict[str, Callable[[sly.Api, dict[str, Any], Numbers], Any]] = {
    "workflow.node.add-input": lambda api, body, numbers: _edge(api, "input", body, numbers),
    "workflow.node.add-output": lambda api, body, numbers: _edge(api, "output", body, numbers),
    "sdk:project.version.create": _create,
    "sdk:project.version.restore": _restore,
}


def replay(api: sly.Api, calls: list[dict[str, Any]], numbers: Numbers) -> dict[str, Any]:
    """Make a case's calls in order; gives what the SDK gave, and the numbers, those of new things among them."""
    answers = [_CALLS[call["endpoint"]](api, call["body"], numbers) for call in calls]
    return {"answers": answers, "numbers": numbers}
