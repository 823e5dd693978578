"""Restores into a folder in Supervisely's format that holds another version, or what the project was imported from."""

from __future__ import annotations

import json
import shutil

import pytest

from autoflow.datasets.export import to_folder
from autoflow.datasets.sync import from_folder
from autoflow.errors import FolderError
from tests.datasets.conftest import Projects, box, data_api, png, write


@pytest.fixture
def api(request, tmp_path):
    with data_api(tmp_path / "home", served=getattr(request, "param", None) == "served") as api:
        yield api


def state(folder):
    """The inodes and contents of a folder's files."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.read_bytes()) for path in files}


def contents(folder):
    return {path: content for path, (_, content) in state(folder).items()}


def edit(folder):
    """Change an image, labels and metadata; remove an image, a nested dataset; add a dataset."""
    write(folder / "a" / "img" / "0.png", png((77, 77, 0)))
    document = json.loads((folder / "a" / "ann" / "1.png.json").read_text())
    write(folder / "a" / "ann" / "1.png.json", {**document, "objects": [], "description": "none"})
    (folder / "a" / "meta" / "1.png.json").unlink()
    for path in ("a/img/2.png", "a/ann/2.png.json"):
        (folder / path).unlink()
    shutil.rmtree(folder / "a" / "datasets")
    write(folder / "c" / "img" / "new.png", png((0, 0, 88)))
    write(folder / "c" / "ann" / "new.png.json", {"description": "", "objects": [box()], "tags": []})


@pytest.fixture
def versions(api, sync, labelled, later):
    """The ids of two versions of the labelled folder."""
    first = api.project.version.create(sync().id)
    edit(labelled)
    return first, api.project.version.create(sync().id)


@pytest.mark.parametrize("api", ["served"], indirect=True)
def test_a_restored_folder_follows_versions(api, versions, tmp_path):
    """To another version and back, it equals a new one, and only the files that differ are written."""
    first, second = versions
    target = tmp_path / "out"
    to_folder(api.transport, first, target)
    reports = []
    for version, changed in ((second, 3), (first, 4), (first, 0)):
        before = state(target)
        reports.clear()
        to_folder(api.transport, version, target, progress=lambda *report: reports.append(report))
        to_folder(api.transport, version, tmp_path / f"new{version}{changed}")
        assert contents(target) == contents(tmp_path / f"new{version}{changed}")
        assert sorted(path for path in target.rglob("*") if path.is_dir()) == sorted(
            target / path.relative_to(tmp_path / f"new{version}{changed}")
            for path in (tmp_path / f"new{version}{changed}").rglob("*")
            if path.is_dir()
        )
        assert reports[-1] == (changed, changed)
        unwritten = {path for path, (inode, _) in state(target).items() if before.get(path, (0,))[0] == inode}
        assert "meta.json" in unwritten
        assert len(unwritten) == {3: 2, 4: 2, 0: 10}[changed]


def test_the_imported_folder_goes_back(api, sync, labelled, versions, tmp_path):
    """Its files that are the version's stay as they are; it is a project of the version's content afterwards."""
    first, second = versions
    own = state(labelled)
    to_folder(api.transport, first, labelled)
    assert state(labelled)["meta.json"] == own["meta.json"]
    assert (labelled / "a" / "img" / "0.png").read_bytes() == png((0, 0, 0))
    assert not (labelled / "c").exists()
    projects = Projects(api)
    project = sync()
    assert project.id == api.project.get_list()[0].id
    fresh = tmp_path / "fresh"
    to_folder(api.transport, first, fresh)
    assert projects.content(project.id) == projects.content(from_folder(api.transport, fresh, name="fresh").id)
    assert second != api.project.version.create(project.id)


def test_changes_of_ones_own_are_not_overwritten(api, versions, labelled, tmp_path):
    """Files that are nowhere else are named and left; touched files, and those of the version, are no changes."""
    first, second = versions
    target = tmp_path / "out"
    to_folder(api.transport, first, target)
    (target / "a" / "img" / "0.png").touch()
    (target / "a" / "ann" / "0.png.json").touch()
    to_folder(api.transport, first, target)
    write(target / "a" / "ann" / "0.png.json", {"objects": [], "tags": [], "description": "mine"})
    write(target / "a" / "img" / "mine.png", png((5, 5, 5)))
    write(target / "meta.json", {"classes": [], "tags": []})
    write(target / "notes.txt", "notes")
    before = state(target)
    with pytest.raises(FolderError, match=r"'a/ann/0.png.json', 'a/img/mine.png', 'meta.json'\. Move them away"):
        to_folder(api.transport, second, target)
    assert state(target) == before
    write(labelled / "c" / "ann" / "new.png.json", {"description": "mine", "objects": [], "tags": []})
    with pytest.raises(FolderError, match=r"'c/img/new\.png'"):
        to_folder(api.transport, first, labelled)
