"""Scenarios of apps that use videos, point clouds and volumes by the SDK, each a function of its Api."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np
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
    ripe, site = known.get_tag_meta("ripe"), known.get_tag_meta("place")
    lemon = sly.VideoObject(
        known.get_obj_class("lemon"), sly.VideoTagCollection([sly.VideoTag(ripe, frame_range=[1, 2])])
    )
    figures = [sly.VideoFigure(lemon, sly.Rectangle(1, 2, 10 + index, 20), index) for index in (1, 3)]
    frames = [sly.Frame(figure.frame_index, [figure]) for figure in figures]
    tags = [sly.VideoTag(site, value="grove", frame_range=[0, 2]), sly.VideoTag(site, value="grove")]
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
    """Return the members of a video as the SDK reads them."""
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


# -- point clouds


def make_cloud(path: str, *, points: int = 20) -> str:
    """Write a cloud of points on a slope."""
    rows = [f"{index % 5} {index // 5} {index * 0.1:.1f}" for index in range(points)]
    header = (
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\n"
        f"WIDTH {points}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {points}\nDATA ascii\n"
    )
    with open(path, "w", encoding="ascii") as file:
        file.write(header + "\n".join(rows) + "\n")
    return path


def _cuboid(shift: float) -> Any:
    from supervisely.geometry.cuboid_3d import Cuboid3d, Vector3d

    return Cuboid3d(Vector3d(shift, 1, 2), Vector3d(0, 0, 0.5), Vector3d(1, 2, 3))


def cloud_annotation(known: sly.ProjectMeta, shift: float) -> sly.PointcloudAnnotation:
    """A box and some points of a lemon, which is ripe."""
    from supervisely.geometry.pointcloud import Pointcloud
    from supervisely.pointcloud_annotation.pointcloud_figure import PointcloudFigure
    from supervisely.pointcloud_annotation.pointcloud_object_collection import PointcloudObjectCollection

    ripe, site = known.get_tag_meta("ripe"), known.get_tag_meta("place")
    tags = sly.PointcloudTagCollection([sly.PointcloudTag(ripe)])
    lemon = sly.PointcloudObject(known.get_obj_class("lemon"), tags)
    figures = [PointcloudFigure(lemon, _cuboid(shift), None), PointcloudFigure(lemon, Pointcloud([1, 2, 300]), None)]
    return sly.PointcloudAnnotation(
        PointcloudObjectCollection([lemon]),
        figures,
        sly.PointcloudTagCollection([sly.PointcloudTag(site, value="grove")]),
    )


def fill_clouds(api: sly.Api, name: str = "clouds") -> dict[str, Any]:
    """A project of two annotated point clouds, the first with a photograph."""
    from supervisely.geometry.any_geometry import AnyGeometry

    known = meta(AnyGeometry, type="point_clouds")
    project, dataset, stored = new_project(api, name, known, sly.ProjectType.POINT_CLOUDS)
    with tempfile.TemporaryDirectory() as folder:
        paths = [make_cloud(f"{folder}/{index}.pcd", points=20 + index) for index in range(2)]
        infos = api.pointcloud.upload_paths(dataset, ["a.pcd", "b.pcd"], paths)
        picture = f"{folder}/cam.png"
        sly.image.write(picture, np.full((8, 10, 3), 77, dtype=np.uint8))
        (hashed,) = api.pointcloud.upload_related_images([picture])
    image = {"entityId": infos[0].id, "name": "cam.png", "hash": hashed, "meta": {"deviceId": "left"}}
    api.pointcloud.add_related_images([image])
    for shift, info in enumerate(infos):
        api.pointcloud.annotation.append(info.id, cloud_annotation(stored, shift), KeyIdMap())
    return {"project": project, "dataset": dataset, "clouds": [info.id for info in infos]}


def read_cloud(api: sly.Api, cloud: int) -> dict[str, Any]:
    """Return the members of the first point cloud as the SDK reads them."""
    info = api.pointcloud.get_info_by_id(cloud)
    known = sly.ProjectMeta.from_json(api.project.get_meta(info.project_id))
    read = sly.PointcloudAnnotation.from_json(api.pointcloud.annotation.download(cloud), known, KeyIdMap())
    (image,) = api.pointcloud.get_list_related_images(cloud)
    with tempfile.TemporaryDirectory() as folder:
        path, picture = f"{folder}/a.pcd", f"{folder}/cam.png"
        sly.run_coroutine(api.pointcloud.download_path_async(cloud, path))
        sly.run_coroutine(api.pointcloud.download_related_image_async(image["id"], picture))
        hashes = [sly.fs.get_file_hash(path) == info.hash, sly.fs.get_file_hash(picture) == image["hash"]]
    return {
        "name": info.name,
        "mime": info.cloud_mime,
        "asynchronously": hashes,
        "counts": [info.figures_count, len(read.objects)],
        "annotation": plain(read.to_json()) == plain(cloud_annotation(known, 0).to_json()),
        "image": [image["name"], image["meta"], api.pointcloud.download_related_image(image["id"]).shape],
        "listed": [entry.name for entry in api.pointcloud.get_list(info.dataset_id)],
        "items": api.project.get_info_by_id(info.project_id).items_count,
    }


def _clouds(api: sly.Api, project: int) -> Any:
    known = sly.ProjectMeta.from_json(api.project.get_meta(project))
    (dataset,) = api.dataset.get_list(project)
    entries = []
    for info in api.pointcloud.get_list(dataset.id):
        read = sly.PointcloudAnnotation.from_json(api.pointcloud.annotation.download(info.id), known, KeyIdMap())
        images = [image["name"] for image in api.pointcloud.get_list_related_images(info.id)]
        entries.append([info.name, info.hash, images, plain(read.to_json())])
    return sorted(entries)


def copy_clouds(api: sly.Api, project: int) -> dict[str, Any]:
    """A project downloaded to a folder and uploaded again."""
    with tempfile.TemporaryDirectory() as folder:
        sly.download_pointcloud_project(api, project, f"{folder}/p", log_progress=False)
        copied, _ = sly.upload_pointcloud_project(f"{folder}/p", api, 1, "copy", log_progress=False)
    return {"same": _clouds(api, project) == _clouds(api, copied)}


def episodes(api: sly.Api) -> dict[str, Any]:
    """An episode whose object moves, downloaded to a folder and uploaded again."""
    from supervisely.geometry.cuboid_3d import Cuboid3d
    from supervisely.pointcloud_annotation.pointcloud_episode_frame import PointcloudEpisodeFrame
    from supervisely.pointcloud_annotation.pointcloud_episode_frame_collection import PointcloudEpisodeFrameCollection
    from supervisely.pointcloud_annotation.pointcloud_episode_object import PointcloudEpisodeObject
    from supervisely.pointcloud_annotation.pointcloud_episode_object_collection import (
        PointcloudEpisodeObjectCollection,
    )
    from supervisely.pointcloud_annotation.pointcloud_figure import PointcloudFigure

    known = meta(Cuboid3d, type="point_cloud_episodes")
    project, dataset, stored = new_project(api, "drive", known, sly.ProjectType.POINT_CLOUD_EPISODES)
    with tempfile.TemporaryDirectory() as folder:
        paths = [make_cloud(f"{folder}/{index}.pcd", points=20 + index) for index in range(3)]
        infos = api.pointcloud_episode.upload_paths(dataset, ["a.pcd", "b.pcd", "c.pcd"], paths)
    lemon = PointcloudEpisodeObject(stored.get_obj_class("lemon"))
    frames = [PointcloudEpisodeFrame(index, [PointcloudFigure(lemon, _cuboid(index), index)]) for index in (0, 2)]
    sent = sly.PointcloudEpisodeAnnotation(
        3, PointcloudEpisodeObjectCollection([lemon]), PointcloudEpisodeFrameCollection(frames)
    )
    by_frame = {info.frame: info.id for info in infos}
    api.pointcloud_episode.annotation.append(dataset, sent, by_frame)
    read = api.pointcloud_episode.annotation.download(dataset)
    same = plain(sly.PointcloudEpisodeAnnotation.from_json(read, stored, KeyIdMap()).to_json()) == plain(sent.to_json())
    with tempfile.TemporaryDirectory() as folder:
        sly.download_pointcloud_episode_project(api, project, f"{folder}/p", log_progress=False)
        copied, _ = sly.upload_pointcloud_episode_project(f"{folder}/p", api, 1, "copy", log_progress=False)
    (copied_dataset,) = api.dataset.get_list(copied)
    again = api.pointcloud_episode.annotation.download(copied_dataset.id)
    api.pointcloud_episode.object.remove_batch([read["objects"][0]["id"]])
    left = api.pointcloud_episode.annotation.download(dataset)
    return {
        "same": same,
        "frames": sorted(by_frame),
        "copied": plain(again["frames"]) == plain(read["frames"]),
        "left": [left["objects"], left["frames"]],
    }


# -- volumes


def _values() -> Any:
    return np.arange(6 * 5 * 4, dtype=np.int16).reshape(6, 5, 4)


def fill_volumes(api: sly.Api, name: str = "scans") -> dict[str, Any]:
    """A project of an annotated volume: a rectangle in a slice, and a mask in space."""
    from supervisely.geometry.any_geometry import AnyGeometry
    from supervisely.geometry.mask_3d import Mask3D
    from supervisely.volume_annotation.slice import Slice
    from supervisely.volume_annotation.volume_figure import VolumeFigure
    from supervisely.volume_annotation.volume_object_collection import VolumeObjectCollection
    from supervisely.volume_annotation.volume_tag import VolumeTag
    from supervisely.volume_annotation.volume_tag_collection import VolumeTagCollection

    project, dataset, known = new_project(api, name, meta(AnyGeometry, type="volumes"), sly.ProjectType.VOLUMES)
    about = sly.volume.volume.get_meta((6, 5, 4), 0, 119, (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    info = api.volume.upload_np(dataset, "a.nrrd", _values(), about)
    lemon = sly.VolumeObject(known.get_obj_class("lemon"))
    flat = VolumeFigure(lemon, sly.Rectangle(0, 0, 2, 2), sly.Plane.AXIAL, 1)
    space = np.zeros((6, 5, 4), dtype=bool)
    space[1:3, 2, 1] = True
    solid = sly.VolumeObject(known.get_obj_class("lemon"), mask_3d=Mask3D(space))
    axial = sly.Plane(sly.Plane.AXIAL, items=[Slice(1, [flat])], volume_meta=info.meta)
    annotation = sly.VolumeAnnotation(
        info.meta,
        VolumeObjectCollection([lemon, solid]),
        plane_axial=axial,
        spatial_figures=[solid.figure],
        tags=VolumeTagCollection([VolumeTag(known.get_tag_meta("ripe"))]),
    )
    api.volume.annotation.append(info.id, annotation, KeyIdMap())
    return {"project": project, "dataset": dataset, "volume": info.id}


def read_volume(api: sly.Api, volume: int) -> dict[str, Any]:
    """Return the members of a volume as the SDK reads them."""
    import nrrd

    info = api.volume.get_info_by_id(volume)
    known = sly.ProjectMeta.from_json(api.project.get_meta(info.project_id))
    keys = KeyIdMap()
    read = sly.VolumeAnnotation.from_json(api.volume.annotation.download(volume), known, keys)
    for figure in read.spatial_figures:
        api.volume.figure.load_sf_geometry(figure, keys)
    with tempfile.TemporaryDirectory() as folder:
        api.volume.download_path(volume, f"{folder}/v.nrrd")
        values, _ = nrrd.read(f"{folder}/v.nrrd")
    cut = api.volume.download_slice_np(volume, 1, "axial", 60, 120)
    return {
        "name": info.name,
        "size": info.sizeb > 0,
        "values": bool((values == _values()).all()),
        "meta": info.meta["dimensionsIJK"],
        "flat": [[part.index for part in read.plane_axial], len(read.objects), [tag.name for tag in read.tags]],
        "mask": [int(figure.geometry.data.sum()) for figure in read.spatial_figures],
        "slice": list(cut.shape[:2]),
    }


def copy_volumes(api: sly.Api, project: int) -> dict[str, Any]:
    """A project cloned, and downloaded to a folder."""
    task = api.project.clone(project, 1, "copy")
    api.task.wait(task, api.task.Status.FINISHED)
    copied = api.project.get_info_by_name(1, "copy").id
    (dataset,) = api.dataset.get_list(copied)
    (info,) = api.volume.get_list(dataset.id)
    with tempfile.TemporaryDirectory() as folder:
        sly.download_volume_project(api, copied, f"{folder}/p", log_progress=False)
        masks = [name for _, _, names in os.walk(f"{folder}/p/ds/mask") for name in names]
    return {"volume": read_volume(api, info.id), "masks": len(masks)}


def version_videos(api: sly.Api, project: int) -> dict[str, Any]:
    """A version saved by the SDK in its own format, and restored by it."""
    info = api.project.get_info_by_id(project)
    version = api.project.version.create(info, "one", "as sent")
    restored = api.project.version.restore(info, version_id=version)
    return {"type": str(restored.type), "same": _annotations(api, project) == _annotations(api, restored.id)}
