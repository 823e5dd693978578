"""A folder of the server's machine as the storage of an agent: its files alone, for its team alone."""

from __future__ import annotations

import os

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.server import Server


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    """A folder for the agents of teams 1 and 2, with links that lead out of it."""
    folder = tmp_path_factory.mktemp("agents")
    (folder / "1" / "inner").mkdir(parents=True)
    (folder / "2").mkdir()
    (folder / "1" / "a.txt").write_text("content")
    (folder / "1" / "inner" / "b.txt").write_text("b")
    (folder / "2" / "secret.txt").write_text("secret")
    os.symlink(folder / "2", folder / "1" / "other")
    os.symlink("/etc/hostname", folder / "1" / "host.txt")
    os.mkfifo(folder / "1" / "pipe")
    return folder


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    opened = Server.open(tmp_path_factory.mktemp("server"))
    yield opened
    opened.close()


@pytest.fixture
def offered(local, storage, monkeypatch):
    monkeypatch.setenv("AUTOFLOW_AGENT_FOLDER", str(storage))
    return local


def test_without_the_setting_there_is_no_agent(local, monkeypatch):
    """None is available, and none is known."""
    monkeypatch.delenv("AUTOFLOW_AGENT_FOLDER", raising=False)
    assert local.call("agents.available", {"teamId": 1}) == []
    with pytest.raises(ServerRefused, match="agent 1"):
        local.call("agents.storage.list", {"id": 1, "teamId": 1, "path": "/"})


def test_files_and_folders_are_listed_and_files_downloaded(offered):
    """Links out of the storage, and what is no file, are left out."""
    entries = offered.call("agents.storage.list", {"id": 1, "teamId": 1, "path": "/"})
    assert [(entry["name"], entry["type"], entry["meta"]["size"]) for entry in entries] == [
        ("a.txt", "file", 7),
        ("inner", "directory", 0),
    ]
    content = offered.content("agents.storage.download", {"id": 1, "path": "/a.txt"})
    assert (content.size, b"".join(content), b"".join(content.iter_range(2, 4))) == (7, b"content", b"nt")


@pytest.mark.parametrize(
    "path",
    ["/../2/secret.txt", "/other/secret.txt", "/host.txt", "/inner/../../2/secret.txt", "/pipe", "/inner", "/nothing"],
)
def test_nothing_else_is_read(offered, path):
    """Neither by the path nor by a link; a folder and a pipe are no files."""
    with pytest.raises(ServerRefused) as refusal:
        offered.content("agents.storage.download", {"id": 1, "path": path})
    assert refusal.value.status == 404


def test_another_teams_agent_is_unknown(offered):
    """For lists, downloads and the agent itself."""
    stranger = offered.tokens.caller(offered.tokens.create("eve", ["Others"]))
    (own,) = stranger.teams
    assert [entry["id"] for entry in offered.call("agents.available", {"teamId": own}, stranger)] == [own]
    for method in ("agents.info", "agents.storage.list"):
        with pytest.raises(ServerRefused, match="agent 1"):
            offered.call(method, {"id": 1, "path": "/"}, stranger)
    with pytest.raises(ServerRefused, match="agent 1"):
        offered.content("agents.storage.download", {"id": 1, "path": "/a.txt"}, stranger)
