"""The contents of the SDK's info types, each a function of its Api that returns plain values."""

from __future__ import annotations

import os
import tempfile
import typing
from typing import Any

import supervisely as sly


def missing_fields(api: sly.Api, project: int, outer: int, images: list[int]) -> dict[str, list[str]]:
    """Fetch every info type; gives the fields that the SDK declares as not optional and that are null."""
    job = api.labeling_job.create("j", outer, [1])[0]
    api.project.version.create(project)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "f.txt")
        with open(path, "w") as file:
            file.write("x")
        stored = api.file.upload(1, path, "/f.txt")
    known = sly.ProjectMeta.from_json(api.project.get_meta(project))
    api.image.add_tag(images[0], known.get_tag_meta("split").sly_id, "train")
    app = api.app.get_list(1)[0]
    queue = api.labeling_queue.create("q", [1], [1], dataset_id=outer)
    issue = api.issues.add(1, "wrong", "look")
    infos = [
        api.labeling_queue.get_info_by_id(queue),
        *api.labeling_queue.get_list(1),
        issue,
        *api.issues.get_list(1, with_sub_issues=True),
        api.issues.add_comment(issue.id, "why?"),
        api.webhook.create(1, "https://example.com/", "labeling_job.completed"),
        *api.team.get_list(),
        api.team.get_info_by_id(1),
        *api.workspace.get_list(1),
        *api.project.get_list(1),
        api.project.get_info_by_id(project),
        *api.dataset.get_list(project, recursive=True),
        api.dataset.get_info_by_id(outer),
        *api.image.get_list(outer),
        api.image.get_info_by_id(images[0]),
        *api.annotation.get_list(outer),
        api.annotation.download(images[0]),
        *(figure for figures in api.image.figure.download(outer).values() for figure in figures),
        *api.object_class.get_list(project),
        *api.image.tag.get_list(project),
        stored,
        *api.file.list(1, "/", return_type="fileinfo"),
        *api.project.version.get_list(project),
        api.user.get_my_info(),
        *api.user.get_list(),
        *api.user.get_team_members(1),
        *api.role.get_list(),
        job,
        api.labeling_job.get_info_by_id(job.id),
        app,
        api.app.get_info_by_id(app.id),
    ]
    missing = _null_fields(infos)
    for entry in api.annotation.download_json(images[1])["objects"]:
        names = ("id", "classId", "classTitle", "geometryType", "labelerLogin", "createdAt", "updatedAt")
        missing |= {f"object.{name}" for name in names if entry.get(name) is None}
        tags = ("id", "tagId", "name")
        missing |= {f"object.tag.{name}" for tag in entry["tags"] for name in tags if tag.get(name) is None}
    return {"types": sorted({type(info).__name__ for info in infos}), "null": sorted(missing)}


def _null_fields(infos: list[Any]) -> set[str]:
    """Fields that the SDK declares as not optional and that are null; of a type without declarations, all that are."""
    missing = set()
    for info in infos:
        kinds = typing.get_type_hints(type(info)) or dict.fromkeys(info._fields)
        missing |= {
            f"{type(info).__name__}.{name}"
            for name, kind in kinds.items()
            if type(None) not in typing.get_args(kind) and getattr(info, name) is None
        }
    return missing


def missing_media_fields(api: sly.Api, videos: list[int], clouds: list[int], volume: int) -> dict[str, list[str]]:
    """Fetch the info types of videos, point clouds, volumes, collections, modules, sessions and agents."""
    video, cloud = api.video.get_info_by_id(videos[0]), api.pointcloud.get_info_by_id(clouds[0])
    scan = api.volume.get_info_by_id(volume)
    collection = api.entities_collection.create(video.project_id, "chosen")
    module = api.app.get_list_ecosystem_modules(search="train")[0]["id"]
    infos = [
        video,
        *api.video.get_list(video.dataset_id),
        cloud,
        *api.pointcloud.get_list(cloud.dataset_id),
        scan,
        *api.volume.get_list(scan.dataset_id),
        *api.video.object.get_list(video.dataset_id),
        *api.pointcloud.object.get_list(cloud.dataset_id),
        *api.volume.object.get_list(scan.dataset_id),
        *(figure for figures in api.video.figure.download(video.dataset_id).values() for figure in figures),
        *(figure for figures in api.pointcloud.figure.download(cloud.dataset_id).values() for figure in figures),
        *(figure for figures in api.volume.figure.download(scan.dataset_id).values() for figure in figures),
        *api.video.tag.get_list(video.project_id),
        collection,
        *api.entities_collection.get_list(video.project_id),
        api.app.get_ecosystem_module_info(module),
        *api.app.get_sessions(1, module),
        *api.agent.get_list_available(1),
    ]
    missing = _null_fields(infos)
    for image in api.pointcloud.get_list_related_images(cloud.id):
        missing |= {f"related image.{name}" for name, value in image.items() if value is None}
    return {"types": sorted({type(info).__name__ for info in infos}), "null": sorted(missing)}


def outputs(api: sly.Api, project: int) -> dict[str, Any]:
    """Outputs of tasks: of a clone, and those that an app sets."""
    task = api.project.clone(project, 1, "clone")
    api.task.wait(task, api.task.Status.FINISHED)
    clone = api.task.get_info_by_id(task)["meta"]["output"]["project"]
    own = int(api.task_id)
    before = api.task.get_info_by_id(own)["meta"]["output"]
    api.task.set_output_project(own, project, "lemons")
    return {
        "clone": [clone["title"], clone["id"] == api.project.get_info_by_name(1, "clone").id],
        "before": before,
        "after": api.task.get_info_by_id(own)["meta"]["output"] == {"project": {"id": project, "title": "lemons"}},
        "field": _field(api, own),
        "listed": [entry["id"] for entry in api.task.get_list(1) if "project" in entry["meta"]["output"]]
        == [task, own],
    }


def _field(api: sly.Api, task: int) -> list[Any]:
    api.task.set_field(task, "data.images", [1])
    api.task.set_field(task, "data.images", [2], append=True)
    api.task.set_fields_from_dict(task, {"state.dialog": True})
    return [api.task.get_field(task, "data.images"), api.task.get_field(task, "state")]
