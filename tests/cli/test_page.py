"""`autoflow open`: the live page of the embedded server, a server's own page, or a file that stands alone."""

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
    """Addresses that a browser was asked to open."""
    found = []
    monkeypatch.setattr(page.webbrowser, "open", lambda url: found.append(url) or True)
    return found


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


def test_the_embedded_servers_page_is_served_until_interrupted(embedded, opened, capsys):
    """A browser is sent to the page of what was named; Ctrl+C ends it."""
    seen = {}

    def look():
        deadline = time.monotonic() + 60
        while not opened and time.monotonic() < deadline:
            time.sleep(0.05)
        while "text" not in seen and time.monotonic() < deadline:
            try:
                seen["text"] = requests.get(opened[0], timeout=60).text
            except requests.ConnectionError:
                time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    watching = threading.Thread(target=look)
    watching.start()
    try:
        # uvicorn raises the signal it took again when it is done
        with contextlib.suppress(KeyboardInterrupt):
            main(["open", "--task", "1"])
    finally:
        watching.join()
        for number, handler in before.items():
            signal.signal(number, handler)
    assert opened[0].startswith("http://127.0.0.1:")
    assert opened[0].endswith("/task/1")
    assert 'data-task="1"' in seen["text"]
    assert "until Ctrl+C" in capsys.readouterr().out


def test_a_servers_page_is_opened_where_it_is(tmp_path, monkeypatch, opened):
    """Nothing is served here when there is a server."""
    server = Server.open(tmp_path / "served")
    with served(server) as url:
        monkeypatch.setenv("AUTOFLOW_SERVER", url)
        assert main(["open", "--project", "7"]) == 0
        assert opened == [f"{url}/project/7"]
    server.close()


def test_a_file_that_stands_alone_is_written(embedded, opened, capsys):
    """With --static one HTML file is written and opened; it asks no server."""
    assert main(["open", "--static"]) == 0
    path = capsys.readouterr().out.strip()
    assert opened == [f"file://{path}"]
    with open(path, encoding="utf-8") as file:
        assert "Train" in file.read()
    os.unlink(path)


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ({}, "/workspace"),
        ({"workspace": 3}, "/workspace/3"),
        ({"project": 7}, "/project/7"),
        ({"file": "9"}, "/file/9"),
        ({"file": "/a b/c?d"}, "/file?path=/a%20b/c%3Fd"),
    ],
)
def test_what_is_named_has_an_address(named, path):
    """Each way to name a part of the workflow is a page."""
    given = argparse.Namespace(**{"project": None, "task": None, "workspace": None, "file": None, **named})
    assert page.path_of(given) == path
