"""One edge by each of the workflow's methods, for the SDK's Api and autoflow's alike: what is made, posted, drawn."""

from __future__ import annotations

import io
from typing import Any

from autoflow.wire import methods
from autoflow.wire.parts import Part

Numbers = dict[str, int]


def put(server: Any, path: str, data: bytes = b"weights") -> int:
    """Upload a team file; gives its number."""
    folder, _, name = path.rpartition("/")
    parts = [Part("name", name), Part("path", folder + "/"), Part("file", io.BytesIO(data), name, None)]
    return int(server.upload("file-storage.bulk.upload", parts, {"teamId": 1})[0]["id"])


def world(server: Any) -> Numbers:
    """One of everything that an edge may name; the server may be a transport to one."""
    call = server.call
    project, other = (call("projects.add", {"workspaceId": 1, "name": name})["id"] for name in ("lemons", "limes"))
    dataset, made = (call("datasets.add", {"projectId": number, "name": "ds"})["id"] for number in (project, other))
    job, after = (
        call("jobs.add", {"name": name, "datasetId": dataset, "userIds": [1]})[0]["id"] for name in ("before", "after")
    )
    return {
        "project": project,
        "other": other,
        "version": call(methods.SNAPSHOT, {"projectId": project})["id"],
        "dataset": dataset,
        "made": made,
        "in": put(server, "/models/in.pt"),
        "file": put(server, "/models/out.pt"),
        "task": call(methods.TASKS_ENSURE, {"id": 801})["id"],
        "next": call(methods.TASKS_ENSURE, {"id": 802})["id"],
        "job": job,
        "job_after": after,
    }


def post(api: Any, known: Numbers, meta: Any = None, task_id: int | None = None) -> list[Any]:
    """All thirteen methods, one of them in two ways; gives what they gave."""
    more = {name: value for name, value in (("meta", meta), ("task_id", task_id)) if value is not None}
    workflow = api.app.workflow
    return [
        workflow.add_input_project(known["project"], **more),
        workflow.add_input_project(version_id=known["version"], **more),
        workflow.add_input_dataset(known["dataset"], **more),
        workflow.add_input_file("/models/in.pt", model_weight=True, **more),
        workflow.add_input_folder("/in/", **more),
        workflow.add_input_task(known["task"], **more),
        workflow.add_input_job(known["job"], **more),
        workflow.add_output_project(api.project.get_info_by_id(known["other"]), **more),
        workflow.add_output_dataset(api.dataset.get_info_by_id(known["made"]), **more),
        workflow.add_output_file(known["file"], **more),
        workflow.add_output_folder("/out", **more),
        workflow.add_output_task(known["next"], **more),
        workflow.add_output_job(known["job_after"], **more),
        workflow.add_output_app(**more),
    ]


def drawn(known: Numbers, task: int) -> tuple[set[str], set[str]]:
    """The cards that the task then read, and those that it wrote."""
    read = {
        f"project:{known['project']}",
        f"project_version:{known['version']}",
        f"dataset:{known['dataset']}",
        f"file:{known['in']}",
        "folder:/in",
        f"task:{known['task']}",
        f"job:{known['job']}",
    }
    written = {
        f"project:{known['other']}",
        f"dataset:{known['made']}",
        f"file:{known['file']}",
        "folder:/out",
        f"task:{known['next']}",
        f"job:{known['job_after']}",
        f"app_session:{task}",
    }
    return read, written
