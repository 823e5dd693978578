"""Runs over several processes: spawned, forked, pooled, killed."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.core

HEAD = """
import multiprocessing, os, subprocess, sys
from concurrent.futures import ProcessPoolExecutor
from autoflow import current_run, propagate, workflow, workflow_input, workflow_output

@workflow_input("project")
def load(project_id):
    return project_id * 10

class Loader:
    @workflow_input("dataset")
    def load(self, dataset_id):
        return dataset_id * 10
"""


def only_run(script):
    """The one run that every record is part of."""
    (run,) = {record["run"] for record in script.records()}
    return run


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_a_process_pool_records_into_the_run(script, method):
    """Decorated functions and methods pickle, and their edges are the parent's run's."""
    process = script(
        HEAD
        + f"""
if __name__ == "__main__":
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # fork beside our own thread, from Python 3.12
    with workflow("pooled") as run:
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context({method!r})) as pool:
            print(list(pool.map(load, [1, 2, 3])), list(pool.map(Loader().load, [4])), run.key)
"""
    )
    shown, key = process.stdout.strip().rsplit(" ", 1)
    assert shown == "[10, 20, 30] [40]"
    assert only_run(script) == key
    assert sorted(number for _, _, number, _ in script.edges()) == [1, 2, 3, 4]


def test_a_propagated_function_carries_its_run_into_a_pool_made_before(script):
    """The pool's processes were started outside the run."""
    process = script(
        HEAD
        + """
if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(abs, [1]))
        with workflow("first") as first:
            pool.submit(propagate(load), 1).result()
        with workflow("second") as second:
            pool.submit(propagate(load), 2).result()
    print(first.key, second.key)
"""
    )
    first, second = process.stdout.split()
    assert {(number, run) for _, _, number, run in script.edges()} == {(1, first), (2, second)}


def test_a_forked_child_records_into_the_run_and_does_not_end_it(script):
    """Neither by leaving the block, nor at its exit."""
    script(
        HEAD
        + """
with workflow("forking"):
    load(1)
    child = os.fork()
    if not child:
        load(1)
        load(2)
    else:  # the run is over where its block ends
        assert os.waitpid(child, 0)[1] == 0
"""
    )
    only_run(script)
    assert [number for _, _, number, _ in script.edges()].count(2) == 1
    assert [record["type"] for record in script.records()].count("finish") == 1


def test_a_forked_child_of_an_implicit_run_shares_it(script):
    """One run a process tree, ended once, by who began it."""
    script(
        HEAD
        + """
load(1)
child = os.fork()
load(2 if not child else 3)
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    )
    only_run(script)
    assert sorted(number for _, _, number, _ in script.edges()) == [1, 2, 3]
    finishes = [record for record in script.records() if record["type"] == "finish"]
    assert [record["state"] for record in finishes] == ["finished"]


def test_a_spawned_program_joins_the_run(script):
    """Through `AUTOFLOW_RUN`, without being told."""
    (script.folder / "child.py").write_text(HEAD + "\nload(2)\n")
    script(
        HEAD
        + """
with workflow("parent"):
    load(1)
    subprocess.run([sys.executable, "child.py"], check=True)
"""
    )
    only_run(script)
    assert sorted(number for _, _, number, _ in script.edges()) == [1, 2]
    assert [record["type"] for record in script.records()].count("run") == 1


def test_records_before_a_kill_are_in_the_journal(script):
    """A record is written when the call has begun."""
    script(HEAD + "\nload(1)\nos.kill(os.getpid(), 9)\n", expect=-9)
    assert [number for _, _, number, _ in script.edges()] == [1]


def test_abrupt_exits_lose_no_record(script):
    """`os._exit` runs no clean-up of ours."""
    script(HEAD + "\nwith workflow('x'):\n    load(1)\n    os._exit(3)\n", expect=3)
    assert [number for _, _, number, _ in script.edges()] == [1]


def test_a_fork_while_other_threads_record_does_not_hang(script):
    """No lock of ours is held across a fork."""
    script(
        HEAD
        + """
import threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)
stop = threading.Event()

def busy(start):
    number = start
    while not stop.is_set():
        number += 1
        load(number)

threads = [threading.Thread(target=busy, args=(n * 1_000_000,)) for n in (1, 2)]
for thread in threads:
    thread.start()
children = []
for number in range(1, 9):
    child = os.fork()
    if not child:
        load(number)
        os._exit(0)
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
stop.set()
for thread in threads:
    thread.join()
assert codes == [0] * 8
"""
    )
    assert set(range(1, 9)) <= {number for _, _, number, _ in script.edges()}


def test_the_run_of_a_failed_program_is_failed(script):
    """Its traceback and exit code are its own."""
    process = script(HEAD + "\nwith workflow('x'):\n    load(1)\n    raise ValueError('no')\n", expect=1)
    assert process.stderr.strip().endswith("ValueError: no")
    assert "autoflow/" not in process.stderr.replace(str(script.folder), "")
    (finish,) = [record for record in script.records() if record["type"] == "finish"]
    assert (finish["state"], finish["error"]) == ("failed", "ValueError: no")
