"""Confirmation and isolation of `autoflow reproduce --run`, which executes recorded commands."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from autoflow.errors import NotAllowed
from autoflow.server.server import Server
from tests.cli.repository import APP, Repository
from tests.cli.test_reproduce import MODEL, api, lemons, projects
from tests.postgres import DATABASES, database_of
from tests.serving import serving

__all__ = ["api"]  # the fixture

SECRETS = {
    "API_TOKEN": "user-token",
    "AWS_SECRET_ACCESS_KEY": "cloud-key",
    "AUTOFLOW_TOKEN": "our-token",
    "MY_SETTING": "v",
}


def tripwire(path, marker):
    """Create an executable that records its execution."""
    path.write_text(f"#!/bin/sh\necho ran >> {marker}\nexit 1\n")
    path.chmod(0o755)
    return path


def test_without_a_terminal_nothing_is_executed_or_restored(api, tmp_path, command, monkeypatch):
    """Without confirmation the plan is printed; neither git nor an interpreter is started, no project is created."""
    repo = Repository(tmp_path / "repo")
    repo.run("--project-id", "1", PYTHONHASHSEED="7")
    marker, tools = tmp_path / "marker", tmp_path / "bin"
    tools.mkdir()
    tripwire(tools / "git", marker)
    python = tripwire(tools / "python", marker)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    code, output, errors = command("reproduce", MODEL, "--run", "--python", str(python))
    assert (code, output) == (2, "")
    assert not marker.exists()
    assert projects(api) == ["lemons"]
    assert "--yes" in errors
    for shown in ("task:1 (Train)", "train.py --project-id 1", "PYTHONHASHSEED=7", "on host", "recorded by", "wrapt=="):
        assert shown in errors


@pytest.mark.parametrize(("answer", "ends"), [("y\n", 0), ("\n", 2)])
def test_confirmation_at_a_terminal(api, tmp_path, answer, ends):
    """Only yes runs it; the plan has the id of the restored project."""
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
        output, errors = process.communicate(timeout=100)
    os.close(control)
    assert process.returncode == ends, errors
    assert "Run it? [y/N]" in errors
    assert "version:1 is project 2 (lemons, from ver. 1)" in errors
    assert bool(output) == (ends == 0)
    if ends:
        assert "nothing was run" in errors
        assert "lemons, from ver. 1" in errors


def test_only_listed_variables_reach_the_command(api, tmp_path, command, monkeypatch):
    """It has no token and no unrelated variable; recorded variables have their recorded values."""
    dump = tmp_path / "environment.json"
    app = APP + f"\njson.dump(dict(os.environ), open({str(dump)!r}, 'w'))\n"
    repo = Repository(tmp_path / "repo", app)
    repo.run("--project-id", "1", OMP_NUM_THREADS="3")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert command("reproduce", MODEL, "--run", "--yes")[0] == 0
    environment = json.loads(dump.read_text())
    assert set(SECRETS) & set(environment) == {"AUTOFLOW_TOKEN"}  # one of its own
    assert not {"user-token", "cloud-key", "our-token"} & set(environment.values())
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["AUTOFLOW_REPRODUCES"].startswith("task:1 ")


@pytest.fixture(params=DATABASES)
def guarded(request, tmp_path, monkeypatch):
    """`autoflow serve --auth` with a project of two images, and a token."""
    monkeypatch.chdir(tmp_path)
    with database_of(request) as url:
        server = Server.open(tmp_path / "served", url)
        token = server.tokens.create("ann", ["Team"])
        database = ["--database", url] if url is not None else []
        with serving("--auth", "--data", str(tmp_path / "served"), *database) as (_process, address, _lines):
            monkeypatch.setenv("AUTOFLOW_SERVER", address)
            monkeypatch.setenv("AUTOFLOW_TOKEN", token)
            filled = lemons()
            next(filled)
            yield server, token
            filled.close()
        server.close()


def dumping(path):
    """An app that dumps its environment and then runs `APP`."""
    return f"import json, os\njson.dump(dict(os.environ), open({str(path)!r}, 'w'))\n" + APP


def test_the_command_gets_a_restricted_token(guarded, tmp_path, command):
    """It can read and record, is not the user's, is never printed, and is revoked at the end."""
    server, token = guarded
    dump = tmp_path / "environment.json"
    Repository(tmp_path / "repo", dumping(dump)).run("--project-id", "1")
    assert json.loads(dump.read_text())["AUTOFLOW_TOKEN"] == token
    code, output, errors = command("reproduce", MODEL, "--run", "--yes", "--json")
    assert code == 0, errors
    assert json.loads(output)["equal"] is True
    assert "recorded by  ann" in errors
    assert "is revoked at the end" in errors
    environment = json.loads(dump.read_text())
    own = environment["AUTOFLOW_TOKEN"]
    assert token not in dump.read_text()
    assert environment["AUTOFLOW_HOME"] != os.environ.get("AUTOFLOW_HOME")
    assert not os.path.exists(environment["AUTOFLOW_HOME"])
    lock = (tmp_path / "autoflow.lock").read_text()
    assert not [text for text in (output, errors, lock) if own in text or token in text]
    assert [entry.task for entry in server.tokens.list()] == [None]
    with pytest.raises(NotAllowed, match="not valid"):
        server.tokens.caller(own)


def test_the_token_is_revoked_when_the_command_fails(guarded, tmp_path, command):
    """The token is revoked nevertheless."""
    server, _token = guarded
    broken = tmp_path / "broken"
    app = f"import os\nif os.path.exists({str(broken)!r}):\n    raise SystemExit(3)\n" + APP
    Repository(tmp_path / "repo", app).run("--project-id", "1")
    broken.touch()
    code, _, errors = command("reproduce", MODEL, "--run", "--yes")
    assert code == 2
    assert "exited with code 3" in errors
    assert "no token" not in errors.partition("exited with")[2]
    assert [entry.task for entry in server.tokens.list()] == [None]
