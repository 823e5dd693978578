"""What apps do with the SDK, each thing a function of its Api; it gives plain values."""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any

import numpy as np
import supervisely as sly
from supervisely.api.entities_collection_api import CollectionItem, CollectionTypeFilter

from tests.sdk import edges

WIDTH, HEIGHT = 48, 32
SOFT = np.zeros((6, 9), dtype=np.uint8)
SOFT[1:5, 2:8] = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10 + 5


def meta() -> sly.ProjectMeta:
    """Three classes and two tags."""
    classes = [
        sly.ObjClass("lemon", sly.Rectangle, color=[255, 0, 0]),
        sly.ObjClass("peel", sly.Polygon, color=[0, 255, 0]),
        sly.ObjClass("soft", sly.AlphaMask, color=[0, 0, 255]),
    ]
    tags = [
        sly.TagMeta("split", sly.TagValueType.ONEOF_STRING, possible_values=["train", "val"]),
        sly.TagMeta("blurry", sly.TagValueType.NONE),
    ]
    return sly.ProjectMeta(sly.ObjClassCollection(classes), sly.TagMetaCollection(tags))


def picture(number: int) -> np.ndarray:
    """An image unlike the others."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[:, :, 0] = number
    pixels[number % HEIGHT, :, 1] = 255
    return pixels


def annotation(number: int, known: sly.ProjectMeta) -> sly.Annotation:
    """A rectangle on each, a polygon with a hole on every second, a mask on every third; tags on all three levels."""
    split, blurry = known.get_tag_meta("split"), known.get_tag_meta("blurry")
    value = sly.Tag(split, "train" if number % 4 else "val")
    tags = [sly.Tag(blurry)] if number % 2 else []
    labels = [
        sly.Label(sly.Rectangle(1, 2, 10, 12 + number % 5), known.get_obj_class("lemon"), sly.TagCollection(tags))
    ]
    if number % 2 == 0:
        hole = [[(4, 4), (4, 6), (6, 6)]]
        outline = sly.Polygon([(0, 0), (0, 20), (20, 20), (20, 0)], hole)
        labels.append(sly.Label(outline, known.get_obj_class("peel")))
    if number % 3 == 0:
        mask = sly.AlphaMask(SOFT, origin=sly.PointLocation(3, number % 7))
        labels.append(sly.Label(mask, known.get_obj_class("soft"), sly.TagCollection([value])))
    return sly.Annotation((HEIGHT, WIDTH), labels, sly.TagCollection([value]), img_description=f"number {number}")


def fill(api: sly.Api, name: str = "lemons", count: int = 50) -> dict[str, Any]:
    """Make a project of two datasets, one in the other, and images in both."""
    project = api.project.create(1, name, description="source", readme="# lemons")
    known = api.project.update_meta(project.id, meta())
    outer = api.dataset.create(project.id, "outer")
    inner = api.dataset.create(project.id, "inner", parent_id=outer.id)
    images: list[int] = []
    for dataset, numbers in ((outer, range(count // 2)), (inner, range(count // 2, count))):
        names = [f"im{number:02}.png" for number in numbers]
        made = api.image.upload_nps(dataset.id, names, [picture(number) for number in numbers])
        assert [image.name for image in made] == names
        api.annotation.upload_anns([image.id for image in made], [annotation(number, known) for number in numbers])
        images += [image.id for image in made]
    return {"project": project.id, "outer": outer.id, "inner": inner.id, "images": images}


def compare(api: sly.Api, project: int, described: bool = True) -> list[str]:
    """See that a project is as `fill` made it; gives what differs. The SDK restores no descriptions."""
    known = sly.ProjectMeta.from_json(api.project.get_meta(project))
    wrong = []
    if [entry.name for entry in known.obj_classes] != ["lemon", "peel", "soft"]:
        wrong.append("classes")
    if known.obj_classes != meta().obj_classes or known.tag_metas != meta().tag_metas:
        wrong.append("meta")
    compared = 0
    for dataset in api.dataset.get_list(project, recursive=True):
        images = api.image.get_list(dataset.id)
        numbers = [int(image.name[2:-4]) for image in images]
        pixels = api.image.download_nps(dataset.id, [image.id for image in images])
        response = api.annotation.download_batch(dataset.id, [image.id for image in images])
        for number, image, array, info in zip(numbers, images, pixels, response):  # noqa: B905
            compared += 1
            if not np.array_equal(array, picture(number)):
                wrong.append(f"pixels of {image.name}")
            actual = sly.Annotation.from_json(info.annotation, known)
            differing = difference(actual, annotation(number, known), described)
            if differing:
                wrong.append(f"{differing} of {image.name}")
            single = (
                sly.Annotation.from_json(api.annotation.download_json(image.id), known) if number % 10 == 0 else actual
            )
            if difference(single, actual, described):
                wrong.append(f"{image.name} alone")
    return wrong + ([] if compared else ["no images"])


def difference(actual: sly.Annotation, expected: sly.Annotation, described: bool) -> str:
    """What of two annotations differs first, empty when nothing does."""
    if actual.img_size != expected.img_size or (described and actual.img_description != expected.img_description):
        return "size or description"
    if plain_tags(actual.img_tags) != plain_tags(expected.img_tags):
        return "tags"
    if sorted(map(plain_label, actual.labels)) != sorted(map(plain_label, expected.labels)):
        return "labels"
    return ""


def plain_tags(tags: Any) -> list[tuple[str, Any]]:
    return sorted((tag.name, str(tag.value)) for tag in tags)


def plain_label(label: sly.Label) -> str:
    """A label without what is told by the server alone."""
    geometry = label.geometry
    if isinstance(geometry, sly.AlphaMask):
        shape: Any = [geometry.origin.row, geometry.origin.col, np.asarray(geometry.data).tolist()]
    else:
        shape = geometry.to_json()["points"]
    return json.dumps([label.obj_class.name, geometry.geometry_name(), shape, plain_tags(label.tags)])


# -- images, projects and lists


def image_ways(api: sly.Api, dataset: int, link: str) -> dict[str, Any]:
    """Images by path, by bytes already there, by hash and by link, and names that are taken."""
    first = api.image.upload_np(dataset, "a.png", picture(1))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "b.png")
        sly.image.write(path, picture(2))
        second = api.image.upload_path(dataset, "b.png", path, meta={"camera": 7})
        api.image.download_path(second.id, path + ".back")
        with open(path, "rb") as sent, open(path + ".back", "rb") as back:
            same = sent.read() == back.read()
    hashed = api.image.upload_hashes(dataset, ["d.png", "c.png"], [second.hash, first.hash])
    linked = api.image.upload_link(dataset, "far.png", link)
    skipped = api.image.upload_hashes(dataset, ["a.png", "e.png"], [first.hash] * 2, conflict_resolution="skip")
    renamed = api.image.upload_hashes(dataset, ["a.png"], [first.hash], conflict_resolution="rename")[0]
    replaced = api.image.upload_hashes(dataset, ["b.png"], [first.hash], conflict_resolution="replace")[0]
    api.image.edit(first.id, name="first.png", meta={"k": [1, 2]})
    by_hash = [
        np.array_equal(array, picture(2)) for _, array in api.image.download_nps_by_hashes_generator([second.hash])
    ]
    return {
        "same": same,
        "names": [image.name for image in hashed],
        "hashes": [hashed[0].hash == second.hash, hashed[1].hash == first.hash],
        "linked": [linked.link, linked.hash],
        "skipped": sorted(image.name for image in skipped),
        "renamed": renamed.name,
        "replaced": [replaced.name, replaced.hash == first.hash, replaced.id != second.id],
        "edited": [api.image.get_info_by_id(first.id).name, api.image.get_info_by_id(first.id).meta],
        "meta": second.meta,
        "gone": api.image.get_info_by_id(second.id),
        "known": api.image.check_existing_hashes([first.hash, "none"]) == [first.hash],
        "by hash": by_hash,
        "url": first.full_storage_url,
    }


def lists(api: sly.Api, project: int, dataset: int, images: list[int]) -> dict[str, Any]:
    """Filters, orders, pages, and look-ups of what is not there."""
    where = [{"field": "name", "operator": "=", "value": "im03.png"}]
    pages = list(api.image.get_list_generator(dataset, batch_size=2))
    before = api.project.get_info_by_id(project)
    api.project.update_custom_data(project, {"seen": 1}, silent=True)
    silent = api.project.get_info_by_id(project)
    api.project.update_settings(project, {"groupImages": False})
    twin = api.project.create(1, before.name, change_name_if_conflict=True)
    try:
        api.project.create(1, before.name)
        refused = None
    except Exception as error:
        refused = error.response.status_code
    return {
        "filtered": [image.name for image in api.image.get_list(dataset, filters=where)],
        "descending": [image.id for image in api.image.get_list(dataset, sort_order="desc")]
        == sorted(images, reverse=True),
        "pages": [len(page) for page in pages],
        "by ids": [image.id for image in api.image.get_info_by_id_batch(images[::-1])] == images[::-1],
        "nothing": [api.project.get_info_by_id(99), api.dataset.get_info_by_id(99), api.image.get_info_by_id(99)],
        "silent": silent.updated_at == before.updated_at and silent.custom_data == {"seen": 1},
        "twin": twin.name,
        "refused": refused,
        "named": [
            info.id
            for info in (api.project.get_info_by_name(1, before.name), api.dataset.get_info_by_name(project, "outer"))
        ],
        "team": [api.team.get_list()[0].name, api.workspace.get_list(1)[0].name, api.user.get_my_info().login],
        "tree": [[parents, info.name] for parents, info in api.dataset.tree(project)],
        "custom": api.dataset.get_list(project, recursive=True, include_custom_data=True)[0].custom_data,
        "hashable": len(dict.fromkeys(api.dataset.get_list(project, recursive=True), 1)),
    }


def labels_one_by_one(api: sly.Api, project: int, dataset: int, images: list[int]) -> dict[str, Any]:
    """Figures and tags without the whole annotation."""
    known = sly.ProjectMeta.from_json(api.project.get_meta(project))
    mask = sly.AlphaMask(SOFT, origin=sly.PointLocation(2, 2))
    box, soft = known.get_obj_class("lemon"), known.get_obj_class("soft")
    target = images[1]
    before = len(api.annotation.download_json(target)["objects"])
    api.annotation.append_labels(target, [sly.Label(sly.Rectangle(3, 3, 6, 6), box), sly.Label(mask, soft)])
    figures = api.image.figure.download(dataset, [target, images[0]], integer_coords=False)
    mine = figures[target]
    api.image.tag.add_to_objects(
        project, [{"tagId": known.get_tag_meta("blurry").sly_id, "figureId": mine[-1].id, "value": None}]
    )
    api.image.add_tag(images[2], known.get_tag_meta("split").sly_id, "train")
    back = sly.Annotation.from_json(api.annotation.download_json(target), known)
    mask_label = [label for label in back.labels if isinstance(label.geometry, sly.AlphaMask)][-1]
    by_id = api.image.figure.get_by_ids(dataset, [figure.id for figure in mine][::-1])
    api.image.figure.remove_batch([mine[0].id])
    api.annotation.copy_batch([target], [images[3]])
    listed = {info.image_id: len(info.annotation["objects"]) for info in api.annotation.get_list(dataset)}
    return {
        "added": len(mine) - before,
        "both": sorted(figures) == sorted([target, images[0]]),
        "mask": plain_label(mask_label) == plain_label(sly.Label(mask, soft, mask_label.tags)),
        "tagged": [tag.name for tag in mask_label.tags],
        "by ids": [figure.id for figure in by_id] == [figure.id for figure in mine][::-1],
        "listed mask": [figure.geometry for figure in mine if figure.geometry_type == "alpha_mask"],
        "box": [figure.geometry_meta["bbox"] for figure in mine if figure.geometry_type == "rectangle"][-1],
        "left": len(api.annotation.download_json(target)["objects"]),
        "copied": listed[images[3]] == listed[target],
    }


# -- team files


def team_files(api: sly.Api) -> dict[str, Any]:
    """Upload, list, look up, download, replace and remove files."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, text in (("best_7.pt", "weights"), ("log.txt", "lines"), ("state.json", '{"epoch": 7}')):
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "w") as file:
                file.write(text)
        targets = ["/yolo/run/weights/best_7.pt", "/yolo/run/log.txt", "/yolo/state.json"]
        made = api.file.upload_bulk(1, paths, targets)
        again = api.file.upload(1, paths[1], targets[0])
        api.file.download(1, targets[0], folder + "/back")
        with open(folder + "/back") as file:
            text = file.read()
        api.file.download_directory(1, "/yolo/run", folder + "/run")
        inside = sorted(os.listdir(folder + "/run"))
        free = api.file.get_free_name(1, targets[1])
    return {
        "paths": [info.path for info in made],
        "mime": [made[2].mime, made[2].sizeb, made[2].ext],
        "replaced": [again.id != made[0].id, again.path],
        "text": text,
        "tree": sorted(info.path for info in api.file.list(1, "/yolo", return_type="fileinfo")),
        "flat": sorted(info["path"] for info in api.file.list(1, "/yolo/", recursive=False)),
        "exists": [api.file.exists(1, targets[1], recursive=False), api.file.exists(1, "/yolo/run/none")],
        "folders": [api.file.dir_exists(1, "/yolo/run/"), api.file.dir_exists(1, "/yo")],
        "info": [api.file.get_info_by_path(1, targets[1]).id == made[1].id, api.file.get_info_by_id(made[0].id).path],
        "json": api.file.get_json_file_content(1, targets[2]),
        "inside": inside,
        "free": free,
        "size": api.file.get_directory_size(1, "/yolo/run"),
        "removed": [api.file.remove(1, targets[1]), api.file.exists(1, targets[1])],
    }


# -- labeling jobs


def labeling_jobs(api: sly.Api, dataset: int, images: list[int]) -> dict[str, Any]:
    """Make jobs, list and read them, and finish one."""
    me = api.user.get_my_info().id
    (full,) = api.labeling_job.create(
        "Label lemons", dataset, [me], classes_to_label=["lemon"], tags_to_label=["blurry"]
    )
    part = api.labeling_job.create(
        "Part", dataset, [me], images_ids=images[:2], include_images_with_tags=["split"], reviewer_id=me
    )[0]
    api.labeling_job.set_status(part.id, "completed")
    listed = api.labeling_job.get_list(1, dataset_id=dataset)
    finished = api.labeling_job.get_list(1, exclude_statuses=["pending"])
    api.labeling_job.archive(full.id)
    return {
        "whole": [full.name, full.images_count, full.classes_to_label, full.tags_to_label, full.status],
        "part": [
            part.images_count,
            [entry["id"] for entry in part.entities],
            part.include_images_with_tags,
            part.reviewer_id,
        ],
        "listed": [job.id for job in listed] == [full.id, part.id],
        "finished": [job.name for job in finished],
        "left": [job.name for job in api.labeling_job.get_list(1)],
        "all": len(api.labeling_job.get_list(1, show_disabled=True)),
        "none": api.labeling_job.get_info_by_id(99),
        "ids": [full.id, part.id],
    }


# -- workflow


def collections(api: sly.Api, project: int, images: list[int]) -> dict[str, Any]:
    """Make, fill, read, change and remove a collection of images."""
    made = api.entities_collection.create(project, "train", description="d")
    api.entities_collection.add_items(made.id, images[:3])
    scored = [CollectionItem(entity_id=images[3], meta=CollectionItem.Meta(score=0.5))]
    api.entities_collection.add_items(made.id, scored)
    api.entities_collection.remove_items(made.id, images[:1])
    within = api.entities_collection.get_items(made.id, CollectionTypeFilter.DEFAULT)
    renamed = api.entities_collection.update(made.id, name="val")
    listed = [info.name for info in api.entities_collection.get_list(project)]
    api.entities_collection.remove(made.id)
    return {
        "items": sorted(image.id for image in within),
        "info": [made.name, made.type, made.project_id, renamed.name],
        "listed": listed,
        "left": api.entities_collection.get_list(project),
    }


def settings(title: str) -> sly.WorkflowMeta:
    """Settings of an edge's card, and of the app's own."""
    card = sly.WorkflowSettings(title, "archive", "#33c94c", "#d9f7e4", "/files/1/true", "Download", "why")
    return sly.WorkflowMeta(card, sly.WorkflowSettings("The app", "cloud", "#111111", "#222222", "/apps/1", "Open"))


def every_edge(api: sly.Api, meta: bool, known: dict[str, Any], task_id: int | None = None) -> list[Any]:
    """All thirteen methods."""
    return edges.post(api, known, settings("Card") if meta else None, task_id)


def one_edge(api: sly.Api, project: int, task_id: int | None = None) -> Any:
    """One output, and what the SDK says of it."""
    return api.app.workflow.add_output_project(project, task_id=task_id)


def exporter(api: sly.Api, project: int) -> dict[str, Any]:
    """export-to-coco: a project in, its archive out."""
    api.app.workflow.add_input_project(project)
    with tempfile.TemporaryDirectory() as folder:
        sly.download_project(api, project, folder + "/lemons", log_progress=False)
        sly.fs.archive_directory(folder + "/lemons", folder + "/lemons.tar")
        path = f"/tmp/supervisely/export/Export/{api.task_id}_lemons.tar"
        archive = api.file.upload(1, folder + "/lemons.tar", path)
        exported = sly.Project(folder + "/lemons", sly.OpenMode.READ)
        items = exported.total_items
    card = sly.WorkflowSettings(
        archive.name, "archive", "#33c94c", "#d9f7e4", f"/files/{archive.id}/true/?teamId=1", "Download"
    )
    api.app.workflow.add_output_file(archive, meta=sly.WorkflowMeta(relation_settings=card))
    api.task.set_output_archive(int(api.task_id), archive.id, archive.name)
    return {"file": archive.id, "name": archive.name, "items": items}


def trainer(api: sly.Api, project: int) -> dict[str, Any]:
    """train-yolov8: a backup of the project and start weights in; a checkpoint and a report out."""
    info = api.project.get_info_by_id(project)
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for path in (
            "/w/yolov9c.pt",
            "/yolov8/run/weights/best_7.pt",
            "/model-benchmark/run/Model Evaluation Report.lnk",
        ):
            local = folder + "/" + path.rpartition("/")[2]
            with open(local, "w") as file:
                file.write(path)
            paths[path] = api.file.upload(1, local, path)
    weights, best, report = paths.values()
    text = f"This backup was created automatically by Supervisely before the Train YOLOv9 task with ID: {api.task_id}"
    version = api.project.version.create(info, "Train YOLOv9", text)
    api.app.workflow.add_input_project(project, version_id=version)
    api.app.workflow.add_input_file(weights, model_weight=True)
    session = sly.WorkflowSettings("Train YOLOv8", url=f"/apps/sessions/{api.task_id}", url_title="Show Results")
    card = sly.WorkflowSettings("Checkpoints", "folder", "#FFA500", "#FFE8BE", f"/files/{best.id}/true", "Open Folder")
    api.app.workflow.add_output_file(best, model_weight=True, meta=sly.WorkflowMeta(card, session))
    url = f"/model-benchmark?id={report.id}"
    card = sly.WorkflowSettings("Model Benchmark", "assignment", "#dcb0ff", "#faebff", url, "Open Benchmark Report")
    api.app.workflow.add_output_file(report, meta=sly.WorkflowMeta(card, session))
    return {"version": version, "weights": weights.id, "best": best.id, "report": report.id}


def labeler(api: sly.Api, project: int, session: int) -> dict[str, Any]:
    """nn-image-labeling: a serving session and a project in; a project with its predictions out."""
    api.app.workflow.add_input_task(session)
    api.app.workflow.add_input_project(project)
    source = api.project.get_info_by_id(project)
    made = api.project.create(1, f"{source.name} (inference)", change_name_if_conflict=True)
    known = api.project.update_meta(made.id, sly.ProjectMeta.from_json(api.project.get_meta(project)))
    lemon = known.get_obj_class("lemon")
    for dataset in api.dataset.get_list(project, recursive=True):
        target = api.dataset.create(made.id, dataset.name)
        images = api.image.get_list(dataset.id)
        copied = api.image.upload_hashes(target.id, [entry.name for entry in images], [entry.hash for entry in images])
        prediction = sly.Annotation((HEIGHT, WIDTH), [sly.Label(sly.Rectangle(0, 0, 5, 5), lemon)])
        api.annotation.upload_anns([entry.id for entry in copied], [prediction] * len(copied))
    api.app.workflow.add_output_project(made)
    return {"project": made.id, "items": api.project.get_info_by_id(made.id).items_count}


# -- versions


def save(api: sly.Api, project: int, title: str | None = None, preview: bool = False) -> int | None:
    """Save a version."""
    return api.project.version.create(project, title, enable_preview=preview)


def versions(api: sly.Api, project: int) -> list[list[Any]]:
    """Number, id, title and status of each version."""
    return [[entry.version, entry.id, entry.name, entry.status] for entry in api.project.version.get_list(project)]


def restore(api: sly.Api, project: int, version: int) -> dict[str, Any]:
    """Restore a version, by its id."""
    made = api.project.version.restore(project, version_id=version)
    return {"project": made.id, "name": made.name, "items": api.project.get_info_by_id(made.id).items_count}


def upload_stale_map(api: sly.Api, project: int) -> dict[str, Any]:
    """Put a map of versions that has forgotten them all in place of the one there is."""
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/versions.json"
        with open(path, "w") as file:
            file.write('{"latest": 999}')
        api.file.upload(1, path, f"/system/versions/{project}/versions.json")
    return api.project.version.get_map(project)


def version_format(_api: sly.Api) -> str:
    """What format the SDK writes versions in."""
    from supervisely.project import data_version

    return str(data_version.default_image_schema_version())


def save_as(api: sly.Api, project: int, second: str) -> int | None:
    """Save a version as in a given second: its archive's path is named by it."""
    version = api.project.version
    version._generate_save_path = lambda: f"/system/versions/{project}/{second}.tar.zst"
    return version.create(project)


def drop_image(api: sly.Api, image: int) -> None:
    """Remove an image."""
    api.image.remove(image)
