"""`autoflow versions`: made, listed, compared, restored, deleted, checked and collected from the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from autoflow import Api
from autoflow.runtime import destination


def picture(colour):
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def api(monkeypatch, tmp_path):
    """The server in this test's own home, with a project of one image."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.chdir(tmp_path)
    destination.reset()
    found = Api()
    project = found.project.create(1, "lemons")
    add(found, found.dataset.create(project.id, "ds").id, "a.png", (1, 2, 3))
    yield found
    found.transport.close()


def add(api, dataset, name, colour):
    Path(name).write_bytes(picture(colour))
    api.image.upload_paths(dataset, [name], [name])


@pytest.fixture
def versions(command):
    """Run an action of `autoflow versions`."""
    return lambda *arguments: command("versions", *arguments)


def test_a_version_is_made_and_listed(api, versions):
    """Unchanged data gives the version there is."""
    assert versions("list", "1") == (0, "", "There is none yet: autoflow versions create 1\n")
    code, printed, _ = versions("create", "project:1", "--title", "before", "--description", "as imported")
    assert (code, printed) == (0, "version:1 is version 1 of project:1\n")
    assert versions("create", "1")[1] == "version:1 is version 1 of project:1: nothing has changed since\n"
    (line,) = versions("list", "project:1")[1].splitlines()
    assert line.startswith("version:1  V1  ")
    assert line.endswith("before  as imported")
    assert json.loads(versions("create", "1", "--json")[1]) == {"project": 1, "id": 1, "version": 1, "created": False}
    assert json.loads(versions("list", "1", "--json")[1])[0]["name"] == "before"


@pytest.mark.parametrize("ref", ["version:1", "1", "project:1#1"])
def test_a_version_by_any_of_its_names(api, versions, ref):
    """Its number, with or without the word, or the project's and its number there."""
    versions("create", "1", "--title", "before")
    code, printed, _ = versions("show", ref)
    assert code == 0
    assert printed.startswith("version:1 is version 1 of project:1\n")
    assert "before" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "version:9"), "version 9 is unknown"),
        (("show", "project:1#4"), "autoflow versions list 1"),
        (("show", "file:1"), "write version:12, 12, or project:7#3"),
        (("show", "last"), "is not a reference"),
        (("list", "version:1"), "is no project"),
        (("create", "nowhere"), "neither a project"),
        (("create", "project:9"), "project 9 is unknown"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(api, versions, arguments, said):
    """Exit code 1 and one line."""
    code, printed, error = versions(*arguments)
    assert (code, printed) == (1, "")
    assert said in error
    assert error.count("\n") == 1


def test_what_changed(api, versions):
    """Counts first, then the names; to another version or to the project as it is now."""
    versions("create", "1")
    assert versions("diff", "1")[1].splitlines()[1] == "  nothing changed"
    add(api, 1, "b.png", (4, 5, 6))
    lines = versions("diff", "1")[1].splitlines()
    assert lines[0] == "project:1, version:1 (V1) to now"
    assert "  items    1 added" in lines
    assert "  + ds/b.png" in lines
    versions("create", "1")
    lines = versions("diff", "2", "1")[1].splitlines()
    assert lines[0] == "project:1, version:2 (V2) to version:1 (V1)"
    assert "  - ds/b.png" in lines
    assert json.loads(versions("diff", "1", "--json")[1])["counts"]["items"]["added"] == 1


def test_a_version_becomes_a_project(api, versions):
    """With the name that is given, or one that says where it is from."""
    versions("create", "1")
    assert versions("restore", "1")[1] == "version:1 is project:2  lemons, from ver. 1\n"
    told = json.loads(versions("restore", "project:1#1", "--name", "again", "--json")[1])
    assert told == {"version": 1, "project": 3, "name": "again"}


def test_a_version_becomes_a_folder(api, versions, tmp_path):
    """In Supervisely's format, and never over something else."""
    versions("create", "1")
    code, printed, _ = versions("restore", "1", "--to", str(tmp_path / "out"))
    assert (code, printed) == (0, f"version:1 is in {tmp_path / 'out'}\n")
    assert [path.read_bytes() for path in (tmp_path / "out").rglob("a.png")] == [picture((1, 2, 3))]
    assert versions("restore", "1", "--to", str(tmp_path / "out"))[0] == 1


def test_a_folder_becomes_a_version(api, versions, tmp_path):
    """A folder of images is a project; the same folder again is its next version if anything changed."""
    folder = tmp_path / "fruits"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture((9, 9, 9)))
    told = json.loads(versions("create", str(folder), "--json")[1])
    assert told["created"]
    assert json.loads(versions("create", str(folder), "--json")[1]) == {**told, "created": False}
    (folder / "b.png").write_bytes(picture((8, 8, 8)))
    assert json.loads(versions("create", str(folder), "--json")[1])["version"] == told["version"] + 1


def test_a_version_is_deleted_only_when_meant(api, versions, monkeypatch):
    """Without a terminal `--yes` has to be said."""
    versions("create", "1")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, _, said = versions("delete", "1")
    assert code == 1
    assert "say --yes" in said
    code, printed, _ = versions("delete", "1", "--yes")
    assert code == 0
    assert "is deleted" in printed
    assert versions("show", "1")[0] == 1
    assert versions("collect")[0] == 0
    assert set(json.loads(versions("collect", "--json")[1])) >= {"rows", "blobs", "bytes"}


@pytest.mark.parametrize("level", ["1", "2", "3"])
def test_versions_that_are_whole(api, versions, level):
    """Exit code 0, and how much was looked at."""
    versions("create", "1")
    code, printed, _ = versions("verify", "--level", level)
    assert code == 0
    assert "1 versions" in printed
    assert "all whole" in printed
    assert json.loads(versions("verify", "1", "--level", level, "--json")[1])["whole"]


@pytest.mark.parametrize("scope", [(), ("1",), ("--project", "1")])
def test_a_version_that_is_damaged_is_named(api, versions, tmp_path, scope):
    """Exit code 1, what is wrong, and which versions need it."""
    versions("create", "1")
    (blob,) = [path for path in tmp_path.glob("autoflow-home/platform/blobs/*/*") if path.is_file()]
    blob.chmod(0o600)
    blob.write_bytes(b"torn")
    code, printed, _ = versions("verify", *scope, "--level", "3")
    assert code == 1
    assert "1 damaged" in printed
    assert "needed by version:1 (V1 of project:1)" in printed
