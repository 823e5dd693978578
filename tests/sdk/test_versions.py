"""Versions by the unmodified SDK, and the ways it would lose them that are cured here."""

from __future__ import annotations

import pytest

from autoflow.wire import methods
from tests.sdk.conftest import serving

FORMATS = {"plain": "v1.0.0", "columnar": "v2.1.0"}


@pytest.fixture(params=FORMATS)
def form(request):
    """How the SDK writes versions: with pyarrow by columns, without it by pickle."""
    return request.param


@pytest.fixture
def sdk(sdk_processes, server, form):
    """The SDK that writes versions in one of its formats."""
    yield from serving(sdk_processes(form == "columnar"), server)
    assert server.call(methods.UNKNOWN_METHODS, {})["methods"] == []


@pytest.fixture
def made(sdk):
    """A small project."""
    return sdk("fill", count=8)


def test_a_version_is_saved_and_restored_equal(sdk, made, form):
    """A project saved by the SDK is restored equal, after it was changed; unchanged it has one version."""
    version = sdk("save", project=made["project"], title="first")
    assert sdk("save", project=made["project"]) == version
    assert sdk("version_format") == FORMATS[form]
    sdk("drop_image", image=made["images"][0])
    second = sdk("save", project=made["project"])
    assert sdk("versions", project=made["project"]) == [
        [1, version, "first", "committed"],
        [2, second, None, "committed"],
    ]
    response = sdk("restore", project=made["project"], version=version)
    assert (response["name"], response["items"]) == ("lemons, from ver. 1", 8)
    assert sdk("compare", project=response["project"], described=False) == []
    assert sdk("restore", project=made["project"], version=second)["items"] == 7


def test_archives_of_one_second_stand_side_by_side(sdk, made):
    """Two versions saved within a second keep an archive each."""
    first = sdk("save_as", project=made["project"], second="20261123111512")
    sdk("drop_image", image=made["images"][0])
    second = sdk("save_as", project=made["project"], second="20261123111512")
    assert sdk("restore", project=made["project"], version=first)["items"] == 8
    assert sdk("restore", project=made["project"], version=second)["items"] == 7


def test_a_stale_map_forgets_nothing(sdk, made):
    """The map of versions is told from the versions, whatever a client uploads in its place."""
    version = sdk("save", project=made["project"])
    response = sdk("upload_stale_map", project=made["project"])
    assert response["latest"] == version
    assert response[str(version)]["number"] == 1
    assert sdk("save", project=made["project"]) == version
    assert sdk("restore", project=made["project"], version=version)["items"] == 8


def test_a_version_made_by_autoflow_is_known_to_the_sdk(sdk, server, made):
    """The SDK takes a version without an archive for the latest when nothing changed, and counts on from it."""
    version = server.call("autoflow.versions.snapshot", {"projectId": made["project"]})["id"]
    assert sdk("save", project=made["project"]) == version
    sdk("drop_image", image=made["images"][0])
    assert sdk("save", project=made["project"]) != version
    assert [entry[0] for entry in sdk("versions", project=made["project"])] == [1, 2]


def test_a_preview_is_a_project_of_a_hidden_workspace(sdk, server, made):
    """A version with a preview names the project that shows it."""
    version = sdk("save", project=made["project"], preview=True)
    response = server.call("projects.versions.info", {"id": version})
    preview = server.call("projects.info", {"id": response["previewProjectId"]})
    assert preview["itemsCount"] == 8
    assert server.call("workspaces.info", {"id": preview["workspaceId"]})["hidden"] is True
