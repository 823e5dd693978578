"""A server and the command line, in this process."""

from __future__ import annotations

import os

import pytest

import autoflow
from autoflow.cli.main import main
from autoflow.process import threads
from autoflow.runtime import destination
from autoflow.server.blobs import file_system
from autoflow.testing import FaultyServer

TOKEN = "secret-token-0123456789"


@autoflow.workflow_input("project")
def load(project_id):
    """An app's function."""


@pytest.fixture(autouse=True)
def _calm(monkeypatch):
    """A disk there is nothing to say of, whatever this machine's is."""
    monkeypatch.setattr(file_system, "file_system_type", lambda folder: "ext4")


@pytest.fixture
def server(monkeypatch):
    with FaultyServer("server") as running:
        monkeypatch.setenv("AUTOFLOW_SERVER", running.address)
        monkeypatch.setenv("AUTOFLOW_TOKEN", TOKEN)
        yield running


@pytest.fixture
def record():
    """Have another process record reads of some projects, and die before it sends them."""

    def do(*numbers):
        child = os.fork()
        if child == 0:
            try:
                threads.start = lambda target, name: None  # no sender: on a busy machine it would be quick enough
                with autoflow.workflow("app", log=False):
                    for number in numbers:
                        load(number)
            finally:
                os._exit(0)
        os.waitpid(child, 0)

    return do


@pytest.fixture
def command(capsys):
    """Run a command: its exit code, and what it printed."""

    def run(*arguments):
        destination.reset()
        capsys.readouterr()
        code = main(arguments)
        printed = capsys.readouterr()
        assert TOKEN not in printed.out + printed.err
        return code, printed.out, printed.err

    return run
