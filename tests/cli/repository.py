"""A git repository with an app for tests of `autoflow reproduce`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

APP = '''
import argparse
import json
import os
import sys
import tempfile

from autoflow import Api, versioned, workflow, workflow_input, workflow_output

api = Api.from_env()


@versioned(title="Train")
@workflow_input("project")
def load(project_id):
    """Return the names and contents of all images."""
    datasets = api.dataset.get_list(project_id)
    return sorted((image.name, image.hash) for dataset in datasets for image in api.image.get_list(dataset.id))


@workflow_output("file", model_weight=True)
def save(model, path):
    """Upload a model."""
    with tempfile.TemporaryDirectory() as scratch:
        local = os.path.join(scratch, "model.json")
        with open(local, "w") as file:
            file.write(model)
        return api.file.upload(1, local, path)


parser = argparse.ArgumentParser()
parser.add_argument("--project-id", type=int, default=1)
parser.add_argument("--weights")
parser.add_argument("--fail", action="store_true")
args = parser.parse_args()

with workflow("Train", parameters=vars(args)) as run:
    if args.weights:
        run.input("file", args.weights, model_weight=True)
        weights_file = api.file.get_info_by_path(1, args.weights)
        print("starting from", weights_file.hash)
    project = api.project.get_info_by_id(args.project_id)
    content = [load(args.project_id), os.environ.get("NOISE_PATH"), weights_file.hash if args.weights else None]
    save(json.dumps(content), f"/models/{project.name}/model.json")
'''


def git(folder, *arguments):
    """Run git and return its output."""
    line = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@x", *arguments]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


class Repository:
    """A folder with an app under git.

    Args:
        folder: where; made.
        app: the text of ``train.py``.
    """

    def __init__(self, folder: Path, app: str = APP) -> None:
        self.folder = folder
        folder.mkdir()
        git(folder, "init", "-q")
        (folder / "train.py").write_text(app)
        self.commit("first")

    def commit(self, message):
        """Commit all files."""
        git(self.folder, "add", ".")
        git(self.folder, "commit", "-q", "-m", message)

    def run(self, *arguments, script="train.py", **environment):
        """Run the app in a subprocess."""
        done = subprocess.run(
            [sys.executable, script, *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
