"""The SDK's training template, unmodified: the version that it reads and the folder that it writes are recorded."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

from autoflow.server.server import Server
from autoflow.wire import methods
from tests.sdk.conftest import Sdk
from tests.sdk.test_workflow import arrows
from tests.serving import served

TASK = 52345
PROGRAM = pathlib.Path(__file__).with_name("train_app.py")


def trained(url, project, folder):
    """Run the training in a process of its own; return what it logged."""
    environment = {
        **{name: value for name, value in os.environ.items() if "AUTOFLOW" not in name},
        "SERVER_ADDRESS": url,
        "API_TOKEN": "token",
        "ENV": "production",
        "APP_NAME": "Train Toy",
        "SUPERVISELY_TASK_ID": str(TASK),
        "TASK_ID": str(TASK),
        "TEAM_ID": "1",
        "WORKSPACE_ID": "1",
        "PROJECT_ID": str(project),
        "SUPERVISELY_SKIP_HTTPS_USER_HELPER_CHECK": "1",
        "SLY_APP_DATA_DIR": str(folder / "data"),
        "HOME": str(folder),
        "PYTHONPATH": str(PROGRAM.parents[2]),
    }
    command = [sys.executable, str(PROGRAM), str(folder / "work")]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout + done.stderr


def test_a_training_by_the_template_runs_to_its_end(sdk_process, tmp_path):
    """It asks for no method that is missing, keeps its split as two collections, and draws both edges."""
    server = Server.open(tmp_path / "home")
    with served(server) as url:
        project = Sdk(sdk_process, url)("fill", count=5)["project"]
        log = trained(url, project, tmp_path)
    assert server.call(methods.UNKNOWN_METHODS, {})["methods"] == [], log
    collections = server.call("entities-collections.list", {"projectId": project})["entities"]
    assert sorted(entry["itemsCount"] for entry in collections) == [2, 3]
    (version,) = server.call("projects.versions.list", {"projectId": project})["entities"]
    folder = f"/experiments/{project}_lemons/{TASK}_Toy/checkpoints"
    assert {(source, target) for source, target in arrows(server, task=TASK) if f"task:{TASK}" in {source, target}} == {
        (f"project_version:{version['id']}", f"task:{TASK}"),
        (f"task:{TASK}", f"folder:{folder}"),
    }
    files = server.call("file-storage.list", {"teamId": 1, "path": folder})
    assert {entry["name"] for entry in files} == {"epoch_0.pth", "epoch_1.pth"}
    server.close()
