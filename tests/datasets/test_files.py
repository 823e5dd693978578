"""Folders of any files: imported as projects of type ``files``, compared, restored and verified."""

from __future__ import annotations

import logging
import os

import pytest

from autoflow.datasets import image_uploader
from autoflow.datasets.export import to_folder
from autoflow.datasets.import_options import ImportOptions
from autoflow.datasets.sync import from_folder, import_folder
from autoflow.datasets.version_reader import Selection
from autoflow.errors import FolderError
from tests.datasets.conftest import Projects, data_api, png, write

LAYOUT = {
    "train.csv": "a,b\n1,2\n",
    "empty": b"",
    "audio/one.wav": b"RIFF....WAVE" + bytes(100),
    "audio/deep/er/two.npz": b"PK\x03\x04" + bytes(50),
    "pictures/lemon.png": png(),
}


@pytest.fixture
def api(request, tmp_path):
    with data_api(tmp_path / "home", served=getattr(request, "param", False)) as api:
        yield api


@pytest.fixture
def few_files(monkeypatch):
    """Few files in a request, so that several are needed."""
    monkeypatch.setattr(image_uploader, "MAX_IMAGES", 2)


@pytest.fixture
def mixed(folder):
    """The folder with files of many kinds, and what tools leave behind."""
    for path, content in LAYOUT.items():
        write(folder / path, content)
    for path in (".git/config", "__pycache__/a.pyc", "audio/.DS_Store", ".ipynb_checkpoints/lemon.png"):
        write(folder / path, b"x")
    (folder / "hollow").mkdir()
    return folder


def contents(folder):
    """Return the bytes of the files of a folder by path, but hidden ones."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    relative = {str(path.relative_to(folder)): path for path in paths}
    return {name: path.read_bytes() for name, path in relative.items() if "/." not in f"/{name}"}


def summary(diff):
    """Return the changed items of a comparison by path."""
    changes = {}
    for change in diff["changes"]:
        item = change["after"] or change["before"]
        changes["/".join([*item["dataset"], item["name"]])] = (change["status"], change["aspects"])
    return changes


@pytest.mark.parametrize("api", [True], ids=["served"], indirect=True)
def test_any_folder_is_versioned(api, sync, mixed, later, tmp_path, caplog):
    """Its files come back as they were, also whether they are executable; hidden files and caches are listed."""
    with caplog.at_level(logging.WARNING):
        project = sync()
    assert project.type == "files"
    (line,) = [record.getMessage() for record in caplog.records]
    assert (
        "left out 4 hidden entries and caches: '.git', '.ipynb_checkpoints', '__pycache__', 'audio/.DS_Store'" in line
    )
    first = api.project.version.create(project.id)
    assert api.project.version.verify(level=3) == []
    target = tmp_path / "out"
    to_folder(api.transport, first, target)
    assert contents(target) == {name: (mixed / name).read_bytes() for name in LAYOUT}
    assert (target / "hollow").is_dir()

    write(mixed / "train.csv", "a,b\n1,3\n")
    (mixed / "audio" / "one.wav").unlink()
    write(mixed / "notes" / "new.txt", "new")
    (mixed / "pictures" / "lemon.png").rename(mixed / "pictures" / "lime.png")
    (mixed / "audio" / "deep" / "er" / "two.npz").rename(mixed / "audio" / "deep" / "two.npz")
    assert sync().id == project.id
    second = api.project.version.create(project.id)
    assert summary(api.project.version.diff(first, second)) == {
        "./train.csv": ("changed", ["bytes"]),
        "audio/one.wav": ("removed", []),
        "notes/new.txt": ("added", []),
        "pictures/lime.png": ("changed", ["name"]),
        "audio/deep/two.npz": ("changed", ["dataset"]),
    }

    untouched = (target / "empty").stat()
    to_folder(api.transport, second, target)
    assert contents(target) == {name: (mixed / name).read_bytes() for name in contents(mixed) if "__pyc" not in name}
    assert (target / "empty").stat().st_ino == untouched.st_ino
    (mixed / "train.csv").chmod(0o755)
    sync()
    third = api.project.version.create(project.id)
    assert summary(api.project.version.diff(second, third)) == {"./train.csv": ("changed", ["meta"])}
    for version, executable in ((third, True), (second, False)):
        for path in (target, tmp_path / f"new{version}"):
            to_folder(api.transport, version, path)
            assert os.access(path / "train.csv", os.X_OK) is executable
            assert not os.access(path / "empty", os.X_OK)
    restored = api.project.version.restore(project.id, version_id=first)
    assert restored.type == "files"
    again = api.project.version.create(restored.id)
    assert api.project.version.meta(again)["version"]["digest"] == api.project.version.meta(first)["version"]["digest"]


def test_local_changes_are_not_overwritten(api, sync, mixed, later, tmp_path):
    """A restore replaces what it restored or imported, and refuses what is nowhere else, naming it."""
    first = api.project.version.create(sync().id)
    write(mixed / "train.csv", "a,b\n1,3\n")
    with pytest.raises(FolderError, match=r"'train.csv'\. Move them away, import the folder first"):
        to_folder(api.transport, first, mixed)
    sync()
    to_folder(api.transport, first, mixed)
    assert (mixed / "train.csv").read_text() == LAYOUT["train.csv"]
    (tmp_path / "other").mkdir()
    write(tmp_path / "other" / "mine.txt", "mine")
    (tmp_path / "other" / "audio").symlink_to(tmp_path)
    with pytest.raises(FolderError, match="links or special files in the way: 'audio'"):
        to_folder(api.transport, first, tmp_path / "other")
    (tmp_path / "other" / "audio").unlink()
    with pytest.raises(FolderError, match="mine"):
        to_folder(api.transport, first, tmp_path / "other")
    assert contents(tmp_path / "other") == {"mine.txt": b"mine"}


def test_a_part_of_a_version_is_restored(api, sync, mixed, tmp_path):
    """By dataset, by pattern, as a sample that is the same each time; files beside the part stay."""
    version = api.project.version.create(sync().id)

    def restore(**selection):
        target = tmp_path / "part"
        to_folder(api.transport, version, target, selection=Selection(**selection))
        return set(contents(target))

    audio = {"audio/one.wav", "audio/deep/er/two.npz"}
    assert restore(dataset="audio") == audio
    assert restore(pattern="*.csv") == audio | {"train.csv"}
    sampled = restore(sample=2) - restore(sample=1)
    assert len(sampled) <= 2
    with pytest.raises(FolderError, match=r"no item that matches '\*\.zip'"):
        to_folder(api.transport, version, tmp_path / "none", selection=Selection(pattern="*.zip"))
    assert not (tmp_path / "none").exists()
    with pytest.raises(FolderError, match=r"no dataset 'video'; it has '\.', 'audio'"):
        restore(dataset="video")


def test_what_is_left_out_of_images_is_listed(api, sync, folder, later, caplog):
    """Labels that no format reads are named each time, also when they alone have changed; `strict` fails."""
    for number in range(2):
        write(folder / f"{number}.png", png((number, 0, 0)))
    write(folder / "labels.csv", "0.png,lemon\n")
    with pytest.raises(FolderError, match=r"left out would be 1 files that are no images.*'labels.csv'"):
        sync(strict=True)
    assert api.project.get_list(1) == []
    options = ImportOptions()
    first = import_folder(api.transport, folder, options)
    assert (first.project.type, first.left_out[0].paths, first.changed) == ("images", ["labels.csv"], [])
    write(folder / "labels.csv", "0.png,lime\n")
    assert import_folder(api.transport, folder, options).changed == ["labels.csv"]
    assert "in no version, as it was left out: 'labels.csv'" in caplog.text
    os.utime(folder / "labels.csv")
    assert import_folder(api.transport, folder, options).changed == []
    files = from_folder(api.transport, folder, project_type="files", strict=True)
    assert (files.type, files.id != first.project.id) == ("files", True)
    assert import_folder(api.transport, folder, options).project.id in {files.id, first.project.id}


def test_all_bad_files_are_named(api, sync, folder, later, few_files, caplog):
    """Those of all batches at once; `skip_bad` goes on without them, and removes what they were before."""
    write(folder / "meta.json", {"classes": [], "tags": []})
    for number in range(3):
        write(folder / "d" / "img" / f"{number}.png", png((number, 0, 0)))
    project = sync().id
    write(folder / "d" / "img" / "0.png", b"no image")
    write(folder / "d" / "img" / "bad.png", b"no image")
    write(folder / "d" / "ann" / "1.png.json", "{")
    write(folder / "d" / "ann" / "2.png.json", {"objects": [{"classTitle": "unknown", "geometryType": "point"}]})
    with pytest.raises(FolderError) as error:
        sync()
    message = str(error.value)
    assert message.startswith("4 files cannot be imported; --skip-bad")
    assert all(name in message for name in ("img/0.png", "img/bad.png", "ann/1.png.json", "ann/2.png.json"))
    write(folder / "d" / "ann" / "2.png.json", {"objects": [], "tags": []})
    assert sync(skip_bad=True).id == project
    assert Projects(api).names(project) == ["d:2.png"]
    assert "left out, as it cannot be imported" in caplog.text
