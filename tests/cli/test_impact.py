"""``autoflow impact`` and `Api.impact`: a local image is known by its bytes, and the output has every form."""

from __future__ import annotations

import csv
import io
import json

import pytest

import autoflow
from autoflow import Api
from autoflow.process.os_user import user_at_host

pytest.importorskip("PIL")


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """An embedded server with a training on a project that has the image ``lemon.png``."""
    from PIL import Image

    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (3, 2), (250, 220, 0)).save("lemon.png")
    Image.new("RGB", (3, 2)).save("other.png")
    api = Api()
    project = api.project.create(1, "Lemons")
    dataset = api.dataset.create(project.id, "ds")
    api.image.upload_path(dataset.id, "lemon.png", "lemon.png")
    with autoflow.workflow("Train") as run:
        run.input("project", project.id)
        run.output("folder", "/models/1")
    autoflow.flush()
    return project.id


def test_a_local_image_is_followed_to_what_was_made_from_it(trained, command):
    """As a tree, JSON, a table of all results, and a graph."""
    code, text, errors = command("impact", "./lemon.png")
    assert (code, errors) == (0, "")
    assert "lemon.png" in text
    assert "Lemons, project:1, dataset:1, image:1" in text
    assert "Train" in text
    assert "/models/1" in text
    answer = json.loads(command("impact", "./lemon.png", "--json")[1])
    assert (answer["complete"], answer["images"][0]["projectId"]) == (True, trained)
    rows = list(csv.DictReader(io.StringIO(command("impact", "image:1", "--csv")[1])))
    assert [(row["type"], row["made_by"], row["created_by"]) for row in rows] == [
        ("task", "", user_at_host()),
        ("folder", rows[0]["ref"], user_at_host()),
    ]
    assert "Train" in command("impact", "project:1", "--format", "mermaid")[1]
    assert Api().impact("dataset:1/lemon.png").ref == "dataset:1/lemon.png"


def test_a_local_image_that_no_project_has_is_not_known(trained, command):
    """Exit code 1, and the sha256 that was asked for."""
    code, _, errors = command("impact", "./other.png")
    assert code == 1
    assert "image" in errors
    assert command("impact", "./missing.png")[0] == 1
