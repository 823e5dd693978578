"""`autoflow serve` over a store that is unavailable, and `autoflow server recover`, as processes."""

from __future__ import annotations

import json
import os
import shutil
import time

import pytest
import requests

from autoflow.cli.main import main
from autoflow.server.server import Server
from tests.blobs import blob_files
from tests.server.conftest import Filled
from tests.serving import serving

METHOD = "/public/api/v3/"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder with a project and a file, and a home of the server's own."""
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "home"))
    server = Server.open(tmp_path / "data")
    Filled(server).project("kept")
    Filled(server).file()
    server.close()
    return tmp_path / "data"


def ask(url, method, **body):
    return requests.post(url + METHOD + method, json=body, timeout=60)


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def spoil(data):
    content = bytearray((data / "platform.db").read_bytes())
    content[:100] = b"\0" * 100
    (data / "platform.db").write_bytes(content)


def lose(data):
    os.unlink(data / "platform.db")


@pytest.mark.parametrize("harm", [spoil, lose])
def test_a_server_over_an_unavailable_store_answers_503_until_it_is_mended(data, tmp_path, harm):
    """It says what to do, changes nothing, and goes on by itself when the store is back."""
    shutil.copy(data / "platform.db", tmp_path / "sound")
    harm(data)
    with serving("--data", str(data)) as (process, url, _said):
        answer = ask(url, "projects.list", workspaceId=1)
        assert answer.status_code == 503
        assert f"autoflow server recover --data {data}" in answer.text
        assert answer.headers["Retry-After"]
        assert requests.get(url + "/readyz", timeout=60).status_code == 503
        assert len(blob_files(data / "blobs")) == 1
        shutil.copy(tmp_path / "sound", data / "platform.db")
        until(lambda: ask(url, "projects.list", workspaceId=1).status_code == 200)
        assert requests.get(url + "/readyz", timeout=60).json()["ready"] is True
        process.terminate()
        _out, complained = process.communicate(timeout=60)
    assert "503" in complained
    assert "can be used again" in complained
    assert "Traceback" not in complained


def test_a_running_server_whose_store_is_replaced_waits_for_recover(data, capsys):
    """It answers 503 until a person has decided, then serves what was decided on."""
    with serving("--data", str(data)) as (_process, url, _said):
        assert ask(url, "projects.list", workspaceId=1).json()["total"] == 1
        lose(data)
        assert ask(url, "projects.list", workspaceId=1).status_code == 503
        assert main(["server", "recover", "--data", str(data)]) == 1
        assert not (data / "platform.db").exists()
        assert main(["server", "recover", "--data", str(data), "--yes"]) == 0
        until(lambda: ask(url, "projects.list", workspaceId=1).status_code == 200)
        assert ask(url, "projects.list", workspaceId=1).json()["total"] == 0
        assert ask(url, "projects.add", workspaceId=1, name="new").json()["id"] > 1
    assert "--yes" in capsys.readouterr().err


def test_recover_says_as_json_what_it_found_and_did(data, capsys):
    """A program reads the reason, what can be read, and what was mended."""
    assert main(["server", "recover", "--data", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"sound": True, "found": None, "mended": []}
    spoil(data)
    assert main(["server", "recover", "--data", str(data), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["sound"], told["found"]["reason"]) == (False, "damaged")
    assert main(["server", "recover", "--data", str(data), "--json", "--yes"]) == 0
    assert json.loads(capsys.readouterr().out)["mended"] == ["damaged"]
    assert [name for name in os.listdir(data) if ".corrupt-" in name]
    assert len(blob_files(data / "blobs")) == 1


def test_a_folder_removed_between_two_starts_is_remembered(data, capsys):
    """A server whose folder was there the last time makes no new one in its place."""
    with serving("--data", str(data)) as (_process, url, _said):
        assert ask(url, "projects.list", workspaceId=1).status_code == 200
    os.rename(data, data.with_name("unmounted"))
    with serving("--data", str(data)) as (_process, url, _said):
        assert ask(url, "projects.list", workspaceId=1).status_code == 503
        assert not data.exists()
        os.rename(data.with_name("unmounted"), data)
        until(lambda: ask(url, "projects.list", workspaceId=1).status_code == 200)
