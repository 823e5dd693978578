"""Walks through the SDK's api modules: what importers, exporters, trainers and server apps call most.

Each is a generator of what was done and whether it came out as it should.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import requests
import supervisely as sly
from PIL import Image

from tests.sdk.sdk_scenarios import fill

Steps = Iterator[tuple[str, bool]]


def _names(infos: Any) -> list[str]:
    return [info.name for info in infos]


def _known(api: sly.Api, project: int) -> sly.ProjectMeta:
    return sly.ProjectMeta.from_json(api.project.get_meta(project))


def _filter(kind: str, **response: Any) -> list[dict[str, Any]]:
    return [{"type": kind, "data": response}]


def picking(api: sly.Api) -> Steps:
    """Images by what is on them."""
    made = fill(api, count=8)
    known = _known(api, made["project"])
    soft, split, blurry = known.get_obj_class("soft"), known.get_tag_meta("split"), known.get_tag_meta("blurry")
    some = {"from": 1, "to": 9999, "include": True}

    def picked(kind: str, **response: Any) -> list[str]:
        return _names(api.image.get_filtered_list(made["outer"], _filter(kind, **response)))

    everything = ["im00.png", "im01.png", "im02.png", "im03.png"]
    yield "only labelled", _names(api.image.get_list(made["outer"], only_labelled=True)) == everything
    yield "by a part of the name", picked("images_filename", value="M02") == ["im02.png"]
    yield "by class", picked("objects_class", **some, classId=soft.sly_id) == ["im00.png", "im03.png"]
    yield "by a tag", picked("images_tag", tagId=split.sly_id, include=True, value=None) == everything
    yield "by a tag's value", picked("images_tag", tagId=split.sly_id, include=True, value="val") == ["im00.png"]
    yield (
        "without a tag's value",
        picked("images_tag", tagId=split.sly_id, include=False, value="val") == everything[1:],
    )
    tagged = {**some, "tagClassId": None, "value": None}
    yield "by an object's tag", picked("objects_tag", **tagged, tagId=blurry.sly_id) == ["im01.png", "im03.png"]
    yield "by how many objects", picked("objects_class", **{**some, "from": 3}, classId=None) == ["im00.png"]
    yield (
        "by all of several",
        _names(
            api.image.get_filtered_list(
                project_id=made["project"],
                filters=[
                    *_filter("images_filename", value="im0"),
                    *_filter("objects_class", **some, classId=soft.sly_id),
                ],
            )
        )
        == ["im00.png", "im03.png", "im06.png"],
    )
    job = api.labeling_job.create("j", made["outer"], [1], images_ids=made["images"][1:3])[0]
    yield "by job", picked("job", jobId=job.id, include=True) == ["im01.png", "im02.png"]
    fields = ("id", "name", "description", "labelsCount", "createdAt", "updatedAt", "customSort")
    yield (
        "sorted by each field",
        all(len(api.image.get_list(made["outer"], sort=field, sort_order="desc")) == 4 for field in fields),
    )
    api.image.set_custom_sort_bulk(made["images"][:4], ["3", "1", "0", "2"])
    custom = _names(api.image.get_list(made["outer"], sort="customSort"))
    yield "sorted as one likes", custom == ["im02.png", "im01.png", "im03.png", "im00.png"]
    yield "no more than asked for", len(api.image.get_list(made["outer"], limit=3)) == 3
    figures = api.image.figure.download(made["outer"], filters=_filter("objects_class", **some, classId=soft.sly_id))
    kinds = {figure.geometry_type for of_image in figures.values() for figure in of_image}
    yield "figures of a class", (sorted(figures), kinds) == ([made["images"][0], made["images"][3]], {"alpha_mask"})
    read = api.annotation.download_batch(
        made["outer"], made["images"][:2], figure_filters=_filter("objects_class", **some, classId=soft.sly_id)
    )
    yield "annotations by class", [len(entry.annotation["objects"]) for entry in read] == [1, 0]


def copying(api: sly.Api) -> Steps:
    """Images copied and moved, with what is on them, and changed in place."""
    made = fill(api, count=8)
    first, other = made["images"][0], api.dataset.create(made["project"], "other").id
    images = api.image

    def objects(number: int) -> int:
        return len(api.annotation.download_json(number)["objects"])

    copied = images.copy(other, first, with_annotations=True)
    yield "one", (copied.name, objects(copied.id)) == ("im00.png", 3)
    again = images.copy_batch(other, made["images"][:2], change_name_if_conflict=True, with_annotations=True)
    yield "under other names", len({*_names(again), copied.name}) == 3
    fast = images.copy_batch_optimized(made["inner"], images.get_list(made["inner"]), other)
    yield "many", [objects(info.id) for info in fast] == [objects(number) for number in made["images"][4:]]
    moved = images.move_batch(other, [made["images"][3]], with_annotations=True)
    yield "moved", (images.get_info_by_id(made["images"][3]), objects(moved[0].id)) == (None, 2)
    by_id = images.upload_id(other, "by id.png", first, {"a": 1})
    yield "by number", (by_id.hash, by_id.width, by_id.meta) == (copied.hash, 48, {"a": 1})
    yield "renamed", images.rename(first, "renamed.png").name == "renamed.png"
    yield "there", (images.exists(made["outer"], "renamed.png"), images.exists(made["outer"], "none")) == (True, False)
    yield "a free name", images.get_free_names(made["outer"], ["renamed.png"]) != ["renamed.png"]
    images.set_remote([made["images"][1]], ["http://x.example/a.png"])
    yield "linked from now on", images.get_info_by_id(made["images"][1]).link == "http://x.example/a.png"
    known = _known(api, made["project"])
    split, blurry = known.get_tag_meta("split").sly_id, known.get_tag_meta("blurry").sly_id
    images.add_tags_batch([by_id.id, copied.id], [split, blurry], ["train", None])
    tag = next(tag for tag in images.get_info_by_id(by_id.id).tags if tag["tagId"] == split)
    images.update_tag_value(tag["id"], "val")
    yield "a tag's value changed", images.get_info_by_id(by_id.id).tags[0]["value"] == "val"
    api.advanced.remove_tags_from_images([blurry], [copied.id])
    yield "a tag taken off", [tag["tagId"] for tag in images.get_info_by_id(copied.id).tags] == [split]
    info = images.get_info_by_id(first)
    response = requests.get(images.preview_url(info.full_storage_url, width=24, height=24, method="fill", ext="png"))
    yield "a preview", Image.open(io.BytesIO(response.content)).size == (24, 24)
    response = requests.get(info.preview_url)
    yield "a compressed picture", (response.status_code, response.headers["Content-Type"]) == (200, "image/jpeg")
    copy = api.dataset.copy(made["project"], other, "copy", with_annotations=True)
    yield "a dataset", api.dataset.get_info_by_id(copy.id).items_count == len(images.get_list(other))
    target = api.project.create(1, "target")
    away = api.dataset.move(target.id, copy.id, "away", with_annotations=True)
    yield "a dataset into a project", (api.dataset.get_info_by_id(copy.id), len(images.get_list(away.id))) == (None, 9)


def bytes_of_images(api: sly.Api) -> Steps:
    """Images up and down, from folders, arrays and files."""
    made = fill(api, count=4)
    images, existing = api.image, made["images"][2:]
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/in/deep")
        for number, path in enumerate(("a.jpg", "deep/b.jpg")):
            Image.new("RGB", (30, 20), (number, 7, 7)).save(f"{folder}/in/{path}")
        yield "a folder", _names(images.upload_dir(made["outer"], f"{folder}/in")) == ["a.jpg", "b.jpg"]
        yield "again", len(images.upload_dir(made["outer"], f"{folder}/in", change_name_if_conflict=True)) == 2
        entry = images.upload_path(made["outer"], "one.jpg", f"{folder}/in/a.jpg", meta={"k": 1})
        yield "a file", (entry.meta, entry.width, entry.mime) == ({"k": 1}, 30, "image/jpeg")
        yield "an array", images.upload_np(made["outer"], "np.png", np.zeros((9, 8, 3), np.uint8)).height == 9
        images.download_paths(made["inner"], existing, [f"{folder}/0.png", f"{folder}/1.png"])
        hashes = [info.hash for info in images.get_info_by_id_batch(existing)]
        images.download_paths_by_hashes(hashes, [f"{folder}/h0.png", f"{folder}/h1.png"])
        read = [open(f"{folder}/{name}", "rb").read() for name in ("0.png", "h0.png", "1.png", "h1.png")]
        yield "by number and by hash", read[:1] == read[1:2] and read[2:3] == read[3:] and read[0] != read[2]
        yield "bytes", images.download_bytes(made["inner"], existing) == [read[0], read[2]]
        yield "arrays", [pixels.shape for pixels in images.download_nps(made["inner"], existing)] == [(32, 48, 3)] * 2
        yield "its project", images.get_project_id(entry.id) == made["project"]


def labels(api: sly.Api) -> Steps:
    """Annotations as files and one by one, with figures read and changed."""
    made = fill(api, count=4)
    known, target, annotations = _known(api, made["project"]), made["images"][1], api.annotation
    lemon, split = known.get_obj_class("lemon"), known.get_tag_meta("split")
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/a.json", "w") as file:
            json.dump(annotations.download_json(made["images"][0]), file)
        annotations.upload_paths([target], [f"{folder}/a.json"])
    objects = annotations.download_json(target)["objects"]
    yield "from a file", [entry["classTitle"] for entry in objects] == ["lemon", "peel", "soft"]
    yield "by tokens", sum(map(len, annotations.get_list_generator(made["outer"], batch_size=1))) == 2
    number = objects[0]["id"]
    annotations.update_label(number, sly.Label(sly.Rectangle(2, 3, 5, 6), lemon, sly.TagCollection()))
    annotations.update_label_priority(number, 3)
    label = annotations.get_label_by_id(number, known)
    yield "drawn anew", (label.geometry.top, label.geometry.left, list(label.tags)) == (2, 3, [])
    api.advanced.add_tag_to_object(split.sly_id, number, "val")
    response = [(tag["name"], tag["value"]) for tag in api.advanced.get_object_tags(number)]
    yield "tagged", (response, len(annotations.get_label_by_id(number, known).tags)) == ([("split", "val")], 1)
    api.advanced.remove_tag_from_object(split.sly_id, number, api.advanced.get_object_tags(number)[0]["id"])
    yield "no more", api.advanced.get_object_tags(number) == []
    figure = api.image.figure.get_info_by_id(number)
    yield "a figure", (figure.priority, figure.class_id, figure.entity_id) == (3, lemon.sly_id, target)
    peel = {
        coordinates: api.image.figure.download(made["outer"], [target], integer_coords=coordinates)[target][1]
        for coordinates in (True, False)
    }
    points = {integer_coords: figure.geometry["points"]["exterior"][2] for integer_coords, figure in peel.items()}
    yield "in whole pixels or parts", points == {True: [20, 20], False: [20.5, 20.5]}
    stats = api.project.get_stats(made["project"])
    drawn = {entry["objectClass"]["name"]: entry["total"] for entry in stats["objects"]["items"]}
    yield "counted", (drawn, stats["images"]["total"]["imagesMarked"]) == ({"lemon": 4, "peel": 3, "soft": 3}, 4)


def classes(api: sly.Api) -> Steps:
    """Classes and tags listed, made, changed and removed, with what is of them."""
    project = fill(api, count=4)["project"]
    yield "classes", list(api.object_class.get_name_to_id_map(project)) == ["lemon", "peel", "soft"]
    yield "tags", sorted(api.image.tag.get_name_to_id_map(project)) == ["blurry", "split"]
    lemon = api.object_class.get_name_to_id_map(project)["lemon"]
    box = [{"field": "shape", "operator": "=", "value": "rectangle"}]
    yield "filtered", _names(api.object_class.get_list(project, box)) == ["lemon"]
    yield "renamed", api.object_class.update(lemon, name="lemons", color="#010203").name == "lemons"
    yield "one", api.object_class.get_info_by_id(lemon).color == "#010203"
    api.image.tag.create(
        project,
        sly.TagMeta("ripe", sly.TagValueType.ONEOF_STRING, possible_values=["a", "b"], applicable_classes=["lemons"]),
    )
    ripe = _known(api, project).get_tag_meta("ripe")
    yield "a new tag", (ripe.possible_values, ripe.applicable_classes) == (["a", "b"], ["lemons"])
    api.image.tag.update_meta(ripe.sly_id, project, name="mature")
    yield "renamed", _known(api, project).get_tag_meta("mature").sly_id == ripe.sly_id
    api.project.append_classes(project, [sly.ObjClass("new", sly.Polygon)])
    api.project.remove_class(project, api.object_class.get_name_to_id_map(project)["peel"])
    left = {
        entry["classTitle"]
        for dataset in api.dataset.get_list(project, recursive=True)
        for read in api.annotation.get_list(dataset.id)
        for entry in read.annotation["objects"]
    }
    yield "removed with its objects", left == {"lemons", "soft"}
    api.project.remove_tag(project, api.image.tag.get_name_to_id_map(project)["split"])
    yield "removed with what it was on", "split" not in json.dumps(api.image.get_list(project_id=project)[0].tags)
    other = api.project.create(1, "other").id
    merged = api.project.merge_metas(project, other)
    yield "merged", [entry["title"] for entry in merged["classes"]] == ["lemons", "soft", "new"]


def containers(api: sly.Api) -> Steps:
    """Projects, datasets and workspaces made, found, changed, moved, cloned and removed."""
    made = fill(api, count=4)
    project, outer = made["project"], made["outer"]
    datasets, projects = api.dataset, api.project
    third = datasets.create(project, "third")
    changed = datasets.update(third.id, name="3rd", description="d", custom_data={"a": 1})
    yield "a dataset changed", (changed.name, changed.description, changed.custom_data) == ("3rd", "d", {"a": 1})
    yield "got, not made", datasets.get_or_create(project, "3rd").id == third.id
    datasets.move_to_dataset(third.id, outer)
    yield "put into another", datasets.get_info_by_id(third.id).parent_id == outer
    yield "found there", sorted(_names(datasets.get_list(project, parent_id=outer))) == ["3rd", "inner"]
    yield "nested", sorted(_names(datasets.get_nested(project, outer))) == ["3rd", "inner"]
    yield "of all projects", len(datasets.get_list_all()["entities"]) == 3
    datasets.remove(third.id)
    yield "removed", datasets.get_info_by_id(third.id) is None
    second = projects.create(1, "second", description="x", readme="r", settings={"a": 1}, custom_data={"q": 1})
    yield "a project", (second.readme, second.settings, second.custom_data) == ("r", {"a": 1}, {"q": 1})
    changed = projects.edit_info(second.id, name="2nd", description="y", readme="z", custom_data={"c": 1})
    yield "changed", (changed.name, changed.description, changed.custom_data) == ("2nd", "y", {"c": 1})
    yield "got, not made", projects.get_or_create(1, "2nd").id == second.id
    yield "counted", (projects.get_datasets_count(project), projects.get_images_count(project)) == (1, 4)
    projects.update_settings(second.id, {"b": 2}, merge_with_current=True)
    yield "settings", projects.get_settings(second.id) == {"a": 1, "b": 2}
    yield (
        "pictured",
        [requests.get(projects.get_info_by_id(n).image_preview_url).ok for n in (project, second.id)]
        == [
            True,
            True,
        ],
    )
    yield (
        "listed",
        [len(projects.get_list(1)), len(projects.get_list(team_id=1)), projects.get_list_all()["total"]]
        == [
            2,
            2,
            2,
        ],
    )
    api.task.wait(projects.clone(project, 1, "clone"), api.task.Status.FINISHED)
    clone = projects.get_info_by_name(1, "clone")
    trees = [
        [(len(parents), info.name, info.items_count) for parents, info in datasets.tree(n)] for n in (project, clone.id)
    ]
    yield "cloned", trees[0] == trees[1] == [(0, "outer", 2), (1, "inner", 2)]
    workspace = api.workspace.create(1, "elsewhere")
    projects.move(clone.id, workspace.id)
    yield "moved", _names(projects.get_list(workspace.id)) == ["clone"]
    datasets.remove_permanently([info.id for info in datasets.get_list(clone.id)])
    yield "emptied", projects.get_info_by_id(clone.id).items_count == 0
    projects.remove(second.id)
    projects.remove_permanently(clone.id)
    yield "gone", [projects.get_info_by_id(number) for number in (second.id, clone.id)] == [None, None]
    with tempfile.TemporaryDirectory() as folder:
        sly.download_project(api, project, f"{folder}/p", log_progress=False)
        again, _name = sly.upload_project(f"{folder}/p", api, 1, "again", log_progress=False)
        sly.Project.download_bin(api, project, folder, log_progress=False)
    read = [api.annotation.get_list(datasets.get_info_by_name(n, "outer").id)[0].annotation for n in (project, again)]
    shapes = [[(entry["classTitle"], entry.get("points")) for entry in annotation["objects"]] for annotation in read]
    yield "down and up again", shapes[0] == shapes[1] and len(shapes[0]) == 3


def people_and_tasks(api: sly.Api) -> Steps:
    """Teams, users, tasks with their outputs, states and logs, apps and their sessions, jobs."""
    yield (
        "the team",
        (api.team.get_info_by_name("Team").id, api.workspace.get_info_by_name(1, "Workspace").id) == (1, 1),
    )
    yield "users", [user.login for user in api.user.get_list()] == ["admin"]
    yield "whose teams", _names(api.user.get_teams(1)) == ["Team"]
    yield "members", api.user.get_member_info_by_login(1, "admin").id == 1
    yield "roles", {role.id: role.role for role in api.role.get_list()} == {1: "admin", 2: "editor", 4: "viewer"}
    tasks, number = api.task, int(api.task_id)
    project = fill(api, count=2)["project"]
    yield "its own task", tasks.get_info_by_id(number)["teamId"] == 1
    for done in (
        tasks.set_output_project(number, project),
        tasks.set_output_text(number, "done"),
        tasks.set_output_error(number, "oh"),
        tasks.set_field(number, "data.progress", 1),
        tasks._update_app_content(number, [{"op": "add", "path": "/x", "value": 1}], {"s": 1}),
    ):
        yield "taken", done == {"success": True}
    tasks.update_meta(number, {"a": 1})
    yield "where it is", tasks.get_context(number)["workspace"]["id"] == 1
    yield "its log", tasks.get_logs(number) == []
    tasks.update_status(number, tasks.Status.FINISHED)
    yield "finished", tasks.get_status(number) is tasks.Status.FINISHED
    yield "stopped too late", tasks.stop(number) is tasks.Status.FINISHED
    listed = tasks.get_list(1, [{"field": "id", "operator": "=", "value": number}])
    yield "listed", [task["id"] for task in listed] == [number]
    yield "no apps", api.app.get_list(1) == []
    dataset = api.dataset.get_list(project)[0].id
    job = api.labeling_job.create("Label", dataset, [1])[0]
    jobs = api.labeling_job
    jobs.set_custom_data(job.id, {"a": 1})
    yield "a job's own words", jobs.get_custom_data(job.id) == {"a": 1}
    yield "whose job it is", jobs.set_assignees(job.id, reviewer_id=1).reviewer_id == 1
    jobs.set_entity_review_status(job.id, job.entities[0]["id"], "accepted")
    response = jobs.get_stats(job.id)["job"]
    yield "how far it is", (response["acceptedImagesCount"], response["progress"]["images"]) == (1, 100)
    yield (
        "in a list",
        [info.entities[0]["reviewStatus"] for info in jobs.get_list(1, with_entities=True)] == ["accepted"],
    )


def team_files(api: sly.Api) -> Steps:
    """Folders up, down and removed; the other ways to list and to upload."""
    files = api.file
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/up/x")
        for path in ("1.txt", "x/2.txt"):
            with open(f"{folder}/up/{path}", "w") as file:
                file.write(path)
        yield "a folder", files.upload_directory(1, f"{folder}/up", "/up") == "/up"
        yield "beside it", files.upload_directory(1, f"{folder}/up", "/up", change_name_if_conflict=True) != "/up"
        files.upload_directory_fast(1, f"{folder}/up", "/fast")
        yield "as bodies", sorted(info.path for info in files.list2(1, "/fast/")) == ["/fast/1.txt", "/fast/x/2.txt"]
        files.download_directory(1, "/fast/", f"{folder}/down")
        yield "down", sorted(os.listdir(f"{folder}/down")) == ["1.txt", "x"]
    yield "right inside", sorted(files.listdir(1, "/up/")) == ["/up/1.txt", "/up/x/"]
    listed = [(info.path, info.is_dir) for info in api.storage.list(1, "/fast", recursive=False)]
    yield "by the other list", listed == [("/fast/1.txt", False), ("/fast/x/", True)]
    yield "how large", files.get_directory_size(1, "/fast/") == 12
    yield "a free folder", files.get_free_dir_name(1, "/fast") != "/fast"
    files.remove_file(1, "/up/1.txt")
    files.remove_dir(1, "/fast/")
    files.remove_batch(1, ["/up/x/2.txt"])
    yield "removed", [files.dir_exists(1, path) for path in ("/up/", "/fast/")] == [False, False]


WALKS: dict[str, Callable[[sly.Api], Steps]] = {
    walk.__name__: walk
    for walk in (picking, copying, bytes_of_images, labels, classes, containers, people_and_tasks, team_files)
}


def walk(api: sly.Api, name: str) -> list[str]:
    """Walk, and say what did not come out as it should."""
    return [what for what, well in WALKS[name](api) if not well]
