"""Celery: real workers, over a broker made of files; a task is in the run that sent it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("celery")

# real workers poll a broker of files for their tasks, and a result is waited for 60 s at most
pytestmark = pytest.mark.timing

PROJECT = """
import os
import threading
import time
from celery import Celery, chain
from kombu.transport.filesystem import Channel
import autoflow
from autoflow import current_run, workflow, workflow_input

app = Celery("shop", broker="filesystem://", backend="file://results", broker_connection_retry_on_startup=True)
app.conf.broker_transport_options = {name: "queue" for name in ("data_folder_in", "data_folder_out", "control_folder")}
app.conf.broker_transport_options["polling_interval"] = 0.05

# kombu writes a message where readers already look, and a worker that reads half of one ends: rename it there instead
def staging(channel=None):
    folder = f"staging/{os.getpid()}-{threading.get_ident()}"
    os.makedirs(folder, exist_ok=True)
    return folder

def put(channel, *args, put=Channel._put, **options):
    put(channel, *args, **options)
    for name in os.listdir(staging()):
        os.replace(f"{staging()}/{name}", f"queue/{name}")

Channel.data_folder_out, Channel._put = property(staging), put

@app.task
@workflow_input("project")
def load(project_id):
    return project_id

@app.task
def slow(project_id):
    time.sleep(0.5)
    return load(project_id)

@app.task(bind=True, max_retries=1)
def retried(self, project_id):
    if not self.request.retries:
        raise self.retry(countdown=0)
    return load(project_id)

@app.task
def fail(project_id):
    load(project_id)
    raise ValueError(f"no {project_id}")

@app.task
def own_run(project_id):
    with workflow("own") as run:
        load(project_id)
    return run.key

@app.task
def show(**keywords):
    return keywords, sorted(show.request.headers or {}), current_run().name
"""

MAIN = """
import json
import proj
from autoflow import workflow

def wait(result):
    return result.get(timeout=60, interval=0.05)

keys = {}
wait(proj.load.delay(1))
with workflow("A") as run:
    keys["A"] = run.key
    assert wait(proj.load.delay(2)) == 2
    assert wait(proj.load.apply_async((3,), headers={"mine": "x"})) == 3
    assert wait(proj.chain(proj.load.s(4), proj.load.s())()) == 4
    assert wait(proj.retried.delay(5)) == 5
    try:
        wait(proj.fail.delay(6))
    except ValueError as error:
        assert str(error) == "no 6"
    keys["own"] = wait(proj.own_run.delay(7))
    assert proj.load.apply((8,)).get() == 8
with workflow("B") as run:
    keys["B"] = run.key
    assert wait(proj.load.delay(9)) == 9
with workflow("C") as run:
    keys["C"] = run.key
    late = proj.slow.delay(10)
wait(late)
wait(proj.load.delay(11))
print(json.dumps(keys))
"""


class Shop:
    """The app's folder, with a worker."""

    def __init__(self, script):
        self.folder, self.script = script.folder, script
        for name in ("queue", "results"):
            (self.folder / name).mkdir()
        (self.folder / "proj.py").write_text(PROJECT)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "AUTOFLOW_HOME": str(script.home),
            "AUTOFLOW_SERVER": "http://127.0.0.1:9",
            "AUTOFLOW_EXIT_FLUSH": "0",
        }

    @contextlib.contextmanager
    def worker(self, *options):
        """A worker while the block runs; then it is asked to shut down."""
        command = [sys.executable, "-m", "celery", "-A", "proj", "worker", "--without-mingle", "--without-gossip"]
        with (self.folder / "worker.log").open("w") as log:
            worker = subprocess.Popen(
                [*command, "--loglevel=INFO", *options], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
            try:
                self._wait_for("ready.")
                yield worker
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(60) == 0, self.log
            finally:
                worker.kill()
                worker.wait()

    @property
    def log(self):
        return (self.folder / "worker.log").read_text()

    def _wait_for(self, text):
        until = time.monotonic() + 60
        while text not in self.log:
            assert time.monotonic() < until, self.log
            time.sleep(0.05)

    def run(self, text):
        """Run a program beside the worker, and return what it printed."""
        process = subprocess.run(
            [sys.executable, "-c", text],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert process.returncode == 0, process.stderr + self.log
        return json.loads(process.stdout)


@pytest.fixture
def shop(script):
    """An app with tasks."""
    return Shop(script)


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_a_task_is_in_the_run_that_sent_it(shop, pool):
    """Also a chain's second task, a retry, a failure; a task of a run that is over is in no run of somebody else's."""
    with shop.worker("--pool", pool, "--concurrency", "1" if pool == "solo" else "2"):
        keys = shop.run(MAIN)
    names = {key: name for name, key in keys.items()}
    records = shop.script.records()
    for record in records:
        if record["type"] == "run":
            names.setdefault(record["run"], "unattributed" if record.get("unattributed") else "implicit")
    edges = {}
    for record in records:
        if record["type"] == "edge":
            edges.setdefault(record["subject"]["id"], []).append(names[record["run"]])
    expected = dict.fromkeys((2, 3, 4, 5, 6, 8), "A")
    expected |= {1: "implicit", 7: "own", 9: "B", 10: "unattributed", 11: "implicit"}
    assert {number: set(runs) for number, runs in edges.items()} == {n: {name} for n, name in expected.items()}


def test_a_warm_shutdown_ends_a_workers_runs_in_good_order(shop):
    """The run of what belongs to none is the app's by name, and not lost."""
    with shop.worker("--concurrency", "1"):
        shop.run("import proj; print(proj.load.delay(1).get(timeout=60, interval=0.05))")
    records = shop.script.records()
    (begun,) = [record for record in records if record["type"] == "run"]
    (ended,) = [record for record in records if record["type"] == "finish"]
    assert (begun["name"], ended["state"]) in {("proj", "finished"), ("proj", "ended")}
    assert begun["run"] == ended["run"]


def test_a_celery_task_does_not_see_the_header(shop):
    """Its arguments are the sender's; with `AUTOFLOW_PROPAGATE=0` not even a header is added."""
    send = "import json, proj; from autoflow import workflow\nwith workflow('A'):\n    result = proj.show.delay(a=1)"
    send += ".get(timeout=60, interval=0.05)\nprint(json.dumps(result))"
    with shop.worker("--concurrency", "1"):
        keywords, _, name = shop.run(send)
        assert (keywords, name) == ({"a": 1}, "A")
        shop.environment["AUTOFLOW_PROPAGATE"] = "0"
        keywords, headers, name = shop.run(send)
    assert (keywords, name) == ({"a": 1}, "proj")
    assert "autoflow_run" not in headers
