"""The help of the command line, and the end of commands that are interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from autoflow.cli.parsing import GROUPS


def test_commands_are_listed_by_what_they_are_for(command, monkeypatch, capsys):
    """Each command has its line under a heading and begins its own help; no line is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", "60")
    code, text, _ = command()
    assert code == 2
    assert all(f"\n{title}:\n" in text for title in GROUPS)
    assert max(map(len, text.splitlines())) <= 60
    (choices,) = (line for line in _refused(command, capsys, "vresions").splitlines() if "invalid choice" in line)
    assert choices.endswith("did you mean 'versions'?")
    for name in (name for names in GROUPS.values() for name in names):
        assert f"\n  {name} " in text
        assert name in choices
    assert choices.count(", ") + 1 == sum(map(len, GROUPS.values()))
    with pytest.raises(SystemExit):
        command("push", "--help")
    assert "Copy a whole store to a server" in capsys.readouterr().out


def test_ctrl_c_ends_a_command_without_a_traceback(tmp_path):
    """It exits as a process that SIGINT ended."""
    pipe = tmp_path / "refs"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "autoflow.cli.main", "erase", "--list", str(pipe)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    with open(pipe, "w", encoding="utf-8"):  # returns when the command has opened it, too
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "autoflow: interrupted\n")


def _refused(command, capsys, name):
    with pytest.raises(SystemExit):
        command(name)
    return capsys.readouterr().err
