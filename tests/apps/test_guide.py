"""An app as the guide lays it out, with ``import autoflow as sly`` in place of the SDK's import."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

import autoflow
from tests.recording import EDGES, Recording, World

pytestmark = [pytest.mark.core, pytest.mark.slow]

APP = pathlib.Path(__file__).parent / "guide"
ARCHIVE = "/exports/52345_lemons.tar"
WORLD = {
    "tasks": {"52345": {"id": 52345, "teamId": 9, "workspaceId": 8, "meta": {"app": {"id": 321}}}},
    "files": [{"id": 9001, "path": ARCHIVE}],
    "projects": {"101": {"id": 101, "name": "lemons"}, "202": {"id": 202, "name": "lemons_out"}},
}
CARD = {
    "title": f"<h4>Archive of the project: {os.path.basename(ARCHIVE)}</h4>",
    "description": "<small>COCO format</small>",
    "icon": {"icon": "zmdi-archive", "color": "#ff4c9e", "backgroundColor": "#ffe3ed"},
    "mainLink": {"url": "/files/9001/true/?teamId=9", "title": "Download"},
}


@pytest.fixture
def instance():
    with Recording(World(9, WORLD)).running() as recording:
        yield recording


def run_app(instance, **environment):
    """Run the app as its own process; what it wrote to its log."""
    environment_variables = {
        **os.environ,
        "SERVER_ADDRESS": instance.url,
        "API_TOKEN": "token",
        "SUPERVISELY_TASK_ID": "52345",
        "TEAM_ID": "9",
        "PROJECT_ID": "101",
        **environment,
    }
    command = [sys.executable, "-W", "error", str(APP / "main.py")]
    done = subprocess.run(command, env=environment_variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr


def posted(instance):
    """(task, direction, type, id, card) of each edge."""
    return [
        (
            entry.body["node"]["id"],
            entry.endpoint.rpartition("-")[2],
            entry.body["type"],
            entry.body["id"],
            entry.body.get("meta", {}).get("customRelationSettings"),
        )
        for entry in instance.edges
    ]


def test_in_production_its_edges_reach_the_instance(instance):
    """Project in, project and archive out, the archive with its card; leaving the process waits for the delivery."""
    run_app(instance, ENV="production", RESULT_ID="202", ARCHIVE_PATH=ARCHIVE)
    assert posted(instance) == [
        (52345, "input", "project", 101, None),
        (52345, "output", "project", 202, None),
        (52345, "output", "file", 9001, CARD),
    ]


def test_without_a_result_it_says_so_and_adds_nothing(instance):
    """The guide's warning; the input is there all the same."""
    log = run_app(instance, ENV="production")
    assert "neither a project nor a file came out" in log
    assert posted(instance) == [(52345, "input", "project", 101, None)]


def test_in_development_the_instance_stays_clean(instance):
    """The app reads its project from the instance and records elsewhere: nothing of the workflow is posted there."""
    run_app(instance, RESULT_ID="202", ARCHIVE_PATH=ARCHIVE, AUTOFLOW_EXIT_FLUSH="0")
    assert "projects.info" in instance.lookups
    assert not [request for request in instance.requests if request.endpoint in EDGES]
    assert autoflow.status()["recorded"] > 0
