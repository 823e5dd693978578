"""`autoflow versions`: create, list, diff, restore, delete, verify and collect."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

from autoflow import Api
from autoflow.process.os_user import user_at_host
from autoflow.runtime import destination
from autoflow.server.server import Server
from tests import serving


def picture(colour):
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def api(monkeypatch, tmp_path):
    """An embedded server with a project of one image."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.chdir(tmp_path)
    destination.reset()
    api = Api()
    project = api.project.create(1, "lemons")
    add(api, api.dataset.create(project.id, "ds").id, "a.png", (1, 2, 3))
    yield api
    api.transport.close()


def add(api, dataset_id, name, colour):
    Path(name).write_bytes(picture(colour))
    api.image.upload_paths(dataset_id, [name], [name])


@pytest.fixture
def versions(command):
    """A function that runs an action of `autoflow versions`."""
    return lambda *arguments: command("versions", *arguments)


def test_create_and_list(api, versions):
    """Without changes the latest version is returned."""
    assert versions("list", "1") == (0, "", "There are no versions; create one with `autoflow versions create 1`.\n")
    code, output, _ = versions("create", "project:1", "--title", "before", "--description", "as imported")
    assert (code, output) == (0, "version:1 is version 1 of project:1\n")
    assert versions("create", "1")[1] == "version:1 is version 1 of project:1: nothing has changed since\n"
    (line,) = versions("list", "project:1")[1].splitlines()
    assert line.startswith("version:1  V1  ")
    assert line.endswith("before  as imported")
    assert json.loads(versions("create", "1", "--json")[1]) == {"project": 1, "id": 1, "version": 1, "created": False}
    assert json.loads(versions("list", "1", "--json")[1])[0]["name"] == "before"


@pytest.mark.parametrize("ref", ["version:1", "1", "project:1#1"])
def test_references_of_a_version(api, versions, ref):
    """Its id with or without prefix, or the project with the version number."""
    versions("create", "1", "--title", "before")
    code, output, _ = versions("show", ref)
    assert code == 0
    assert output.startswith("version:1 is version 1 of project:1\n")
    assert "before" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "version:9"), "version 9 is unknown"),
        (("show", "project:1#4"), "autoflow versions list 1"),
        (("show", "file:1"), "write version:12, 12, or project:7#3"),
        (("show", "last"), "is not a reference"),
        (("list", "version:1"), "is not a project"),
        (("create", "nowhere"), "neither a project"),
        (("create", "project:9"), "project 9 is unknown"),
    ],
)
def test_invalid_arguments(api, versions, arguments, message):
    """The exit code is 1, and one line names the remedy."""
    code, output, error = versions(*arguments)
    assert (code, output) == (1, "")
    assert message in error
    assert error.count("\n") == 1


def test_diff(api, versions):
    """It prints counts, then names; to another version or to the present state."""
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
    classes = [{"title": "lemon", "shape": "any"}]
    api.transport.call("projects.meta.update", {"id": 1, "meta": {"classes": classes, "tags": []}})
    assert versions("diff", "1", "--classes")[1].splitlines()[-2:] == [
        "  class  labels  images",
        "  lemon  - -> 0  - -> 0",
    ]
    assert json.loads(versions("diff", "1", "--json")[1])["counts"]["items"]["added"] == 1


def test_restore_as_a_project(api, versions):
    """With a given name, or one that has the source."""
    versions("create", "1")
    assert versions("restore", "1")[1] == "version:1 was restored as project:2  lemons, from ver. 1\n"
    result = json.loads(versions("restore", "project:1#1", "--name", "again", "--json")[1])
    assert result == {"version": 1, "project": 3, "name": "again"}


def test_restore_as_a_folder(api, versions, tmp_path):
    """In Supervisely's format, also once more; another folder is an error, and so is a project of links."""
    versions("create", "1")
    code, output, _ = versions("restore", "1", "--to", str(tmp_path / "out"))
    assert (code, output) == (0, f"version:1 was written to {tmp_path / 'out'}\n")
    assert [path.read_bytes() for path in (tmp_path / "out").rglob("a.png")] == [picture((1, 2, 3))]
    assert versions("restore", "1", "--to", str(tmp_path / "out"))[0] == 0
    assert versions("restore", "1", "--to", str(tmp_path))[0] == 1
    assert versions("restore", "1", "--link")[0] != 0


def test_create_from_a_folder(api, versions, tmp_path):
    """The folder is imported as a project; importing it again creates a version if anything has changed."""
    folder = tmp_path / "fruits"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture((9, 9, 9)))
    result = json.loads(versions("create", str(folder), "--json")[1])
    assert result["created"]
    assert json.loads(versions("create", str(folder), "--json")[1]) == {**result, "created": False}
    (folder / "b.png").write_bytes(picture((8, 8, 8)))
    assert json.loads(versions("create", str(folder), "--json")[1])["version"] == result["version"] + 1


def test_delete_needs_confirmation(api, versions, monkeypatch):
    """Without a terminal `--yes` is required."""
    versions("create", "1")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, _, message = versions("delete", "1")
    assert code == 1
    assert "confirm with --yes" in message
    code, output, _ = versions("delete", "1", "--yes")
    assert code == 0
    assert "was deleted" in output
    assert versions("show", "1")[0] == 1
    assert versions("collect")[0] == 0
    assert set(json.loads(versions("collect", "--json")[1])) >= {"rows", "blobs", "bytes"}


@pytest.mark.parametrize("level", ["1", "2", "3"])
def test_verify_intact_versions(api, versions, level):
    """The exit code is 0, and the number of checked versions is printed."""
    versions("create", "1")
    code, output, _ = versions("verify", "--level", level)
    assert code == 0
    assert "1 versions" in output
    assert "no damage found" in output
    assert json.loads(versions("verify", "1", "--level", level, "--json")[1])["whole"]


@pytest.mark.parametrize("scope", [(), ("1",), ("--project", "1")])
def test_verify_a_damaged_version(api, versions, tmp_path, scope):
    """The exit code is 1, and the damage and the affected versions are printed."""
    versions("create", "1")
    (blob,) = [path for path in tmp_path.glob("autoflow-home/platform/blobs/*/*") if path.is_file()]
    blob.chmod(0o600)
    blob.write_bytes(b"torn")
    code, output, _ = versions("verify", *scope, "--level", "3")
    assert code == 1
    assert "1 damaged" in output
    assert "used by version:1 (V1 of project:1)" in output


def test_push_and_pull(api, versions, command, tmp_path):
    """A version is copied to another server and back; the token is in no output."""
    from autoflow.server.server import Server
    from tests.serving import served

    versions("create", "project:1", "--title", "before")
    with contextlib.closing(Server.open(tmp_path / "other")) as server, served(server, auth=True) as url:
        token = server.tokens.create("ann", ["Vision"])
        code, output, errors = versions("push", "project:1#1", url, "--token", token)
        expected = f"version:1 is now version:1 (V1 of project:1  lemons) on {url}: 1 items, 1 files sent\n"
        assert (code, output) == (0, expected)
        assert token not in output + errors
        again = versions("push", "1", url, "--token", token)[1]
        assert again == f"nothing to copy: version:1 is version:1 (V1 of project:1  lemons) on {url}\n"
        user = server.tokens.caller(token)
        details = server.call("autoflow.versions.meta", {"id": 1}, user)["version"]
        origin = details["copiedFrom"]
        assert (details["name"], origin["author"], origin["project"], origin["version"]) == (
            "before",
            user_at_host(),
            1,
            1,
        )
        api.project.remove(1)
        code, output, _ = versions("pull", "version:1", url, "--token", token, "--name", "back", "--json")
        restored = json.loads(output)
        assert (code, restored["name"]) == (0, "back")
        assert versions("push", "1", url)[0] != 0
        code, output, _ = command("push", url, "--token", token)
        assert (code, output) == (
            0,
            f"nothing to copy: {url} has everything\n  project:{restored['project']} is project:1 there\n",
        )
        assert server.call("autoflow.versions.meta", {"id": 1}, user)["version"]["copiedFrom"] == origin
        assert json.loads(command("push", url, "--token", token, "--dry-run", "--json")[1])["versions"] == 0
    assert list(api.project.version.items(restored["version"]))


def test_what_is_not_there_is_called_unknown_or_deleted(api, versions, command, monkeypatch, tmp_path):
    """A deleted version is said to be deleted, when and by whom; over HTTP, a wrong number is said to be unknown."""
    versions("create", "1")
    versions("delete", "1", "--yes")
    code, _, errors = versions("diff", "1")
    assert (code, "version 1 (V1 of project 1) was deleted by " in errors) == (1, True)
    server = Server.open(tmp_path / "served")
    with serving.served(server) as address:
        monkeypatch.setenv("AUTOFLOW_SERVER", address)
        for arguments in (("trace", "project:999"), ("impact", "version:999"), ("versions", "create", "999")):
            code, _, errors = command(*arguments)
            assert (code, "unknown on this server" in errors, "Supervisely" in errors) == (1, True, False), errors
    server.close()
