"""A server, and the command line in this process."""

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
def _local_disk(monkeypatch):
    """A local file system, whatever this machine has."""
    monkeypatch.setattr(file_system, "file_system_type", lambda folder: "ext4")


@pytest.fixture
def server(monkeypatch):
    with FaultyServer("server") as running:
        monkeypatch.setenv("AUTOFLOW_SERVER", running.address)
        monkeypatch.setenv("AUTOFLOW_TOKEN", TOKEN)
        yield running


@pytest.fixture
def record():
    """A function that records reads of projects in another process, which ends before it sends them."""

    def run(*project_ids):
        child = os.fork()
        if child == 0:
            try:
                threads.start = lambda target, name: None  # no sender, which might be fast enough to send them
                with autoflow.workflow("app", log=False):
                    for project_id in project_ids:
                        load(project_id)
            finally:
                os._exit(0)
        os.waitpid(child, 0)

    return run


@pytest.fixture
def command(capsys):
    """A function that runs a command and returns its exit code, output and errors."""

    def run(*arguments):
        destination.reset()
        capsys.readouterr()
        code = main(arguments)
        output = capsys.readouterr()
        assert TOKEN not in output.out + output.err
        return code, output.out, output.err

    return run
