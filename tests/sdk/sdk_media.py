"""What apps do with videos, point clouds and volumes by the SDK, each thing a function of its Api."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import supervisely as sly
from supervisely.video_annotation.key_id_map import KeyIdMap

SIZE = (64, 48)
FRAMES = 6


def meta(shape: Any, *, type: str) -> sly.ProjectMeta:  # noqa: A002 - the SDK's name
    """A class and two tags."""
    classes = [sly.ObjClass("lemon", shape, color=[255, 0, 0])]
    tags = [
        sly.TagMeta("ripe", sly.TagValueType.NONE, color=[1, 2, 3]),
        sly.TagMeta("place", sly.TagValueType.ANY_STRING, color=[1, 2, 4]),
    ]
    return sly.ProjectMeta(sly.ObjClassCollection(classes), sly.TagMetaCollection(tags), project_type=type)


def make_video(path: str, *, frames: int = FRAMES, shade: int = 30) -> str:
    """Write a video whose frames grow lighter."""
    import av
    from PIL import Image

    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            frame = av.VideoFrame.from_image(Image.new("RGB", SIZE, (shade * index, 90, 40)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def new_project(api: sly.Api, name: str, known: sly.ProjectMeta, type: Any) -> tuple[int, int, sly.ProjectMeta]:  # noqa: A002 - the SDK's name
    """A project with a dataset."""
    project = api.project.create(1, name, type)
    stored = api.project.update_meta(project.id, known)
    return project.id, api.dataset.create(project.id, "ds").id, stored


def video_annotation(known: sly.ProjectMeta) -> sly.VideoAnnotation:
    """A lemon in two frames, ripe in a part of them."""
    ripe, place = known.get_tag_meta("ripe"), known.get_tag_meta("place")
    lemon = sly.VideoObject(
        known.get_obj_class("lemon"), sly.VideoTagCollection([sly.VideoTag(ripe, frame_range=[1, 2])])
    )
    figures = [sly.VideoFigure(lemon, sly.Rectangle(1, 2, 10 + index, 20), index) for index in (1, 3)]
    frames = [sly.Frame(figure.frame_index, [figure]) for figure in figures]
    tags = [sly.VideoTag(place, value="grove", frame_range=[0, 2]), sly.VideoTag(place, value="grove")]
    return sly.VideoAnnotation(
        SIZE[::-1],
        FRAMES,
        sly.VideoObjectCollection([lemon]),
        sly.FrameCollection(frames),
        sly.VideoTagCollection(tags),
    )


def plain(annotation: Any) -> Any:
    """An annotation's JSON without keys, ids, dates and authors."""
    if isinstance(annotation, list):
        return sorted((plain(entry) for entry in annotation), key=repr)
    if not isinstance(annotation, dict):
        return annotation
    left_out = {"id", "key", "objectKey", "objectId", "labelerLogin", "createdAt", "updatedAt", "classId", "entityId"}
    left_out |= {"videoId", "pointCloudId", "volumeId", "datasetId", "videoName", "tagId", "trackId"}
    return {key: plain(value) for key, value in annotation.items() if key not in left_out}


def fill_videos(api: sly.Api, name: str = "clips") -> dict[str, Any]:
    """A project of two annotated videos."""
    project, dataset, known = new_project(api, name, meta(sly.Rectangle, type="videos"), sly.ProjectType.VIDEOS)
    with tempfile.TemporaryDirectory() as folder:
        paths = [make_video(f"{folder}/{index}.mp4", shade=20 + index) for index in range(2)]
        infos = api.video.upload_paths(dataset, ["a.mp4", "b.mp4"], paths)
    for info in infos:
        api.video.annotation.append(info.id, video_annotation(known))
    return {"project": project, "dataset": dataset, "videos": [info.id for info in infos]}


def read_video(api: sly.Api, video: int) -> dict[str, Any]:
    """What the SDK reads of a video."""
    info = api.video.get_info_by_id(video)
    known = sly.ProjectMeta.from_json(api.project.get_meta(info.project_id))
    sent, keys = video_annotation(known), KeyIdMap()
    read = sly.VideoAnnotation.from_json(api.video.annotation.download(video), known, keys)
    with tempfile.TemporaryDirectory() as folder:
        api.video.download_path(video, f"{folder}/v.mp4")
        size = os.path.getsize(f"{folder}/v.mp4")
    pixel = [int(value) for value in api.video.frame.download_np(video, 3)[5, 5]]
    return {
        "name": info.name,
        "frames": [info.frames_count, info.frame_width, info.frame_height, len(info.frames_to_timecodes)],
        "size": size == int(info.file_meta["size"]),
        "annotation": plain(read.to_json()) == plain(sent.to_json()),
        "shade": pixel[0] > 30,
        "several": len(api.video.frame.download_nps(video, [0, 2])),
    }


def copy_videos(api: sly.Api, project: int) -> dict[str, Any]:
    """A project downloaded to a folder and uploaded again."""
    with tempfile.TemporaryDirectory() as folder:
        sly.download_video_project(api, project, f"{folder}/p", log_progress=False)
        copied, name = sly.upload_video_project(f"{folder}/p", api, 1, "copy", log_progress=False)
    return {"same": _annotations(api, project) == _annotations(api, copied), "name": name}


def _annotations(api: sly.Api, project: int) -> Any:
    known = sly.ProjectMeta.from_json(api.project.get_meta(project))
    (dataset,) = api.dataset.get_list(project)
    entries = []
    for info in api.video.get_list(dataset.id):
        read = sly.VideoAnnotation.from_json(api.video.annotation.download(info.id), known, KeyIdMap())
        entries.append([info.name, info.hash, info.frames_count, plain(read.to_json())])
    return sorted(entries)


def edit_videos(api: sly.Api, videos: list[int]) -> dict[str, Any]:
    """Videos changed one by one."""
    first, second = videos
    info = api.video.get_info_by_id(first)
    (described,) = api.video.get_json_info_by_id(first)["tags"][:1]
    api.video.tag.update_frame_range(described["id"], [1, 4])
    after = api.video.get_json_info_by_id(first)["tags"]
    api.video.tag.remove_from_video(described["id"])
    (listed,) = api.video.object.get_list(info.dataset_id, [{"field": "entityId", "operator": "=", "value": first}])
    tag = api.video.object.get_info_by_id(listed.id).tags[0]
    api.video.object.tag.update_frame_range(tag["id"], [0, 0])
    changed = api.video.object.get_info_by_id(listed.id).tags[0]["frameRange"]
    api.video.object.tag.remove(tag["id"])
    figure = api.video.figure.create(first, listed.id, 4, sly.Rectangle(0, 0, 5, 5).to_json(), "rectangle")
    api.video.figure.update(figure, sly.Rectangle(0, 0, 9, 9))
    figures = api.video.figure.download(info.dataset_id, [first])[first]
    api.video.update_custom_data(first, {"k": 1})
    api.video.object.remove_batch([listed.id])
    renamed = api.video.rename(first, "c.mp4")
    api.video.remove(second)
    return {
        "range": [entry["frameRange"] for entry in after if entry["id"] == described["id"]],
        "tags": len(api.video.get_json_info_by_id(first)["tags"]),
        "object": [changed, len(listed.tags)],
        "figures": sorted(entry.frame_index for entry in figures),
        "redrawn": [entry.geometry["points"]["exterior"][1] for entry in figures if entry.id == figure],
        "objects left": len(api.video.annotation.download(first)["objects"]),
        "custom": api.video.get_info_by_id(first).custom_data,
        "renamed": renamed.name,
        "left": [entry.name for entry in api.video.get_list(info.dataset_id)],
    }
