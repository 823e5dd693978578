"""Reviews, queues, issues, reports, users and files of tasks: functions of the SDK's Api that return plain values."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np
import supervisely as sly


def reviewed_jobs(api: sly.Api, dataset: int, images: list[int]) -> dict[str, Any]:
    """Reject images of a job and restart it with them; without a rejected image it is not restarted."""
    (job,) = api.labeling_job.create("j", dataset, [1], images_ids=images[:3])
    none = api.labeling_job.restart(job.id, ignore_no_rejected_error=True)
    api.labeling_job.set_entity_review_status(job.id, images[0], "accepted")
    api.labeling_job.reject_annotations(job.id, "unmarked")
    ((again),) = api.labeling_job.restart(job.id, title="again")
    made = api.labeling_job.get_info_by_id(again["id"])
    return {
        "none": none,
        "rejected": api.labeling_job.get_info_by_id(job.id).rejected_images_count,
        "again": (again["name"], again["userId"], [entity["id"] for entity in made.entities] == images[1:3]),
        "status": api.labeling_job.get_status(job.id).value,
    }


def queues(api: sly.Api, dataset: int, images: list[int]) -> dict[str, Any]:
    """Share images among labelers, review one of them, and count and list them by status."""
    other = api.user.create("bob", "secret")
    api.user.add_to_team(other.id, 1, 2)
    project = api.dataset.get_info_by_id(dataset).project_id
    queue = api.labeling_queue
    name = api.project.get_meta(project)["classes"][0]["title"]
    number = queue.create("q", [1, other.id], [1], dataset_id=dataset, classes_to_label=[name], images_ids=images[:4])
    jobs = [api.labeling_job.get_info_by_id(job) for job in queue.get_info_by_id(number).jobs]
    api.labeling_job.set_status(jobs[0].id, "in_progress")
    api.labeling_job.set_entity_review_status(jobs[0].id, jobs[0].entities[0]["id"], "accepted")
    queue.set_status(number, "completed")
    info = queue.get_info_by_id(number)
    collection = api.entities_collection.create(project, "c")
    api.entities_collection.add_items(collection.id, images[:2])
    second = queue.create("of a collection", [1], [1], collection_id=collection.id)
    return {
        "dealt": [[entity["id"] for entity in job.entities] == images[start:4:2] for start, job in enumerate(jobs)],
        "queue": [job.labeling_queue_id == number for job in jobs],
        "status": (queue.get_status(number).value, info.finished_at is not None, info.labelers == [1, other.id]),
        "counts": info[12:17],
        "meta": [labeled.name == name for labeled in queue.get_project_meta(number).obj_classes],
        "accepted": [
            entity["id"] == images[0] for entity in queue.get_entities_all_pages(number, status="accepted")["images"]
        ],
        "pages": len(queue.get_entities_all_pages(number, per_page=2)["images"]),
        "by status": [queue.get_entities_count_by_status(number, status) for status in ("null", "none")],
        "within": queue.get_entities_all_pages(number, collection_id=collection.id)["total"],
        "listed": [listed.id for listed in queue.get_list(1, dataset_id=dataset)] == [number],
        "of a collection": (queue.get_info_by_id(second).entities_count, len(queue.get_list(1))),
    }


def issues(api: sly.Api, dataset: int, images: list[int]) -> dict[str, Any]:
    """Raise an issue about an object, comment on it, close it, move it, and remove it."""
    info = api.image.get_info_by_id(images[0])
    meta = sly.ProjectMeta.from_json(api.project.get_meta(info.project_id))
    annotation = api.annotation.download(images[0])
    figure = annotation.annotation["objects"][0]["id"]
    made = api.issues.add(1, "wrong", "look", [1], is_local=True)
    other = api.issues.add(1, "other")
    api.issues.add_subissue(made.id, [images[0]], [figure], 1, 2, annotation, meta)
    comment = api.issues.add_comment(made.id, "why?")
    changed = api.issues.update_comment(comment.id, "why not?")
    records = api.issues.get_list_by_dataset(dataset)
    (sub,) = api.issues.get_info_by_id(made.id, with_sub_issues=True).sub_issues
    api.issues.update_subissue(sub["id"], "closed", other.id, {"position": {"left": 3, "top": 4}})
    closed = api.issues.update(made.id, "right", "closed", is_pinned=True)
    listed = api.issues.get_list(1, [{"field": "status", "operator": "=", "value": "open"}], with_sub_issues=True)
    api.issues.remove(other.id)
    return {
        "made": (made.name, made.status, made.user_login),
        "comment": (comment.comment, changed.comment, changed.created_by_user, changed.issue_id == made.id),
        "records": [api.issues.resolve_binding_image_id(record) for record in records] == [None, images[0]],
        "sub": (sub["imageId"] == images[0], sub["bindings"][0]["value"] == figure),
        "closed": (closed.name, closed.status),
        "listed": [(entry.name, [inner["status"] for inner in entry.sub_issues]) for entry in listed],
        "left": ([entry.name for entry in api.issues.get_list(1)], api.issues.get_list_by_dataset(dataset)),
    }


def reports(api: sly.Api) -> dict[str, Any]:
    """Make a report of widgets, and change one of them."""
    widgets = [{"id": "a", "type": "html", "content": "x"}, {"type": "table"}]
    number = api.report.create(1, "r", widgets, "a b / 1fr 1fr")
    return {
        "url": api.report.url(number).endswith(f"/reports/{number}"),
        "widget": api.report.get_widget(number, "a"),
        "updated": api.post(
            "reports.widgets.update", {"reportId": number, "widget": {"id": 2, "options": {"perPage": 5}}}
        ).json(),
        "rewritten": api.report.rewrite_widget(number, "a", "plotly", name="p", content={"data": []}),
    }


def accounts(api: sly.Api) -> dict[str, Any]:
    """Rename a user, disable the user, and enable the user again."""
    user = api.user.create("eve", "secret")
    renamed = api.user.update(user.id, name="Eve")
    api.user.disable(user.id)
    disabled = api.user.get_info_by_id(user.id).disabled
    api.user.enable(user.id)
    return {"name": renamed.name, "disabled": [disabled, api.user.get_info_by_id(user.id).disabled]}


def task_files(api: sly.Api) -> dict[str, Any]:
    """Add files to a task, one of whose content the server has already."""
    api.task.get_info_by_id(api.task_id)  # as an app does at its start
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("a.png", "b.txt")]
        sly.image.write(paths[0], np.zeros((4, 4, 3), np.uint8))
        with open(paths[1], "w") as file:
            file.write("plain")
        project = api.project.create(1, "p")
        api.image.upload_path(api.dataset.create(project.id, "d").id, "a.png", paths[0])
        api.task.upload_files(int(api.task_id), paths, ["in/a.png", "b.txt"])
    return {"paths": sorted(file["path"] for file in api.file.list(1, f"/task-files/{api.task_id}/"))}


def mask_areas(api: sly.Api) -> dict[str, Any]:
    """Upload a mask and list its figure."""
    project = api.project.create(1, "masks")
    dataset = api.dataset.create(project.id, "d")
    image = api.image.upload_np(dataset.id, "a.png", np.zeros((40, 60, 3), np.uint8))
    mask = np.tri(30, 50, dtype=bool)
    label = sly.Label(sly.Bitmap(mask, origin=sly.PointLocation(5, 7)), sly.ObjClass("c", sly.Bitmap))
    api.project.update_meta(project.id, sly.ProjectMeta(sly.ObjClassCollection([label.obj_class])))
    api.annotation.upload_ann(image.id, sly.Annotation((40, 60), [label]))
    ((figure,),) = api.image.figure.download(dataset.id).values()
    return {"area": float(figure.area) == label.geometry.area, "bbox": figure.geometry_meta["bbox"]}
