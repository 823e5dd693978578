"""Fields of the SDK's info types: those that it declares as required are not null."""

from __future__ import annotations

import pytest

from autoflow.wire import methods


@pytest.fixture
def made(sdk, server):
    """A small project, and an app."""
    server.call(methods.RUNS_ENSURE, {"run": "r", "name": "Train"})
    return sdk("fill", count=8)


# Fields that the SDK does not declare as optional, and that are null on an instance too.
NULL = [
    "DatasetInfo.custom_data",  # in lists, whose infos the SDK uses as keys of a dict
    "FigureInfo.frame_index",  # an image has no frames
    "FigureInfo.geometry",  # of an alpha mask, whose geometry is downloaded apart
    "FigureInfo.object_id",  # a figure of an image belongs to no object
    "ImageInfo.link",  # of an image that was uploaded
    "IssueInfo.dataset_id",  # of an issue, which its sub-issues alone bind to an image
    "IssueInfo.image_id",
    "IssueInfo.image_name",
    "IssueInfo.project_id",
    "IssueInfo.sub_issues",  # which are sent on request
    "LabelingJobInfo.finished_at",  # of a job that nobody has begun, and that has no reviewer
    "LabelingJobInfo.labeling_exam_id",
    "LabelingJobInfo.labeling_queue_id",
    "LabelingJobInfo.reviewer_id",
    "LabelingJobInfo.reviewer_login",
    "LabelingJobInfo.started_at",
    "LabelingQueueInfo.finished_at",  # of a queue that nobody has begun
    "VersionInfo.description",  # of a version that was saved without
    "VersionInfo.name",
    "VersionInfo.preview_project_id",
]
TYPES = [
    *("AnnotationInfo", "AppInfo", "CommentInfo", "DatasetInfo", "FigureInfo", "FileInfo", "ImageInfo", "IssueInfo"),
    *("LabelingJobInfo", "LabelingQueueInfo", "ObjectClassInfo", "ProjectInfo", "RoleInfo", "TagInfo", "TeamInfo"),
    *("UserInfo", "VersionInfo", "WebhookInfo", "WorkspaceInfo"),
]


def test_no_required_field_is_null(sdk, made):
    """Of every info type for images, objects and their tags."""
    response = sdk("missing_fields", **{name: made[name] for name in ("project", "outer", "images")})
    assert response == {"types": TYPES, "null": NULL}


# The same of the types for other media.
MEDIA_NULL = [
    "AgentInfo.gpu_info",  # the storage of an agent has no processor
    "EntitiesCollectionInfo.ai_search_key",  # of a collection that is not the result of a search
    "FigureInfo.area",  # of a cuboid, and of a mask in space
    "FigureInfo.frame_index",  # of a figure in a cloud or in space
    "FigureInfo.geometry_meta",
    "PointcloudInfo.frame",  # of a cloud that belongs to no episode
    "PointcloudInfo.link",  # of an item that was uploaded
    "VideoInfo.link",
    "VolumeInfo.link",
    "related image.link",
]
MEDIA_TYPES = [
    *("AgentInfo", "EntitiesCollectionInfo", "FigureInfo", "ModuleInfo", "ObjectInfo", "PointcloudInfo"),
    *("SessionInfo", "TagInfo", "VideoInfo", "VolumeInfo"),
]


def test_no_required_field_of_other_media_is_null(sdk, server, tmp_path, monkeypatch):
    """Of every info type for videos, point clouds, volumes, collections, modules, sessions and agents."""
    pytest.importorskip("av", reason="PyAV is not installed: pip install 'autoflow-lineage[media]'")
    monkeypatch.setenv("AUTOFLOW_AGENT_FOLDER", str(tmp_path))
    server.call(methods.RUNS_ENSURE, {"run": "r", "name": "Train"})
    videos, clouds = sdk("fill_videos")["videos"], sdk("fill_clouds")["clouds"]
    response = sdk("missing_media_fields", videos=videos, clouds=clouds, volume=sdk("fill_volumes")["volume"])
    assert response == {"types": MEDIA_TYPES, "null": MEDIA_NULL}


def test_tasks_have_what_apps_set(sdk, made):
    """A clone's task names the clone; an app's task has the output and the fields that the app set."""
    response = sdk("outputs", task=4321, project=made["project"])
    field = [[1, 2], {"dialog": True}]
    assert response == {"clone": ["clone", True], "before": {}, "after": True, "field": field, "listed": True}
