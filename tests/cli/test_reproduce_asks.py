"""`autoflow reproduce --run` executes code: it is shown, asked for, and sees no credentials."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from autoflow.platform.dispatcher import Platform
from tests.cli.repository import APP, Repository
from tests.cli.test_reproduce import MODEL, api, lemons, projects
from tests.serving import served

__all__ = ["api"]  # the fixture

SECRETS = {"API_TOKEN": "user-token", "AWS_SECRET_ACCESS_KEY": "k", "AUTOFLOW_TOKEN": "t", "MY_SETTING": "v"}


def tripwire(path, marker):
    """An executable that leaves a mark."""
    path.write_text(f"#!/bin/sh\necho ran >> {marker}\nexit 1\n")
    path.chmod(0o755)
    return path


def test_without_a_terminal_nothing_is_executed_or_restored(api, tmp_path, command, monkeypatch):
    """Neither git nor an interpreter is started, no project is made; what would be executed is shown."""
    repo = Repository(tmp_path / "repo")
    repo.run("--project-id", "1", PYTHONHASHSEED="7")
    marker, tools = tmp_path / "marker", tmp_path / "bin"
    tools.mkdir()
    tripwire(tools / "git", marker)
    python = tripwire(tools / "python", marker)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    code, printed, said = command("reproduce", MODEL, "--run", "--python", str(python))
    assert (code, printed) == (2, "")
    assert not marker.exists()
    assert projects(api) == ["lemons"]
    assert "--yes" in said
    for shown in ("task:1 (Train)", "train.py --project-id 1", "PYTHONHASHSEED=7", "on host", "recorded by", "wrapt=="):
        assert shown in said


@pytest.mark.parametrize(("answer", "ends"), [("y\n", 0), ("n\n", 2), ("\n", 2)])
def test_a_terminal_is_asked(api, tmp_path, answer, ends):
    """Only a plain yes runs it; the command is shown with the restored project's number."""
    repo = Repository(tmp_path / "repo")
    repo.run("--project-id", "1")
    control, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "autoflow", "reproduce", MODEL, "--run", "--json"],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(terminal)
        os.write(control, answer.encode())
        printed, said = process.communicate(timeout=100)
    os.close(control)
    assert process.returncode == ends, said
    assert "Run it? [y/N]" in said
    assert "train.py --project-id 2" in said
    assert bool(printed) == (ends == 0)
    if ends:
        assert "nothing was run" in said
        assert "lemons, from ver. 1" in said


def test_only_listed_variables_reach_the_command(api, tmp_path, command, monkeypatch):
    """No token and no variable of another purpose; the recorded ones are as recorded."""
    seen = tmp_path / "seen.json"
    app = APP + f"\njson.dump(dict(os.environ), open({str(seen)!r}, 'w'))\n"
    repo = Repository(tmp_path / "repo", app)
    repo.run("--project-id", "1", OMP_NUM_THREADS="3")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert command("reproduce", MODEL, "--run", "--yes")[0] == 0
    environment = json.loads(seen.read_text())
    assert not set(SECRETS) & set(environment)
    assert not {"user-token", "k", "t"} & set(environment.values())
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["AUTOFLOW_REPRODUCES"].startswith("task:1 ")


def test_a_server_that_asks_for_tokens_is_named_when_the_command_fails(tmp_path, command, monkeypatch):
    """The user's token is not passed on, also where nothing can be recorded without one; the message says so."""
    platform = Platform.open(tmp_path / "served")
    token = platform.tokens.create("ann", ["Team"])
    with served(platform, auth=True) as url:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("AUTOFLOW_SERVER", url)
        monkeypatch.setenv("AUTOFLOW_TOKEN", token)
        filled = lemons()
        next(filled)
        seen = tmp_path / "seen.json"
        app = f"import json, os\njson.dump(dict(os.environ), open({str(seen)!r}, 'w'))\n" + APP
        repo = Repository(tmp_path / "repo", app)
        repo.run("--project-id", "1")
        assert json.loads(seen.read_text())["AUTOFLOW_TOKEN"] == token
        code, _, said = command("reproduce", MODEL, "--run", "--yes")
        assert code == 2
        assert "it is given no token" in said
        assert "recorded by  ann" in said
        assert token not in seen.read_text() + said
    platform.close()
