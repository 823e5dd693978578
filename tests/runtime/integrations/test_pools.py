"""loky, joblib and Dask: every record is in the run whose code caused it, whenever the pool was made."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys

import pytest

from autoflow import workflow, workflow_input
from autoflow.runtime.propagation import carry
from tests.runtime.integrations import scenarios
from tests.runtime.integrations.apps import environment_of, play

POOLS = {
    "loky_executor": "loky",
    "loky_map": "loky",
    "joblib": "joblib",
    "joblib_threads": "joblib",
    "joblib_processes": "joblib",
    "dask_submit": "distributed",
    "dask_map": "distributed",
    "dask_delayed": "distributed",
    "dask_threads": "distributed",
}


@pytest.mark.parametrize("pool", POOLS)
def test_every_record_is_in_the_run_that_caused_it(tmp_path, server, pool):
    """Of a pool made before, in, and used after a run, of overlapping runs, of failures, of tasks left behind."""
    if importlib.util.find_spec(POOLS[pool]) is None:
        pytest.skip(f"needs {POOLS[pool]}")
    keys = play(sys.executable, "pools.py", pool, environment_of(tmp_path, server.address))
    counts = scenarios.check(server.records, keys)
    assert counts["third"] == counts["fourth"] == 10
    assert {record["name"] for record in server.records if record["type"] == "run"} == {*keys, "pools"}
    if pool != "joblib_processes":  # a pool of multiprocessing's that is terminated before the app enters `workflow`
        assert scenarios.lost(server.records) == []


def test_switched_off_nothing_is_carried(tmp_path, server):
    """With `AUTOFLOW_PROPAGATE=0` the app's pools get its functions as they are; nothing is in a wrong run either."""
    pytest.importorskip("loky")
    environment = environment_of(tmp_path, server.address, AUTOFLOW_PROPAGATE="0")
    keys = play(sys.executable, "pools.py", "loky_executor", environment)
    edges = {record["entity"]["id"]: record["run"] for record in server.edges}
    later = {edges[number] for number in (*scenarios.SECOND, *scenarios.AFTERWARDS)}
    assert not later & {key for name, key in keys.items() if name != "second"}


DASK = """
import distributed
from autoflow import workflow, workflow_input

@workflow_input("project")
def load(project_id):
    return project_id

async def wait(project_id):
    return load(project_id)

class Counter:
    def load(self, project_id):
        return load(project_id)

if __name__ == "__main__":
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        plain = client.submit(load, 1)
        plain.result()
        with workflow("A") as run:
            carried = client.submit(load, 1)
            assert carried.key == plain.key and carried.key.startswith("load-"), (carried.key, plain.key)
            assert carried.result() == 1
            waits = client.submit(wait, 2)
            assert waits.key.startswith("wait-") and waits.result() == 2
            assert [future.key.partition("-")[0] for future in client.map(load, [3, 4])] == ["load", "load"]
            counter = client.submit(Counter, actor=True).result()
            assert counter.load(5).result() == 5
            try:
                client.submit(load, 7, 8, 9).result()
            except TypeError as error:
                assert "load()" in str(error)
            try:
                client.submit("no function", 1)
            except TypeError:
                pass
        print(run.key)
"""


def test_dask_sees_the_apps_functions(script):
    """The keys, names and errors that Dask makes of a function are those of the function alone."""
    pytest.importorskip("distributed")
    (script.folder / "app.py").write_text(DASK)
    process = subprocess.run(
        [sys.executable, "app.py"],
        env=environment_of(script.folder, "http://127.0.0.1:9", AUTOFLOW_EXIT_FLUSH="0"),
        cwd=script.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    edges = {number: run for _, _, number, run in script.edges()}
    assert edges[2] == process.stdout.strip()  # a coroutine's body
    assert edges[1] != process.stdout.strip()  # computed once, before the run


@pytest.mark.core
def test_a_run_that_arrives_with_many_tasks_is_one_run(captured):
    """A worker joins it once, and records an edge of it once."""
    with workflow("A", server="memory") as run:
        tasks = [pickle.dumps(carry(_load)) for _ in range(3)]
        with workflow("B", server="memory"):
            assert [pickle.loads(task)(7) for task in tasks] == [7] * 3
    assert [(edge.id, edge.run) for edge in captured.edges] == [(7, run.key)]


@workflow_input("project")
def _load(project_id):
    return project_id
