"""Import of a folder as a project, and updates after changes of either."""

from __future__ import annotations

import os

import pytest

from autoflow.datasets import image_uploader
from autoflow.datasets import sync as module
from autoflow.datasets.cache_store import locked_store
from autoflow.errors import FolderError, ServerError
from tests.datasets.conftest import box, data_api, hash_of, png, write


@pytest.fixture(params=["embedded", "served"])
def api(request, tmp_path):
    with data_api(tmp_path / "home", served=request.param == "served") as api:
        yield api


@pytest.fixture
def plain(folder):
    for number in range(5):
        write(folder / "x" / f"{number}.png", png((number, 1, 1)))
    write(folder / "x" / "y" / "6.png", png((6, 1, 1)))
    return folder


def test_the_same_folder_is_imported_to_the_same_project(sync, plain, projects, later):
    """Nested folders are nested datasets; a second import without changes leaves the project unchanged."""
    project = sync()
    assert project.name == "lemons"
    assert projects.names(project.id) == [*(f"x/y:{6}.png",), *(f"x:{number}.png" for number in range(5))]
    before = projects.digest(project.id)
    later()
    again = sync()
    assert (again.id, projects.digest(again.id)) == (project.id, before)


def test_unchanged_files_are_not_opened(sync, labelled, later, opened, api):
    """The second import reads no file and requests the state only; `rehash` reads everything."""
    project = sync()
    assert opened
    later()
    opened.clear()
    api.transport.requested.clear()
    assert sync().id == project.id
    assert opened == []
    assert set(api.transport.requested) <= {"projects.info", "autoflow.folders.state"}
    assert sync(rehash=True).id == project.id
    assert len(opened) == 4 + 4 + 1 + 1


def test_only_changes_are_transferred(sync, labelled, projects, later, opened):
    """New, changed and removed files result in new, changed and removed images; changed images keep their ids."""
    project = sync()
    numbers = {image.name: image.id for image in projects.api.image.get_list(project_id=project.id)}
    later()
    write(labelled / "a" / "img" / "0.png", png((200, 0, 0)))
    write(labelled / "a" / "ann" / "1.png.json", {"objects": [], "tags": [{"name": "day"}]})
    (labelled / "a" / "img" / "2.png").unlink()
    (labelled / "a" / "ann" / "2.png.json").unlink()
    write(labelled / "c" / "img" / "new.png", png((0, 0, 50)))
    opened.clear()
    assert sync().id == project.id
    assert sorted(set(opened)) == [
        *("a/ann/0.png.json", "a/ann/1.png.json", "a/img/0.png", "a/meta/1.png.json", "c/img/new.png", "meta.json"),
    ]
    content = projects.content(project.id)
    assert set(content) == {"a:0.png", "a:1.png", "a/b:deep.png", "c:new.png"}
    assert content["a:0.png"][0] == hash_of(png((200, 0, 0)))
    assert content["a:1.png"][1:3] == ([], [{"name": "day", "value": None}])
    after = {image.name: image.id for image in projects.api.image.get_list(project_id=project.id)}
    assert {name: after[name] for name in ("0.png", "1.png", "deep.png")} == {
        name: numbers[name] for name in ("0.png", "1.png", "deep.png")
    }


def test_an_edit_within_the_clock_tick_is_detected(sync, plain, projects):
    """A file of the same size and mtime is read again if its stamp was too young to be trusted."""
    project = sync()
    path = plain / "x" / "0.png"
    before = path.stat()
    write(path, png((99, 1, 1)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    sync()
    assert projects.content(project.id)["x:0.png"][0] == hash_of(png((99, 1, 1)))


def test_an_edit_with_a_restored_mtime_is_detected(sync, plain, projects, later):
    """The ctime of an older file reveals the change, as it cannot be set."""
    project = sync()
    later()
    path = plain / "x" / "0.png"
    before = path.stat()
    write(path, png((98, 1, 1)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    sync()
    assert projects.content(project.id)["x:0.png"][0] == hash_of(png((98, 1, 1)))


def test_changes_of_others_to_the_project_are_reverted(sync, labelled, projects, later):
    """An edited project is updated to the folder's state even if the folder has not changed."""
    project = sync()
    before = projects.content(project.id)
    later()
    images = {image.name: image for image in projects.api.image.get_list(project_id=project.id)}
    projects.api.annotation.upload_json(images["0.png"].id, {"objects": []})
    projects.api.image.remove_batch([images["1.png"].id])
    projects.api.image.upload_hashes(images["0.png"].dataset_id, ["more.png"], [images["0.png"].hash])
    other = projects.api.dataset.create(project.id, "other")
    projects.api.image.upload_hashes(other.id, ["more.png"], [images["0.png"].hash])
    projects.api.project.update_meta(project.id, {"classes": [], "tags": []})
    assert sync().id == project.id
    assert projects.content(project.id) == before
    assert sorted(projects.datasets(project.id).values()) == ["a", "a/b"]


def test_images_that_others_renamed_are_restored(sync, plain, projects, later):
    """An image that now has the name of another one is not mistaken for it."""
    project = sync()
    before = projects.content(project.id)
    later()
    images = {image.name: image.id for image in projects.api.image.get_list(project_id=project.id)}
    for name, new in (("0.png", "spare.png"), ("1.png", "0.png"), ("spare.png", "1.png"), ("2.png", "other.png")):
        image_id = images.pop(name)
        projects.api.transport.call("images.editInfo", {"id": image_id, "name": new})
        images[new] = image_id
    (plain / "x" / "1.png").rename(plain / "x" / "z.png")
    sync()
    before["x:z.png"] = before.pop("x:1.png")
    assert projects.content(project.id) == before


def test_concurrent_changes_of_others_cause_another_round(sync, plain, projects, later, monkeypatch):
    """The project equals the folder in the end; an error is raised if the changes do not stop."""
    monkeypatch.setattr(image_uploader, "MAX_IMAGES", 2)
    real = module.FolderSync._track_digest
    changes = []

    def change(self, response):
        real(self, response)
        if not changes and (images := projects.api.image.get_list(project_id=self._project_id)):
            changes.append(True)
            projects.api.image.remove_batch([images[0].id])

    monkeypatch.setattr(module.FolderSync, "_track_digest", change)
    project = sync()
    assert changes
    assert len(projects.names(project.id)) == 6

    def always(self, response):
        real(self, response)
        self._changed_by_others = True

    monkeypatch.setattr(module.FolderSync, "_track_digest", always)
    later()
    write(plain / "x" / "0.png", png((50, 0, 0)))
    monkeypatch.setattr(
        module.FolderSync, "_run_once", lambda self, listing: setattr(self, "_changed_by_others", True) or {}
    )
    with pytest.raises(FolderError, match="other clients keep changing"):
        sync()


def test_an_import_without_cache_leaves_the_project_unchanged(sync, labelled, projects, api, monkeypatch, tmp_path):
    """With the project's id on another machine, the folder is read again and nothing is uploaded."""
    project = sync()
    before = projects.digest(project.id)
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "another-home"))
    assert sync(project_id=project.id).id == project.id
    assert projects.digest(project.id) == before
    assert "images.bulk.upload" not in api.transport.requested[-6:]


def test_selection_of_the_project(sync, plain, projects, api, tmp_path):
    """It is selected by name, id or the last import; the name of another project is an error."""
    first = sync()
    named = sync(name="limes")
    assert named.id != first.id
    assert (sync().id, sync(name="lemons").id) == (named.id, first.id)
    taken = api.project.create(1, "taken")
    with pytest.raises(FolderError, match="another project named 'taken'"):
        sync(name="taken")
    assert sync(project_id=taken.id).id == taken.id
    assert len(projects.names(taken.id)) == 6
    with pytest.raises(FolderError, match="does not exist"):
        sync(project_id=999)
    api.project.remove(taken.id)
    assert sync().id in {first.id, named.id}
    other = tmp_path / "other" / "lemons"
    write(other / "1.png", png())
    assert sync(path=other).name == "lemons_001"


def test_another_project_of_the_same_id_is_not_changed(sync, plain, projects, api):
    """A server that was set up anew reuses ids; the cache does not apply to its projects."""
    project = sync()
    with locked_store("embedded", str(plain)) as caches:
        cache = caches.open(project.id)
        cache.update_state(created="2001-01-01T00:00:00.000Z")
        cache.close()
    assert sync().id != project.id


def test_a_new_project_is_removed_if_the_import_fails(sync, plain, api, projects):
    """The error names the file; for an existing project it also states that the update is partial."""
    write(plain / "z" / "bad.png", b"no image")
    with pytest.raises(FolderError, match=r"z/bad.png' is not a valid image"):
        sync()
    assert api.project.get_list() == []
    write(plain / "z" / "bad.png", png())
    project = sync()
    write(plain / "x" / "0.png", png((77, 7, 7)))
    write(plain / "zz" / "bad.png", b"no image")
    with pytest.raises(FolderError, match="its versions are unchanged"):
        sync()
    (plain / "zz" / "bad.png").unlink()
    (plain / "zz").rmdir()
    assert sync().id == project.id
    assert "zz" not in projects.datasets(project.id).values()


def test_a_new_project_is_removed_if_the_server_fails(sync, plain, api, monkeypatch):
    """The server's error is raised unchanged."""
    real = api.transport.server.upload

    def upload(method, parts, query=None):
        raise ServerError("gone")

    monkeypatch.setattr(api.transport.server, "upload", upload)
    with pytest.raises(ServerError, match="gone"):
        sync()
    assert api.project.get_list() == []
    monkeypatch.setattr(api.transport.server, "upload", real)
    assert sync().images_count == 6


def test_unusual_names(sync, folder, projects, tmp_path):
    """Line feeds, quotes and any letters are valid; names that are not UTF-8 are errors."""
    names = ["a\nb.png", "\"q'.png", "日本.png", " .png", "%2F.png"]
    for index, name in enumerate(names):
        write(folder / "d\n\"'é" / name, png((index, 3, 3)))
    project = sync()
    assert projects.names(project.id) == sorted(f"d\n\"'é:{name}" for name in names)
    write(folder / "x" / "ok.png", png())
    os.rename(folder / "x" / "ok.png", os.fsencode(folder / "x") + b"/\xff\xfe.png")
    with pytest.raises(FolderError, match="not valid UTF-8: rename"):
        sync()
    os.rename(os.fsencode(folder / "x") + b"/\xff\xfe.png", folder / "x" / "ok.png")
    os.rename(folder / "x", os.fsencode(folder) + b"/\xff")
    with pytest.raises(FolderError, match="not valid UTF-8: rename"):
        sync()


def test_links_are_skipped_with_a_warning(sync, plain, projects, caplog, tmp_path):
    """Symbolic links are followed on request only, and circles are walked once."""
    write(tmp_path / "elsewhere" / "far.png", png((9, 9, 9)))
    (plain / "link.png").symlink_to(tmp_path / "elsewhere" / "far.png")
    (plain / "there").symlink_to(tmp_path / "elsewhere")
    (plain / "x" / "loop").symlink_to(plain)
    (plain / "nowhere").symlink_to("nowhere")
    os.mkfifo(plain / "pipe.png")
    project = sync()
    assert len(projects.names(project.id)) == 6
    assert "4 symbolic links" in caplog.text
    assert "1 entries that are not regular files" in caplog.text
    followed = sync(name="followed", follow_links=True)
    assert {"ds0:link.png", "there:far.png"} <= set(projects.names(followed.id))
    assert len(projects.names(followed.id)) == 8


def test_a_file_that_keeps_changing_is_an_error(sync, plain, api, monkeypatch):
    """The error names it, and no project is left."""
    growing = plain / "x" / "grows.png"
    write(growing, png())
    inode, real = growing.stat().st_ino, os.read

    def read(descriptor, size):
        chunk = real(descriptor, size)
        if os.fstat(descriptor).st_ino == inode:
            with open(growing, "ab") as file:
                file.write(b"x")
        return chunk

    monkeypatch.setattr(os, "read", read)
    with pytest.raises(FolderError, match=r"grows.png' changes while it is read"):
        sync()
    assert api.project.get_list() == []


def test_an_unknown_class_is_an_error(sync, labelled, api):
    """The error names the file with the object."""
    write(labelled / "a" / "ann" / "2.png.json", {"objects": [box("ship")]})
    with pytest.raises(FolderError, match=r"a/ann/2.png.json': .*no class named 'ship'"):
        sync()
    assert api.project.get_list() == []


def test_progress(sync, plain, later):
    """The number done and the total are reported, including removed images."""
    reports = []
    sync(progress=lambda *report: reports.append(report))
    assert (reports[0], reports[-1]) == (("images", 0, 6), ("images", 6, 6))
    later()
    reports.clear()
    (plain / "x" / "0.png").unlink()
    sync(progress=lambda *report: reports.append(report))
    assert reports == [("images", 0, 1)]


def test_no_new_version_of_an_unchanged_folder(sync, labelled, api, later):
    """Saving after a second import returns the existing version."""
    project = sync()
    version = api.project.version.create(project.id)
    later()
    sync(rehash=True)
    assert api.project.version.create(project.id) == version


def test_invalid_folders(sync, folder, tmp_path):
    """A missing folder, an empty one, and one without images for a project of images are errors."""
    with pytest.raises(FolderError, match="not a folder"):
        sync(path=tmp_path / "nothing")
    write(folder / "readme.txt", "x")
    with pytest.raises(FolderError, match="no images"):
        sync(project_type="images")
    (folder / "readme.txt").unlink()
    with pytest.raises(FolderError, match="no files"):
        sync()
