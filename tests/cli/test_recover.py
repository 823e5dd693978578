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
    """The folder of a server with a project and a file."""
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "home"))
    server = Server.open(tmp_path / "data")
    Filled(server).project("lemons")
    Filled(server).file()
    server.close()
    return tmp_path / "data"


def request(url, method, **body):
    return requests.post(url + METHOD + method, json=body, timeout=60)


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def damage(data):
    content = bytearray((data / "platform.db").read_bytes())
    content[:100] = b"\0" * 100
    (data / "platform.db").write_bytes(content)


def delete(data):
    os.unlink(data / "platform.db")


@pytest.mark.parametrize("break_store", [damage, delete])
def test_a_server_with_an_unavailable_store_responds_503_until_it_is_repaired(data, tmp_path, break_store):
    """The response names the remedy, nothing is changed, and the server resumes when the store is available."""
    shutil.copy(data / "platform.db", tmp_path / "sound")
    break_store(data)
    with serving("--data", str(data)) as (process, url, _lines):
        response = request(url, "projects.list", workspaceId=1)
        assert response.status_code == 503
        assert f"autoflow server recover --data {data}" in response.text
        assert response.headers["Retry-After"]
        assert requests.get(url + "/readyz", timeout=60).status_code == 503
        assert len(blob_files(data / "blobs")) == 1
        shutil.copy(tmp_path / "sound", data / "platform.db")
        wait_until(lambda: request(url, "projects.list", workspaceId=1).status_code == 200)
        assert requests.get(url + "/readyz", timeout=60).json()["ready"] is True
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert "503" in errors
    assert "can be used again" in errors
    assert "Traceback" not in errors


def test_a_running_server_without_its_store_waits_for_recover(data, capsys):
    """It responds with 503 until the repair is confirmed, then serves the repaired store."""
    with serving("--data", str(data)) as (_process, url, _lines):
        assert request(url, "projects.list", workspaceId=1).json()["total"] == 1
        delete(data)
        assert request(url, "projects.list", workspaceId=1).status_code == 503
        assert main(["server", "recover", "--data", str(data)]) == 1
        assert not (data / "platform.db").exists()
        assert main(["server", "recover", "--data", str(data), "--yes"]) == 0
        wait_until(lambda: request(url, "projects.list", workspaceId=1).status_code == 200)
        assert request(url, "projects.list", workspaceId=1).json()["total"] == 0
        assert request(url, "projects.add", workspaceId=1, name="new").json()["id"] > 1
    assert "--yes" in capsys.readouterr().err


def test_recover_as_json(data, capsys):
    """The JSON has the reason, the readable rows, and what was repaired."""
    assert main(["server", "recover", "--data", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"sound": True, "found": None, "mended": []}
    damage(data)
    assert main(["server", "recover", "--data", str(data), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["sound"], report["found"]["reason"]) == (False, "damaged")
    assert main(["server", "recover", "--data", str(data), "--json", "--yes"]) == 0
    assert json.loads(capsys.readouterr().out)["mended"] == ["damaged"]
    assert [name for name in os.listdir(data) if ".corrupt-" in name]
    assert len(blob_files(data / "blobs")) == 1


def test_a_folder_that_was_removed_between_two_starts(data, capsys):
    """A server does not create a new store in place of one that it has served before."""
    with serving("--data", str(data)) as (_process, url, _lines):
        assert request(url, "projects.list", workspaceId=1).status_code == 200
    os.rename(data, data.with_name("unmounted"))
    with serving("--data", str(data)) as (_process, url, _lines):
        assert request(url, "projects.list", workspaceId=1).status_code == 503
        assert not data.exists()
        os.rename(data.with_name("unmounted"), data)
        wait_until(lambda: request(url, "projects.list", workspaceId=1).status_code == 200)
