"""Fixtures: faulty servers, processes, folders and small disks."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap

import pytest

from tests.reliability.disks import ON_A_SMALL_DISK, run
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
def app(tmp_path, server):
    """Scripts in processes of their own that record to `server`."""
    new_app = App(tmp_path, server)
    yield new_app
    new_app.stop()


@pytest.fixture
def folder(tmp_path):
    """A folder for journals, the user's alone."""
    path = tmp_path / "journals"
    path.mkdir(mode=0o700)
    return str(path)


@pytest.fixture
def small_disk(tmp_path):
    """Run a script whose outbox is on a real file system of 256 KiB, or of few files."""
    mount = tmp_path / "small"
    mount.mkdir()

    def do(script, options="size=256k"):
        command = f'mount -t tmpfs -o mode=0700,{options} none {mount} && exec "$@"'
        unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
        if not shutil.which("unshare") or subprocess.run([*unshare, "sh", "-c", command, "sh", "true"]).returncode:
            pytest.skip("mounting a small file system is not permitted here")
        text = ON_A_SMALL_DISK + textwrap.dedent(script)
        return run(
            text,
            *unshare,
            "sh",
            "-c",
            command,
            "sh",
            AUTOFLOW_HOME=str(mount / "autoflow"),
            AUTOFLOW_EXIT_FLUSH="0",
            SUPERVISELY_TASK_ID="55",
        )

    return do
