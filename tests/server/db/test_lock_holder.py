"""Who holds up all writers of a SQLite store is told: its process, its command, and that it was stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from autoflow.cli.main import main
from autoflow.errors import ServerBusy
from autoflow.server.db import engine
from autoflow.server.db.lock_holder import find_lock_holder
from autoflow.server.server import Server

WRITER = """
import sqlite3, sys
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute("BEGIN IMMEDIATE")
print("writing", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    if not os.path.exists("/proc/locks"):
        pytest.skip("needs /proc")
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path))
    monkeypatch.setattr(engine, "_PRAGMAS", ("PRAGMA busy_timeout=1",))
    monkeypatch.setattr(engine, "LOCK_TIMEOUT", 0.001)
    return tmp_path


@pytest.fixture
def writer(home):
    """A process in the middle of a write."""
    Server.open(home / "platform").close()
    path = str(home / "platform" / "platform.db")
    command = [sys.executable, "-c", WRITER, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def test_a_stopped_writer_is_named(home, writer, capsys, caplog):
    """The error, the log and `doctor` say which process to wake; once it goes on there is nothing to say."""
    path = str(home / "platform" / "platform.db")
    server = Server.open(home / "platform")
    with pytest.raises(ServerBusy, match=f"process {writer.pid} .* is writing"):
        server.call("projects.add", {"workspaceId": 1, "name": "x"})
    os.kill(writer.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, writer.pid, os.WSTOPPED | os.WNOWAIT)
    with pytest.raises(ServerBusy, match=f"kill -CONT {writer.pid}"):
        server.call("projects.add", {"workspaceId": 1, "name": "x"})
    assert any(f"process {writer.pid}" in line for line in caplog.messages)
    main(["doctor"])
    assert f"kill -CONT {writer.pid}" in capsys.readouterr().out
    os.kill(writer.pid, signal.SIGCONT)
    writer.stdin.close()
    writer.wait(60)
    server.call("projects.add", {"workspaceId": 1, "name": "x"})
    assert find_lock_holder(path) is None
    server.close()


def test_doctor_finds_damage(home, capsys):
    """A damaged database of the embedded server is a finding, with the command that inspects it."""
    Server.open(home / "platform").close()
    main(["doctor"])
    assert "no damage found" in capsys.readouterr().out
    with open(home / "platform" / "platform.db", "r+b") as file:
        file.write(b"\0" * 100)
    assert main(["doctor"]) == 1
    assert "autoflow server recover" in capsys.readouterr().out
