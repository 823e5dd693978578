"""Servers that can be told to misbehave, and a way to send a test's records to them."""

from __future__ import annotations

import pytest

from tests.reliability.kit import TOKEN
from tests.reliability.processes import App


@pytest.fixture
def towards(monkeypatch):
    """Send this test's records to a server, or to an address."""

    def send(server):
        monkeypatch.setenv("AUTOFLOW_SERVER", server if isinstance(server, str) else server.address)
        monkeypatch.setenv("AUTOFLOW_TOKEN", TOKEN)
        monkeypatch.setenv("SUPERVISELY_TASK_ID", "55")

    return send


@pytest.fixture
def app(tmp_path, platform):
    """Scripts in processes of their own that record to `platform`."""
    found = App(tmp_path, platform)
    yield found
    found.stop()


@pytest.fixture
def folder(tmp_path):
    """A folder for journals, the user's alone."""
    path = tmp_path / "journals"
    path.mkdir(mode=0o700)
    return str(path)
