"""Projects of videos, point clouds and volumes by the unmodified SDK."""

from __future__ import annotations

import pytest

from tests.sdk.conftest import serving

pytest.importorskip("av", reason="PyAV is not installed for this interpreter: pip install 'autoflow-lineage[media]'")


@pytest.fixture
def clips(sdk):
    """A small project of videos."""
    return sdk("fill_videos")


def test_videos_are_read_back_equal(sdk, clips):
    """Bytes, size, frames, objects, figures, tags on frames: all come back as sent; frames come as pictures."""
    assert sdk("read_video", video=clips["videos"][1]) == {
        "name": "b.mp4",
        "frames": [6, 64, 48, 6],
        "size": True,
        "annotation": True,
        "shade": True,
        "several": 2,
    }


def test_a_project_of_videos_goes_to_a_folder_and_back(sdk, clips):
    """The SDK's download and upload of whole projects."""
    assert sdk("copy_videos", project=clips["project"]) == {"same": True, "name": "copy"}


def test_versions_of_videos_in_the_format_of_the_sdk(sdk_processes, server):
    """The SDK saves a version as a file of its own and restores it, through the methods of videos."""
    for sdk in serving(sdk_processes(True), server):
        project = sdk("fill_videos")["project"]
        assert sdk("version_videos", project=project) == {"type": "videos", "same": True}


def test_videos_change_one_by_one(sdk, clips):
    """Tags, objects, figures, custom data and names are changed and removed singly."""
    assert sdk("edit_videos", videos=clips["videos"]) == {
        "range": [[1, 4]],
        "tags": 1,
        "object": [[0, 0], 1],
        "figures": [1, 3, 4],
        "redrawn": [[9, 9]],
        "objects left": 0,
        "custom": {"k": 1},
        "renamed": "c.mp4",
        "left": ["c.mp4"],
    }


def test_point_clouds_are_read_back_equal(sdk):
    """Boxes, points, objects, tags and photographs come back as sent; what belongs to a cloud is not counted as one."""
    made = sdk("fill_clouds")
    assert sdk("read_cloud", cloud=made["clouds"][0]) == {
        "name": "a.pcd",
        "mime": "image/pcd",
        "asynchronously": [True, True],
        "counts": [2, 1],
        "annotation": True,
        "image": ["cam.png", {"deviceId": "left"}, (8, 10, 3)],
        "listed": ["a.pcd", "b.pcd"],
        "items": 2,
    }
    assert sdk("copy_clouds", project=made["project"]) == {"same": True}


def test_an_episode_goes_to_a_folder_and_back(sdk):
    """An object has figures in the clouds of a dataset; removing it removes them all."""
    assert sdk("episodes") == {"same": True, "frames": [0, 1, 2], "copied": True, "left": [[], []]}


def test_volumes_are_read_back_equal(sdk):
    """Values, meta, slices, figures in slices and masks in space come back as sent, also from a clone."""
    made = sdk("fill_volumes")
    read = {
        "name": "a.nrrd",
        "size": True,
        "values": True,
        "meta": {"x": 6, "y": 5, "z": 4},
        "flat": [[1], 2, ["ripe"]],
        "mask": [2],
        "slice": [5, 6],
    }
    assert sdk("read_volume", volume=made["volume"]) == read
    assert sdk("copy_volumes", project=made["project"]) == {"volume": read, "masks": 1}
