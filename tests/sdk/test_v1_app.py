"""An app of the first generation with a GUI, by the unmodified SDK: driven headless, as a page would.

Its part of the SDK needs protobuf 3.20, which `make soak` installs in a folder of its own.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from autoflow.server.server import Server
from autoflow.wire import methods
from tests.sdk.conftest import Sdk
from tests.sdk.test_workflow import arrows
from tests.serving import served

TASK = 61234
PROGRAM = pathlib.Path(__file__).with_name("v1_app.py")
PROTOBUF = PROGRAM.parents[2] / ".venv-protobuf"


def environment(url, project, folder):
    """Return the variables that a platform gives such an app."""
    return {
        **{name: value for name, value in os.environ.items() if "AUTOFLOW" not in name},
        "SERVER_ADDRESS": url,
        "API_TOKEN": "token",
        "AGENT_TOKEN": "token",
        "ENV": "production",
        "SUPERVISELY_TASK_ID": str(TASK),
        "TASK_ID": str(TASK),
        "TEAM_ID": "1",
        "WORKSPACE_ID": "1",
        "PROJECT_ID": str(project),
        "DEBUG_APP_DIR": str(folder / "app"),
        "DEBUG_CACHE_DIR": str(folder / "cache"),
        "SUPERVISELY_SKIP_HTTPS_USER_HELPER_CHECK": "1",
        "HOME": str(folder),
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python",
        "PYTHONPATH": f"{PROTOBUF}{os.pathsep}{PROGRAM.parents[2]}",
    }


@pytest.mark.soak
def test_an_app_with_a_gui_of_the_first_generation(sdk_process, tmp_path):
    """It counts what the GUI selects, shows and answers it, records both edges and stops; no method is missing."""
    if not PROTOBUF.is_dir():
        pytest.skip(f"{PROTOBUF.name} is not there: `make soak` makes it")
    server = Server.open(tmp_path / "home")
    with served(server) as url:
        sdk = Sdk(sdk_process, url)
        project = sdk("fill", count=5)["project"]
        command = [sys.executable, str(PROGRAM)]
        log = tmp_path / "log"
        with (
            log.open("w") as output,
            subprocess.Popen(
                command, env=environment(url, project, tmp_path), cwd=tmp_path, stdout=output, stderr=output
            ) as app,
        ):
            try:
                shown = sdk("drive_v1_app", task=None, app=TASK)
                assert app.wait(60) == 0, log.read_text()[-6000:]
            finally:
                app.kill()
    made = shown.pop("made")
    assert shown == {"answer": {"names": 2, "clicked": True}, "data": 2, "processing": False}
    assert server.call(methods.UNKNOWN_METHODS, {})["methods"] == [], log.read_text()
    assert {(source, target) for source, target in arrows(server, task=TASK)} >= {
        (f"project:{project}", f"task:{TASK}"),
        (f"task:{TASK}", f"project:{made}"),
    }
    server.close()
