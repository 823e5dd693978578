"""`api.project.version`."""

from __future__ import annotations

import logging

import pytest

from autoflow.api.version import VersionApi
from autoflow.errors import ServerRefused
from autoflow.model.version import VersionInfo


def test_a_version_is_made_once_for_unchanged_data(api):
    """Creating again without a change gives the same number; a project is taken by number or info."""
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


def test_versions_are_found_by_number(api):
    """A version is found by id and by number; what is not there is None."""
    project = api.project.create(1, "lemons").id
    made = api.project.version.create(project, "one")
    assert api.project.version.get_id_by_number(project, 1) == made
    assert api.project.version.get_id_by_number(project, 2) is None
    assert api.project.version.get_info_by_id(project, made).name == "one"
    assert api.project.version.get_info_by_id(project, 999) is None


def test_a_version_that_cannot_be_made_is_none(api, caplog):
    """As in the SDK a failure is logged and gives None."""
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


def test_a_version_is_restored_as_a_project(api, lemons):
    """By id or number, of the project's number or info; progress ends with all of it."""
    project, dataset, version = lemons
    api.image.remove_batch([api.image.get_list(dataset)[0].id])
    told = []
    made = api.project.version.restore(project, version_id=version, progress=lambda *done: told.append(done))
    assert (made.name, made.items_count) == ("lemons, from ver. 1", 3)
    assert made.custom_data["restored_from"]["version_num"] == 1
    assert told[-1] == (3, 3)
    again = api.project.version.restore(project.id, version_num=1, name="limes", description="d")
    assert (again.name, again.description) == ("limes", "d")
    with pytest.raises(ValueError, match="which version"):
        api.project.version.restore(project)
    with pytest.raises(ServerRefused, match="number 7"):
        api.project.version.restore(project, version_num=7)


def test_a_version_is_read_and_compared(api, lemons):
    """Its items and classes are those it was made of; what changed since is told, one by one."""
    project, dataset, version = lemons
    api.image.remove_batch([api.image.get_list(dataset)[0].id])
    assert [one["name"] for one in api.project.version.items(version)] == ["0.png", "1.png", "2.png"]
    assert api.project.version.meta(version)["version"]["itemsCount"] == 3
    second = api.project.version.create(project)
    for told in (api.project.version.diff(version), api.project.version.diff(version, second)):
        assert told["counts"]["items"]["removed"] == 1
        assert [(one["status"], one["before"]["name"]) for one in told["changes"]] == [("removed", "0.png")]
    assert api.project.version.diff(second, version)["counts"]["items"]["added"] == 1


def test_a_version_is_renamed_verified_and_deleted(api, lemons):
    """Each is one call; what is deleted is not there, and what it alone needed is collected."""
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


def test_an_instance_is_named_where_it_cannot(tmp_path):
    """What only autoflow's server has is refused with words that say so."""

    class Instance:
        origin = "https://instance.example.org"

        def call(self, method, body, *, timeout=None):
            if method == "instance.version":
                return {"version": "6.12.0"}
            raise ServerRefused("Not found", status=404)

    with pytest.raises(ServerRefused, match=r"autoflow's server.*instance\.example\.org"):
        VersionApi(Instance()).diff(1)
