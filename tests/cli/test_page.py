"""`autoflow open`: the page of the embedded server, of a team server, or a standalone file."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import threading
import time

import pytest
import requests

from autoflow.cli import page
from autoflow.cli.main import main
from autoflow.server.server import Server
from tests.serving import served


@pytest.fixture
def opened(monkeypatch):
    """A list of the URLs opened in the browser."""
    urls = []
    monkeypatch.setattr(page.webbrowser, "open", lambda url: urls.append(url) or True)
    return urls


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    """An embedded server with a run in it."""
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    server = Server.open(tmp_path / "home" / "platform")
    server.call("autoflow.runs.ensure", {"run": "r", "name": "Train"})
    edge = {"key": "e", "type": "edge", "run": "r", "direction": "output", "entity": {"type": "folder", "id": "/x"}}
    server.call("autoflow.records.add", {"records": [edge]})
    server.close()


def test_the_embedded_server_is_served_until_interrupted(embedded, opened, capsys):
    """The browser opens the page of the named task; Ctrl+C ends the command."""
    response = {}

    def fetch():
        deadline = time.monotonic() + 60
        while not opened and time.monotonic() < deadline:
            time.sleep(0.05)
        while "text" not in response and time.monotonic() < deadline:
            try:
                response["text"] = requests.get(opened[0], timeout=60).text
            except requests.ConnectionError:
                time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    thread = threading.Thread(target=fetch)
    thread.start()
    try:
        # uvicorn raises the signal again after its shutdown
        with contextlib.suppress(KeyboardInterrupt):
            main(["open", "--task", "1"])
    finally:
        thread.join()
        for number, handler in before.items():
            signal.signal(number, handler)
    assert opened[0].startswith("http://127.0.0.1:")
    assert opened[0].endswith("/task/1")
    assert 'data-task="1"' in response["text"]
    assert "until Ctrl+C" in capsys.readouterr().out


def test_the_page_of_a_team_server(tmp_path, monkeypatch, opened):
    """It is opened at its address, and nothing is served."""
    server = Server.open(tmp_path / "served")
    with served(server) as url:
        monkeypatch.setenv("AUTOFLOW_SERVER", url)
        assert main(["open", "--project", "7"]) == 0
        assert opened == [f"{url}/project/7"]
    server.close()


def test_a_standalone_file(embedded, opened, capsys):
    """With --static an HTML file is written and opened."""
    assert main(["open", "--static"]) == 0
    path = capsys.readouterr().out.strip()
    assert opened == [f"file://{path}"]
    with open(path, encoding="utf-8") as file:
        assert "Train" in file.read()
    os.unlink(path)


@pytest.mark.parametrize(
    ("entity", "path"),
    [
        ({}, "/workspace"),
        ({"workspace": 3}, "/workspace/3"),
        ({"project": 7}, "/project/7"),
        ({"file": "9"}, "/file/9"),
        ({"file": "/a b/c?d"}, "/file?path=/a%20b/c%3Fd"),
    ],
)
def test_paths_of_pages(entity, path):
    """Each argument that names an entity has a page."""
    args = argparse.Namespace(**{"project": None, "task": None, "workspace": None, "file": None, **entity})
    assert page.path_of(args) == path
