"""`api.project.version`."""

from __future__ import annotations

import logging

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
    project = api.project.create(1, "clips", type="videos").id
    with caplog.at_level(logging.ERROR, logger="autoflow"):
        assert api.project.version.create(project) is None
        assert api.project.version.create(999) is None
    assert "videos" in caplog.text
