"""`api.project.version`."""

from __future__ import annotations

import logging

import pytest

from autoflow.api.version import VersionApi
from autoflow.errors import ServerRefused
from autoflow.model.version import VersionInfo


def test_create_returns_the_same_version_for_unchanged_data(api):
    """Without changes the same id is returned; a project is given by id or info."""
    project = api.project.create(1, "lemons")
    first = api.project.version.create(project, "one", "d")
    assert api.project.version.create(project.id) == first
    api.dataset.create(project.id, "ds")
    second = api.project.version.create(project.id, version_title="two")
    assert second != first
    versions = api.project.version.get_list(project.id)
    assert all(isinstance(version, VersionInfo) for version in versions)
    assert [(version.id, version.version, version.name) for version in versions] == [
        (first, 1, "one"),
        (second, 2, "two"),
    ]
    assert api.project.get_info_by_id(project.id).version == {"id": second, "version": 2}


def test_get_versions(api):
    """A version is returned by id and by number; an unknown one is None."""
    project = api.project.create(1, "lemons").id
    version = api.project.version.create(project, "one")
    assert api.project.version.get_id_by_number(project, 1) == version
    assert api.project.version.get_id_by_number(project, 2) is None
    assert api.project.version.get_info_by_id(project, version).name == "one"
    assert api.project.version.get_info_by_id(project, 999) is None


def test_create_returns_none_after_a_failure(api, caplog):
    """As in the SDK a failure is logged and returns None."""
    with caplog.at_level(logging.ERROR, logger="autoflow"):
        assert api.project.version.create(999) is None
    assert "999" in caplog.text


@pytest.fixture
def lemons(api):
    """A project of three images, and its first version."""
    project = api.project.create(1, "lemons")
    dataset = api.dataset.create(project.id, "ds").id
    images = [{"title": f"{number}.png", "link": f"https://example.org/{number}.png"} for number in range(3)]
    api.transport.call("images.bulk.add", {"datasetId": dataset, "images": images})
    return project, dataset, api.project.version.create(project)


def test_restore_a_version(api, lemons):
    """By id or number of the version, and id or info of the project; progress ends with the total."""
    project, dataset, version = lemons
    api.image.remove_batch([api.image.get_list(dataset)[0].id])
    reports = []
    made = api.project.version.restore(project, version_id=version, progress=lambda *done: reports.append(done))
    assert (made.name, made.items_count) == ("lemons, from ver. 1", 3)
    assert made.custom_data["restored_from"]["version_num"] == 1
    assert reports[-1] == (3, 3)
    again = api.project.version.restore(project.id, version_num=1, name="limes", description="d")
    assert (again.name, again.description) == ("limes", "d")
    with pytest.raises(ValueError, match="pass version_id"):
        api.project.version.restore(project)
    with pytest.raises(ServerRefused, match="number 7"):
        api.project.version.restore(project, version_num=7)


def test_read_and_compare_a_version(api, lemons):
    """It has the items and classes of its creation; the diff lists later changes."""
    project, dataset, version = lemons
    api.image.remove_batch([api.image.get_list(dataset)[0].id])
    assert [entry["name"] for entry in api.project.version.items(version)] == ["0.png", "1.png", "2.png"]
    assert api.project.version.meta(version)["version"]["itemsCount"] == 3
    second = api.project.version.create(project)
    for differences in (api.project.version.diff(version), api.project.version.diff(version, second)):
        assert differences["counts"]["items"]["removed"] == 1
        assert [(entry["status"], entry["before"]["name"]) for entry in differences["changes"]] == [
            ("removed", "0.png")
        ]
    assert api.project.version.diff(second, version)["counts"]["items"]["added"] == 1


def test_rename_verify_and_delete_a_version(api, lemons):
    """A deleted version is not listed, and its unused content is collected."""
    project, dataset, version = lemons
    api.project.version.update(version, name="first")
    assert api.project.version.get_info_by_id(project.id, version).name == "first"
    api.image.remove_batch([api.image.get_list(dataset)[0].id])
    assert api.project.version.verify(level=2) == []
    api.project.version.delete(version)
    assert api.project.version.get_list(project.id) == []
    assert api.project.version.collect()["rows"] == 1
    with pytest.raises(ServerRefused):
        api.project.version.delete(version)


def test_methods_that_an_instance_lacks(tmp_path):
    """Methods that an instance lacks are an error that names the required server."""

    class Instance:
        origin = "https://instance.example.org"

        def call(self, method, body, *, timeout=None):
            if method == "instance.version":
                return {"version": "6.12.0"}
            raise ServerRefused("Not found", status=404)

    with pytest.raises(ServerRefused, match=r"needs an autoflow server.*instance\.example\.org"):
        VersionApi(Instance()).diff(1)
