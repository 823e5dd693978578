"""A folder becomes a project, and the project follows it."""

from __future__ import annotations

import os

import pytest

from autoflow.datasets import image_uploader
from autoflow.datasets import sync as module
from autoflow.datasets.cache_store import shelf
from autoflow.errors import FolderError, ServerError
from tests.datasets.conftest import box, data_api, hash_of, png, write


@pytest.fixture(params=["embedded", "served"])
def api(request, tmp_path):
    with data_api(tmp_path / "home", served=request.param == "served") as found:
        yield found


@pytest.fixture
def plain(folder):
    for number in range(5):
        write(folder / "x" / f"{number}.png", png((number, 1, 1)))
    write(folder / "x" / "y" / "6.png", png((6, 1, 1)))
    return folder


def test_a_folder_becomes_a_project_and_the_same_folder_the_same_project(sync, plain, projects, later):
    """Folders are datasets in datasets; what is made again without a change is as it was, and no file is opened."""
    made = sync()
    assert made.name == "lemons"
    assert projects.names(made.id) == [*(f"x/y:{6}.png",), *(f"x:{number}.png" for number in range(5))]
    before = projects.digest(made.id)
    later()
    again = sync()
    assert (again.id, projects.digest(again.id)) == (made.id, before)


def test_a_file_that_looks_as_it_did_is_not_opened(sync, labelled, later, opened, api):
    """The second time nothing is read and nothing is asked but the state; `rehash` reads everything."""
    made = sync()
    assert opened
    later()
    opened.clear()
    api.transport.asked.clear()
    assert sync().id == made.id
    assert opened == []
    assert set(api.transport.asked) <= {"projects.info", "autoflow.folders.state"}
    assert sync(rehash=True).id == made.id
    assert len(opened) == 4 + 4 + 1 + 1


def test_only_what_changed_is_read_and_put(sync, labelled, projects, later, opened):
    """New, changed and removed files make new, changed and removed images; an image keeps its number."""
    made = sync()
    numbers = {one.name: one.id for one in projects.api.image.get_list(project_id=made.id)}
    later()
    write(labelled / "a" / "img" / "0.png", png((200, 0, 0)))
    write(labelled / "a" / "ann" / "1.png.json", {"objects": [], "tags": [{"name": "day"}]})
    (labelled / "a" / "img" / "2.png").unlink()
    (labelled / "a" / "ann" / "2.png.json").unlink()
    write(labelled / "c" / "img" / "new.png", png((0, 0, 50)))
    opened.clear()
    assert sync().id == made.id
    assert sorted(set(opened)) == [
        *("a/ann/0.png.json", "a/ann/1.png.json", "a/img/0.png", "a/meta/1.png.json", "c/img/new.png", "meta.json"),
    ]
    content = projects.content(made.id)
    assert set(content) == {"a:0.png", "a:1.png", "a/b:deep.png", "c:new.png"}
    assert content["a:0.png"][0] == hash_of(png((200, 0, 0)))
    assert content["a:1.png"][1:3] == ([], [{"name": "day", "value": None}])
    after = {one.name: one.id for one in projects.api.image.get_list(project_id=made.id)}
    assert {name: after[name] for name in ("0.png", "1.png", "deep.png")} == {
        name: numbers[name] for name in ("0.png", "1.png", "deep.png")
    }


def test_an_edit_within_the_same_tick_is_seen(sync, plain, projects):
    """A file written over with as many bytes, its times put back, is read again: it was too young to be trusted."""
    made = sync()
    path = plain / "x" / "0.png"
    was = path.stat()
    write(path, png((99, 1, 1)))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert path.stat().st_size == was.st_size
    sync()
    assert projects.content(made.id)["x:0.png"][0] == hash_of(png((99, 1, 1)))


def test_an_edit_with_the_old_time_put_back_is_seen(sync, plain, projects, later):
    """Of an older file the time of the change of the file itself tells: nobody puts that back."""
    made = sync()
    later()
    path = plain / "x" / "0.png"
    was = path.stat()
    write(path, png((98, 1, 1)))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    sync()
    assert projects.content(made.id)["x:0.png"][0] == hash_of(png((98, 1, 1)))


def test_what_others_did_to_the_project_is_undone(sync, labelled, projects, later):
    """A project that was edited is brought back to the folder's state, though the folder did not change."""
    made = sync()
    before = projects.content(made.id)
    later()
    images = {one.name: one for one in projects.api.image.get_list(project_id=made.id)}
    projects.api.annotation.upload_json(images["0.png"].id, {"objects": []})
    projects.api.image.remove_batch([images["1.png"].id])
    projects.api.image.upload_hashes(images["0.png"].dataset_id, ["more.png"], [images["0.png"].hash])
    other = projects.api.dataset.create(made.id, "other")
    projects.api.image.upload_hashes(other.id, ["more.png"], [images["0.png"].hash])
    projects.api.project.update_meta(made.id, {"classes": [], "tags": []})
    assert sync().id == made.id
    assert projects.content(made.id) == before
    assert sorted(projects.datasets(made.id).values()) == ["a", "a/b"]


def test_images_that_others_renamed_are_those_of_the_folder_again(sync, plain, projects, later):
    """An image that has the name of another by now is not taken for what it was."""
    made = sync()
    before = projects.content(made.id)
    later()
    images = {one.name: one.id for one in projects.api.image.get_list(project_id=made.id)}
    for name, new in (("0.png", "spare.png"), ("1.png", "0.png"), ("spare.png", "1.png"), ("2.png", "other.png")):
        number = images.pop(name)
        projects.api.transport.call("images.editInfo", {"id": number, "name": new})
        images[new] = number
    (plain / "x" / "1.png").rename(plain / "x" / "z.png")
    sync()
    before["x:z.png"] = before.pop("x:1.png")
    assert projects.content(made.id) == before


def test_a_change_by_others_meanwhile_is_met_in_another_round(sync, plain, projects, later, monkeypatch):
    """Who edits the project while it is being filled does not keep it from being equal to the folder in the end."""
    monkeypatch.setattr(image_uploader, "IMAGES", 2)
    real = module.Sync._follow
    once = []

    def meddle(self, answer):
        real(self, answer)
        if not once and (found := projects.api.image.get_list(project_id=self._project_id)):
            once.append(True)
            projects.api.image.remove_batch([found[0].id])

    monkeypatch.setattr(module.Sync, "_follow", meddle)
    made = sync()
    assert once
    assert len(projects.names(made.id)) == 6

    def always(self, answer):
        real(self, answer)
        self._disturbed = True

    monkeypatch.setattr(module.Sync, "_follow", always)
    later()
    write(plain / "x" / "0.png", png((50, 0, 0)))
    monkeypatch.setattr(module.Sync, "_round", lambda self, listing: setattr(self, "_disturbed", True) or {})
    with pytest.raises(FolderError, match="by others all the time"):
        sync()


def test_a_lost_cache_costs_time_only(sync, labelled, projects, api, monkeypatch, tmp_path):
    """Given the project's number on another machine, the folder is read anew and the project stays as it is."""
    made = sync()
    before = projects.digest(made.id)
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "another-home"))
    assert sync(project_id=made.id).id == made.id
    assert projects.digest(made.id) == before
    assert "images.bulk.upload" not in api.transport.asked[-6:]


def test_which_project_it_is(sync, plain, projects, api, tmp_path):
    """By name, number or what is remembered; a name that another project has is refused."""
    first = sync()
    named = sync(name="limes")
    assert named.id != first.id
    assert (sync().id, sync(name="lemons").id) == (named.id, first.id)
    taken = api.project.create(1, "taken")
    with pytest.raises(FolderError, match="'taken' that this folder was not made"):
        sync(name="taken")
    assert sync(project_id=taken.id).id == taken.id
    assert len(projects.names(taken.id)) == 6
    with pytest.raises(FolderError, match="no such project"):
        sync(project_id=999)
    api.project.remove(taken.id)
    assert sync().id in {first.id, named.id}
    other = tmp_path / "other" / "lemons"
    write(other / "1.png", png())
    assert sync(path=other).name == "lemons_001"


def test_another_project_of_the_same_number_is_left_alone(sync, plain, projects, api):
    """After a server was set up anew its projects have the old numbers; they are not the folder's."""
    made = sync()
    with shelf("embedded", str(plain)) as caches:
        cache = caches.open(made.id)
        cache.note(created="2001-01-01T00:00:00.000Z")
        cache.close()
    assert sync().id != made.id


def test_a_project_made_for_a_folder_that_cannot_be_taken_is_removed(sync, plain, api, projects):
    """The file is named, what was made is removed, and mended it goes on; a project that was there says what it has."""
    write(plain / "z" / "bad.png", b"no image")
    with pytest.raises(FolderError, match=r"z/bad.png' is no image that can be read"):
        sync()
    assert api.project.get_list() == []
    write(plain / "z" / "bad.png", png())
    made = sync()
    write(plain / "x" / "0.png", png((77, 7, 7)))
    write(plain / "zz" / "bad.png", b"no image")
    with pytest.raises(FolderError, match="its versions are whole"):
        sync()
    (plain / "zz" / "bad.png").unlink()
    (plain / "zz").rmdir()
    assert sync().id == made.id
    assert "zz" not in projects.datasets(made.id).values()


def test_a_failing_server_leaves_no_project(sync, plain, api, monkeypatch):
    """What the server fails at is raised as it is, and the new project is removed."""
    real = api.transport.server.upload

    def upload(method, parts, query=None):
        raise ServerError("gone")

    monkeypatch.setattr(api.transport.server, "upload", upload)
    with pytest.raises(ServerError, match="gone"):
        sync()
    assert api.project.get_list() == []
    monkeypatch.setattr(api.transport.server, "upload", real)
    assert sync().images_count == 6


def test_names_that_are_hard(sync, folder, projects, tmp_path):
    """Line ends, quotes and any letters are names like others; bytes that are no text are named and refused."""
    names = ["a\nb.png", "\"q'.png", "日本.png", " .png", "%2F.png"]
    for place, name in enumerate(names):
        write(folder / "d\n\"'é" / name, png((place, 3, 3)))
    made = sync()
    assert projects.names(made.id) == sorted(f"d\n\"'é:{name}" for name in names)
    write(folder / "x" / "ok.png", png())
    os.rename(folder / "x" / "ok.png", os.fsencode(folder / "x") + b"/\xff\xfe.png")
    with pytest.raises(FolderError, match="no text in UTF-8: rename it"):
        sync()
    os.rename(os.fsencode(folder / "x") + b"/\xff\xfe.png", folder / "x" / "ok.png")
    os.rename(folder / "x", os.fsencode(folder) + b"/\xff")
    with pytest.raises(FolderError, match="no text in UTF-8: rename it"):
        sync()


def test_links_are_left_out_and_told(sync, plain, projects, caplog, tmp_path):
    """Symbolic links are not followed unless that is asked for, and then no circle is run in."""
    write(tmp_path / "elsewhere" / "far.png", png((9, 9, 9)))
    (plain / "link.png").symlink_to(tmp_path / "elsewhere" / "far.png")
    (plain / "there").symlink_to(tmp_path / "elsewhere")
    (plain / "x" / "loop").symlink_to(plain)
    (plain / "nowhere").symlink_to("nowhere")
    os.mkfifo(plain / "pipe.png")
    made = sync()
    assert len(projects.names(made.id)) == 6
    assert "4 symbolic links" in caplog.text
    assert "1 no regular files" in caplog.text
    followed = sync(name="followed", follow_links=True)
    assert {"ds0:link.png", "there:far.png"} <= set(projects.names(followed.id))
    assert len(projects.names(followed.id)) == 8


def test_a_file_that_keeps_changing_is_named(sync, plain, api, monkeypatch):
    """A file that somebody writes all the time is an error that names it, and no project is left."""
    growing = plain / "x" / "grows.png"
    write(growing, png())
    number, real = growing.stat().st_ino, os.read

    def read(descriptor, size):
        found = real(descriptor, size)
        if os.fstat(descriptor).st_ino == number:
            with open(growing, "ab") as file:
                file.write(b"x")
        return found

    monkeypatch.setattr(os, "read", read)
    with pytest.raises(FolderError, match=r"grows.png' changes while it is read"):
        sync()
    assert api.project.get_list() == []


def test_a_label_that_the_project_cannot_have_is_named(sync, labelled, api):
    """An object of a class that `meta.json` has not is told with the file it is in."""
    write(labelled / "a" / "ann" / "2.png.json", {"objects": [box("ship")]})
    with pytest.raises(FolderError, match=r"a/ann/2.png.json': .*no class named 'ship'"):
        sync()
    assert api.project.get_list() == []


def test_progress_is_told(sync, plain, later):
    """How far it is, of how much, images removed included."""
    told = []
    sync(progress=lambda *one: told.append(one))
    assert (told[0], told[-1]) == (("images", 0, 6), ("images", 6, 6))
    later()
    told.clear()
    (plain / "x" / "0.png").unlink()
    sync(progress=lambda *one: told.append(one))
    assert told == [("images", 0, 1)]


def test_a_version_of_an_unchanged_folder_is_the_one_there_is(sync, labelled, api, later):
    """Saving after the folder was made again saves nothing new."""
    made = sync()
    version = api.project.version.create(made.id)
    later()
    sync(rehash=True)
    assert api.project.version.create(made.id) == version


def test_what_is_no_folder(sync, folder, tmp_path):
    """A file, nothing and a folder without images are told apart from a folder of images."""
    with pytest.raises(FolderError, match="no folder"):
        sync(path=tmp_path / "nothing")
    write(folder / "readme.txt", "x")
    with pytest.raises(FolderError, match="no images"):
        sync()
