"""Reproduction of the demo's model with equal bytes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autoflow import Api
from autoflow.cli.main import main
from autoflow.runtime import destination

pytest.importorskip("sklearn")

EXAMPLES = Path(__file__).parents[2] / "examples"
IMAGES = 100  # of the demo's 1,797: the same code, sooner


def git(folder, *arguments):
    line = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@x", *arguments]
    subprocess.run(line, check=True, capture_output=True)


def import_digits(api, folder):
    """Import fewer digits than the demo's app does."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    project = api.project.create(1, "digits")
    kinds = {"name": "digit", "value_type": "oneof_string", "values": [str(digit) for digit in range(10)]}
    tag = api.project.update_meta(project.id, {"classes": [], "tags": [kinds]})["tags"][0]
    dataset = api.dataset.create(project.id, "train")
    pixels, digits = load_digits(return_X_y=True)
    files = []
    for number in range(IMAGES):
        files.append(folder / f"{digits[number]}_{number:04d}.png")
        Image.fromarray((pixels[number].reshape(8, 8) * 15).astype(np.uint8)).save(files[-1])
    images = api.image.upload_paths(dataset.id, [file.name for file in files], [str(file) for file in files])
    for digit in kinds["values"]:
        api.image.add_tag_batch([image.id for image in images if image.name[0] == digit], tag["id"], digit)
    return project


@pytest.mark.parametrize("named", [True, False])
def test_the_digits_model_is_reproduced(named, tmp_path, monkeypatch, capsys):
    """By its trace: the version it was trained on is restored, the commit's code run, and the sha256 are equal.

    Whether the project is named on the command line or found by the app.
    """
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.chdir(tmp_path)
    destination.reset()
    api = Api()
    (tmp_path / "pictures").mkdir()
    project = import_digits(api, tmp_path / "pictures")
    repo = tmp_path / "repo"
    repo.mkdir()
    shutil.copy(EXAMPLES / "2_train.py", repo)
    git(repo, "init", "-q")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "the demo's training")
    line = [sys.executable, "2_train.py", *(["--project-id", str(project.id)] if named else [])]
    subprocess.run(line, cwd=repo, env=dict(os.environ), check=True, capture_output=True)
    dataset = api.dataset.get_list(project.id)[0]
    api.image.upload_paths(dataset.id, ["later.png"], [str(next((tmp_path / "pictures").iterdir()))])

    code = main(["reproduce", "/digits/weights.npz", "--run", "--yes", "--json"])
    result = json.loads(capsys.readouterr().out)
    assert (code, result["equal"]) == (0, True)
    (weights,) = [row for row in result["compared"] if row["side"] == "output"]
    assert weights["recorded"] == weights["reproduced"]
    assert len(weights["recorded"]) == 64
    assert [row["verdict"] for row in result["compared"] if row["side"] == "input"] == ["read"]
    api.transport.close()
