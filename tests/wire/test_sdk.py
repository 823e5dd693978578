"""The real `supervisely` package and autoflow, side by side on one instance."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest

import autoflow
from tests.recording import Recording
from tests.wire.golden import CASES, call, numbered, world
from tests.wire.test_golden import OTHERWISE, PLAIN

ROOT = pathlib.Path(__file__).parents[2]
METHODS = {
    *(f"add_input_{kind}" for kind in ("project", "dataset", "file", "folder", "task", "job")),
    *(f"add_output_{kind}" for kind in ("project", "dataset", "file", "folder", "task", "job", "app")),
}
ALIKE = [name for name in PLAIN if name not in OTHERWISE]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("supervisely") is None,
    reason="the package supervisely is not installed for this interpreter: pip install 'autoflow-lineage[sdk]'",
)


@pytest.fixture
def instance():
    with Recording(world()).running() as recording:
        yield recording


def run_app(mode, instance, argument=""):
    """Run `sdk_app` as an app on the instance, in production."""
    environment = {
        **os.environ,
        "ENV": "production",
        "SERVER_ADDRESS": instance.url,
        "API_TOKEN": "token",
        "SUPERVISELY_TASK_ID": "55",
        "TEAM_ID": "7",
        "SUPERVISELY_SKIP_HTTPS_USER_HELPER_CHECK": "1",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.wire.sdk_app", mode],
        cwd=ROOT,
        env=environment,
        input=argument,
        capture_output=True,
        text=True,
        timeout=100,
    )
    if "supervisely cannot be imported" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr


def test_all_thirteen_methods_post_alike(instance, monkeypatch):
    """The same calls by the SDK and by autoflow are the same posts, but that a task's number is a number."""
    monkeypatch.setenv("SUPERVISELY_TASK_ID", "55")
    assert {CASES[name]["call"]["method"] for name in ALIKE} == METHODS
    run_app("calls", instance, json.dumps(ALIKE))
    theirs = [(request.endpoint, numbered(request.body)) for request in instance.edges]
    workflow = autoflow.Api(instance.url, "token").app.workflow
    for name in ALIKE:
        call(workflow, CASES[name], autoflow)
    assert autoflow.flush(60)
    ours = [(request.endpoint, request.body) for request in instance.edges[len(theirs) :]]
    assert len(theirs) > 300
    differing = [pair for pair in zip(ours, theirs, strict=True) if json.dumps(pair[0]) != json.dumps(pair[1])]
    assert differing == []


def test_an_app_uses_the_sdks_objects_and_autoflows_decorators(instance):
    """The SDK's Api gives the run its server and its task; its infos are values like any other."""
    run_app("beside", instance)
    edges = [(entry.body["node"]["id"], entry.body["type"], entry.body["id"]) for entry in instance.edges]
    assert edges == [(55, "project", 501), (55, "dataset", 601), (55, "model_weight", 1001), (55, "file", 1001)]
    link = instance.edges[-1].body["meta"]["customRelationSettings"]["mainLink"]
    assert link == {"url": "/files/1001/true/?teamId=7", "title": "Download"}
