"""`api.project` and `api.dataset`."""

from __future__ import annotations

import pytest

from autoflow.api.models import DatasetInfo, FileInfo, ImageInfo, ProjectInfo
from autoflow.errors import ServerRefused

META = {"classes": [{"title": "lemon", "shape": "any"}], "tags": [{"name": "t", "value_type": "none"}]}


def test_create_and_get_a_project(api):
    """A project is returned by id and by name; an unknown one is None."""
    made = api.project.create(1, "lemons", description="d")
    assert isinstance(made, ProjectInfo)
    assert (made.name, made.type, made.workspace_id, made.team_id, made.description) == ("lemons", "images", 1, 1, "d")
    assert (made.items_count, made.size, made.created_by_id, made.version) == (0, 0, 1, None)
    assert api.project.get_info_by_id(made.id) == api.project.get_info_by_name(1, "lemons") == made
    assert api.project.get_list(1) == [made]
    assert api.project.get_info_by_id(999) is None
    assert api.project.get_info_by_name(1, "none") is None


def test_a_taken_name_is_an_error_or_changed(api):
    """A taken name is an error, or gets a number as in the SDK if it may be changed."""
    api.project.create(1, "lemons")
    with pytest.raises(ServerRefused, match="lemons"):
        api.project.create(1, "lemons")
    names = [api.project.create(1, "lemons", change_name_if_conflict=True).name for _ in range(2)]
    assert names == ["lemons_001", "lemons_002"]


def test_update_and_get_the_meta(api):
    """Classes and tags are returned with ids; an object with `to_json` is accepted too."""
    project = api.project.create(1, "lemons").id
    updated = api.project.update_meta(project, META)
    assert updated["classes"][0]["id"]
    assert api.project.get_meta(project) == updated

    class Meta:
        def to_json(self):
            return {"classes": [], "tags": []}

    assert api.project.update_meta(project, Meta())["classes"] == []


def test_remove_a_project(api):
    """A removed project is not returned."""
    project = api.project.create(1, "lemons").id
    api.project.remove(project)
    assert api.project.get_info_by_id(project) is None


def test_create_get_and_list_datasets(api):
    """Datasets are returned by id and by name, and listed by project, parent or recursively."""
    project = api.project.create(1, "lemons").id
    top = api.dataset.create(project, "ds")
    inner = api.dataset.create(project, "ds", parent_id=top.id, custom_data={"a": 1})
    assert isinstance(top, DatasetInfo)
    assert (inner.parent_id, inner.custom_data, inner.project_id) == (top.id, {"a": 1}, project)
    assert api.dataset.get_info_by_id(inner.id) == inner
    assert api.dataset.get_info_by_id(999) is None
    assert api.dataset.get_info_by_name(project, "ds").id == top.id
    assert api.dataset.get_info_by_name(project, "ds", parent_id=top.id).id == inner.id
    ids = lambda **more: [entry.id for entry in api.dataset.get_list(project, **more)]  # noqa: E731
    assert [ids(), ids(recursive=True), ids(parent_id=top.id)] == [[top.id], [top.id, inner.id], [inner.id]]
    assert api.dataset.create(project, "ds", change_name_if_conflict=True).name == "ds_001"


def test_a_list_of_several_pages(api, monkeypatch):
    """A list longer than a page is requested page by page."""
    monkeypatch.setattr("autoflow.server.paging.PAGE", 2)
    for number in range(5):
        api.project.create(1, f"p{number}")
    assert [project.name for project in api.project.get_list(1)] == ["p0", "p1", "p2", "p3", "p4"]


def test_infos_have_the_fields_of_the_sdk():
    """Fields and their order equal the SDK's, so that code that unpacks an info works."""
    assert ProjectInfo._fields[:6] == ("id", "name", "description", "size", "readme", "workspace_id")
    assert ProjectInfo._fields[19:] == (
        "created_by_id",
        "embeddings_enabled",
        "embeddings_updated_at",
        "embeddings_in_progress",
        "local_entities_count",
        "remote_entities_count",
    )
    assert DatasetInfo._fields[-5:] == ("team_id", "workspace_id", "parent_id", "custom_data", "created_by")
    assert FileInfo._fields[:6] == ("team_id", "id", "user_id", "name", "hash", "path")
    assert FileInfo._fields[-4:] == ("created_at", "updated_at", "full_storage_url", "is_dir")
    assert ImageInfo._fields[:5] == ("id", "name", "link", "hash", "mime")
    assert len(ImageInfo._fields) == 27
