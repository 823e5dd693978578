"""Removals by the SDK, each a function of its Api that returns plain values."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import supervisely as sly

from tests.sdk.sdk_scenarios import annotation


def object_tags(api: sly.Api, images: list[int]) -> dict[str, Any]:
    """Remove one of several values of a tag from an object, by its id as each method reads it."""
    project = api.image.get_info_by_id(images[0]).project_id
    known = sly.ProjectMeta.from_json(api.project.get_meta(project))
    note = sly.TagMeta("note", sly.TagValueType.ANY_STRING)
    known = api.project.update_meta(project, known.add_tag_meta(note))
    tag = known.get_tag_meta("note").sly_id
    figure = api.annotation.download_json(images[0])["objects"][0]["id"]
    values = ("a", "b", "c", "d")
    api.image.tag.add_to_objects(project, [{"tagId": tag, "figureId": figure, "value": value} for value in values])

    def read() -> dict[str, int]:
        label = sly.Annotation.from_json(api.annotation.download_json(images[0]), known).labels[0]
        return {entry.value: entry.sly_id for entry in label.tags if entry.name == "note"}

    in_annotation = read()
    listed = {entry["value"]: entry["id"] for entry in api.advanced.get_object_tags(figure) if entry["tagId"] == tag}
    in_figure = {
        entry["value"]: entry["id"]
        for entry in api.image.figure.get_by_ids(api.image.get_info_by_id(images[0]).dataset_id, [figure])[0].tags
        if entry["tagId"] == tag
    }
    refused = []
    for wrong in (None, tag, listed["a"] + 1):
        try:
            api.advanced.remove_tag_from_object(tag, figure, wrong)
        except Exception as error:
            refused.append(error.response.status_code)
    whole = sorted(read())
    api.advanced.remove_tag_from_object(tag, figure, in_annotation["b"])
    added = api.advanced.add_tag_to_object(tag, figure, "e")
    api.advanced.remove_tag_from_object(tag, figure, added["id"])
    return {
        "same ids": in_annotation == listed == in_figure,
        "distinct": len({*listed.values()}),
        "refused": refused,
        "whole": whole,
        "left": sorted(read()),
        "others kept": len(api.advanced.get_object_tags(figure)) == 3 + len(annotation(0, known).labels[0].tags),
    }


def archived(api: sly.Api, project: int) -> dict[str, Any]:
    """Archive a project, twice; then without a url."""
    before = api.project.get_info_by_id(project)
    api.project.archive(project, "https://x.example/images.tar")
    first = api.project.get_info_by_id(project)
    api.project.archive_batch([project], ["https://x.example/a.tar"], ["https://x.example/b.tar"])
    second = api.project.get_info_by_id(project)
    try:
        api.project.archive(project, None)
        refused = None
    except Exception as error:
        refused = error.response.status_code
    unarchived = api.project.get_info_by_id(project)._replace(backup_archive={})
    return {
        "backups": [first.backup_archive, second.backup_archive],
        "kept": unarchived == before,
        "refused": refused,
        "listed": [info.backup_archive == second.backup_archive for info in api.project.get_list(1)],
    }


def projects_removed(api: sly.Api, project: int) -> dict[str, Any]:
    """Remove a project, then permanently, as the SDK's documentation wants it; others stay."""
    other = api.project.create(1, "other").id
    api.project.remove(project)
    permanently = api.project.remove_permanently(project)
    try:
        api.project.remove_permanently([other, 999])
        refused = None
    except Exception as error:
        refused = error.response.status_code
    return {
        "permanently": permanently,
        "refused": refused,
        "left": [info.id == other for info in api.project.get_list(1)],
    }


def files_removed(api: sly.Api) -> dict[str, Any]:
    """Remove a file beside a folder of its name, a folder, and every file at once."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "f")
        with open(path, "w") as file:
            file.write("x")
        for target in ("/run", "/run/a.txt", "/run/b.txt", "/runs/c.txt"):
            api.file.upload(1, path, target)

    def left() -> list[str]:
        return sorted(info.path for info in api.file.list(1, "/", return_type="fileinfo"))

    api.file.remove(1, "/run")
    beside = left()
    api.file.remove_batch(1, ["/run/a.txt"])
    after_first = left()
    api.file.remove_dir(1, "/run/")
    refused = []
    for everything in ("/", "//", "/./"):
        try:
            api.file.remove_dir(1, everything, silent=True)
        except Exception as error:
            refused.append(error.response.status_code)
    return {"beside": beside, "one": after_first, "refused": refused, "left": left()}


def parts_removed(api: sly.Api, project: int, outer: int, images: list[int]) -> dict[str, Any]:
    """Remove an image, a figure, a tag, a class and a dataset; each takes nothing beside it."""
    known = sly.ProjectMeta.from_json(api.project.get_meta(project))

    def objects(image: int) -> list[str]:
        return sorted(entry["classTitle"] for entry in api.annotation.download_json(image)["objects"])

    def tags(image: int) -> list[Any]:
        return [tag["value"] for tag in api.image.get_info_by_id(image).tags]

    before = {image: (objects(image), tags(image)) for image in images}
    api.image.remove(images[1])
    figure = api.annotation.download_json(images[0])["objects"][0]["id"]
    api.image.figure.remove(figure)
    blurry, split = known.get_tag_meta("blurry").sly_id, known.get_tag_meta("split").sly_id
    api.image.add_tag(images[2], blurry)
    own = {tag["tagId"]: tag["id"] for tag in api.image.get_info_by_id(images[2]).tags}
    api.advanced.remove_tag_from_image(blurry, images[2], own[blurry])
    api.advanced.remove_tags_from_images([split], [images[3]])
    after = {image: (objects(image), tags(image)) for image in images if image != images[1]}
    before[images[0]][0].remove("lemon")
    before[images[3]][1].clear()
    del before[images[1]]
    api.project.remove_class(project, known.get_obj_class("soft").sly_id)
    api.dataset.remove(outer)
    permanently = api.dataset.remove_permanently([outer])
    try:
        api.dataset.remove_permanently([999])
        refused = None
    except Exception as error:
        refused = error.response.status_code
    return {
        "permanently": [permanently, refused],
        "only those": after == before,
        "classes": [entry.name for entry in sly.ProjectMeta.from_json(api.project.get_meta(project)).obj_classes],
        "objects": sorted({name for image in images[4:] if api.image.get_info_by_id(image) for name in objects(image)}),
        "datasets": len(api.dataset.get_list(project, recursive=True)),
    }
