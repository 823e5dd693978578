"""``autoflow erase`` and ``autoflow retention``: nothing happens before ``--yes``, and the report can be verified."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
from pathlib import Path

import pytest

import autoflow
from autoflow import Api, settings
from autoflow.datasets.cache_store import cache_files
from autoflow.outbox.status import destinations

pytest.importorskip("PIL")


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """An embedded server with a training on a project that has the image ``lemon.png``."""
    from PIL import Image

    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (3, 2), (250, 220, 0)).save("lemon.png")
    api = Api()
    project = api.project.create(1, "Lemons")
    dataset = api.dataset.create(project.id, "ds")
    api.image.upload_path(dataset.id, "lemon.png", "lemon.png")
    version = api.project.version.create(project.id, "first")
    with autoflow.workflow("Train") as run:
        run.input("project", project.id)
        run.output("folder", "/models/1")
    autoflow.flush()
    return version


def test_an_image_is_erased_after_a_dry_run(trained, command, caplog):
    """By a local file or a list; the dry run shows where it is and what was made of it, the report is signed."""
    version = trained
    Path("list.txt").write_text("# asked for today\n./lemon.png\n")
    code, text, errors = command("erase", "--list", "list.txt")
    assert (code, errors) == (0, "")
    for line in ("image:1  lemon.png (project:1)", "1 images", "1 versions", "task:1  Train", "/models/1", "--yes"):
        assert line in text
    assert json.loads(command("erase", "./lemon.png", "--json")[1])["names"] == ["lemon.png"]
    assert Api().image.get_list(1)

    Path("lemons").mkdir()
    Path("lemon.png").rename("lemons/lemon.png")
    assert command("versions", "create", "lemons")[0] == 0
    assert any(b"lemon.png" in Path(path).read_bytes() for path in cache_files())
    Path("lemons/lemon.png").rename("lemon.png")
    ((_, folder),) = destinations()
    Path(folder, "dead").write_text('{"path": "/data/lemon.png"}')
    code, text, errors = command("erase", "./lemon.png", "--yes", "--reason", "asked", "--report", "report.json")
    assert (code, errors) == (0, "")
    assert "Erasure 1 of team 1 is complete: " in text
    assert "Journals of this machine name it: " in text
    assert f"  {folder}/dead\n" in text
    assert Api().image.get_list(1) == []
    assert not any(b"lemon.png" in Path(path).read_bytes() for path in cache_files())
    assert command("versions", "verify")[0] == 0
    assert command("versions", "restore", f"version:{version}")[0] == 0
    assert "1 image was erased" in caplog.text

    assert command("erase", "--verify", "report.json")[0] == 0
    assert command("erase", "--verify", "report.json", "--json")[1] == '{"valid": true}\n'
    code, _, errors = command("erase", "--verify", "list.txt")
    assert (code, errors) == (1, "autoflow: list.txt is not a report as it was signed\n")
    report = json.loads(Path("report.json").read_text())
    assert [entry["report"] for entry in json.loads(command("erase", "--reports")[1])] == [report]
    Path("report.json").write_text(json.dumps({**report, "team": 2}))
    assert command("erase", "--verify", "report.json")[0] == 1
    errors = command("versions", "create", ".", "--name", "Again")[2]
    assert re.search(r"/lemon\.png': the content .* was erased from team 1", errors), errors
    assert command("erase", "--resume")[:2] == (0, "Everything that was begun is erased.\n")
    assert command("erase")[0] == 1


def test_rules_of_retention_are_shown_before_they_are_applied(trained, command):
    """Both kinds have a rule; nothing is old yet."""
    code, text, _ = command("retention", "--logs", "90", "--versions", "365")
    assert code == 0
    assert text.splitlines()[:-1] == [
        "logs of team 1 are kept 90 days; 0 are older",
        "versions of team 1 are kept 365 days; 0 are older",
    ]
    assert text.splitlines()[-1].startswith("Servers remove what is older once a day, next ")
    assert command("retention", "--yes")[1] == "Nothing is older than it is kept.\n"
    assert json.loads(command("retention", "--logs", "0", "--json")[1])["rules"] == {"versions": 365}


def test_the_first_use_of_a_day_applies_the_rules(trained, command):
    """In a thread, which the call that met them does not wait for."""
    command("retention", "--logs", "90")
    with contextlib.closing(sqlite3.connect(Path(settings.home(), "platform", "platform.db"))) as database, database:
        database.execute("UPDATE retention_rules SET next_at = '2020-01-01T00:00:00.000Z'")
        database.execute("INSERT INTO logs (task_id, at, lines) VALUES (1, '2020-01-01T00:00:00.000Z', '[]')")
    Api().transport._look_at = 0.0
    command("runs")
    for thread in threading.enumerate():
        if thread.name == "autoflow-retention":
            thread.join(60)
    (entry,) = json.loads(command("audit", "--action", "retention.apply", "--json")[1])
    assert entry["after"] == "1 rows of logs, 0 versions"
