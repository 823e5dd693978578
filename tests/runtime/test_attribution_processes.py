"""A record is in the run that caused it, or in none of somebody else's: pools and children, by every start method."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.core

METHODS = ["fork", "spawn", "forkserver"]

HEAD = """
import json, multiprocessing, os, subprocess, sys, threading, time, warnings
from concurrent.futures import ProcessPoolExecutor
from autoflow import current_run, propagate, workflow, workflow_input

@workflow_input("project")
def load(project_id):
    return project_id

def consume(jobs, results):
    while (number := jobs.get()) is not None:
        results.put(load(number))

if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # fork beside our own thread, from Python 3.12
"""


def run_main(script, body, **options):
    """Run a program whose main block is `body`; what it printed, read as JSON."""
    return json.loads(script(HEAD + body, **options).stdout)


def runs_of(script):
    """The run of each recorded project, and the runs that are marked unattributed."""
    records = script.records()
    marked = {record["run"] for record in records if record["type"] == "run" and record.get("unattributed")}
    edges = {next(iter(record["subject"].values())): record["run"] for record in records if record["type"] == "edge"}
    return edges, marked


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["executor", "pool"])
def test_a_pool_records_each_task_in_the_run_that_submitted_it(script, method, kind):
    """Made before any run, used in one, in the next, and outside of both; one made in a run and used in the next."""
    make = {
        "executor": "ProcessPoolExecutor(1, mp_context=context)",
        "pool": "context.Pool(1)",
    }[kind]
    keys = run_main(
        script,
        f"""
    context = multiprocessing.get_context({method!r})
    with workflow("zero"):
        pass
    with {make} as pool:
        list(pool.map(abs, [1]))
        with workflow("first") as first:
            list(pool.map(load, [1, 2]))
            inside = {make}
            list(inside.map(load, [3]))
        with workflow("second") as second:
            list(pool.map(load, [4]))
            list(inside.map(load, [5]))
        list(pool.map(load, [6]))
    if {kind!r} == "pool":
        inside.close(); inside.join()
    else:
        inside.shutdown()
    print(json.dumps([first.key, second.key]))
""",
    )
    edges, unattributed = runs_of(script)
    first, second = keys
    assert {number: edges[number] for number in range(1, 6)} == {
        1: first,
        2: first,
        3: first,
        4: second,
        5: second,
    }
    assert edges[6] not in {first, second}
    assert unattributed == set()


@pytest.mark.parametrize("method", METHODS)
def test_a_worker_that_outlives_its_run_records_in_no_other(script, method):
    """In a DataLoader's shape: persistent workers that get their jobs from a queue."""
    first, second = run_main(
        script,
        f"""
    context = multiprocessing.get_context({method!r})
    jobs, results = context.SimpleQueue(), context.SimpleQueue()
    with workflow("first") as first:
        worker = context.Process(target=consume, args=(jobs, results))
        worker.start()
        jobs.put(1)
        assert results.get() == 1
    with workflow("second") as second:
        for number in (2, 3):
            jobs.put(number)
            assert results.get() == number
    jobs.put(None)
    worker.join()
    assert worker.exitcode == 0
    print(json.dumps([first.key, second.key]))
""",
    )
    edges, unattributed = runs_of(script)
    assert edges[1] == first
    assert edges[2] == edges[3]
    assert unattributed == {edges[2]}
    assert edges[2] not in {first, second}


@pytest.mark.parametrize("method", METHODS)
def test_each_process_of_two_open_runs_is_in_its_own(script, method):
    """Threads, each with a run and a child."""
    keys = run_main(
        script,
        f"""
    context = multiprocessing.get_context({method!r})
    together, keys = threading.Barrier(2), {{}}

    def work(number):
        with workflow(f"run {{number}}") as run:
            together.wait(30)
            child = context.Process(target=load, args=(number,))
            child.start()
            child.join()
            assert child.exitcode == 0
            together.wait(30)
            keys[number] = run.key

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(keys))
""",
    )
    assert runs_of(script) == ({int(number): key for number, key in keys.items()}, set())


CHILD = """
import sys
from autoflow import workflow_input

@workflow_input("project")
def load(project_id):
    pass

load(int(sys.argv[1]))
"""


def test_each_program_of_two_open_runs_is_in_its_own(script):
    """By `subprocess` with and without an environment, by `posix_spawn`, and by `run.env()`."""
    (script.folder / "child.py").write_text(CHILD)
    keys = run_main(
        script,
        """
    command = [sys.executable, "child.py"]
    stale = dict(os.environ)
    with workflow("outer") as outer:
        subprocess.run([*command, "1"], check=True)
        copied = dict(os.environ)
        with workflow("inner") as inner:
            subprocess.run([*command, "2"], check=True)
            subprocess.run([*command, "3"], check=True, env=stale)
            subprocess.run([*command, "4"], check=True, env=copied)
            subprocess.run([*command, "5"], check=True, env=outer.env())
            assert os.waitpid(os.posix_spawn(sys.executable, [*command, "6"], os.environ), 0)[1] == 0
        subprocess.run([*command, "7"], check=True)
        assert "AUTOFLOW_RUN" not in stale
        environment = outer.env()
    subprocess.run([*command, "8"], check=True, env=environment)
    subprocess.run([*command, "9"], check=True)
    print(json.dumps([outer.key, inner.key]))
""",
    )
    outer, inner = keys
    edges, unattributed = runs_of(script)
    expected = {1: outer, 2: inner, 3: inner, 4: inner, 5: outer, 6: inner, 7: outer}
    assert {number: edges[number] for number in expected} == expected
    assert edges[8] not in keys
    assert edges[9] not in keys
    assert unattributed == {edges[8]}


def test_a_forked_child_that_outlives_its_run_is_in_no_other(script):
    """Its parent has closed the run meanwhile; the parent's next run is none of the child's."""
    first, second = run_main(
        script,
        """
    ready, go = os.pipe(), os.pipe()
    with workflow("first") as first:
        child = os.fork()
        if not child:
            load(1)
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            load(2)
            os._exit(0)
        os.read(ready[0], 1)
    with workflow("second") as second:
        os.write(go[1], b"x")
        assert os.waitpid(child, 0)[1] == 0
    print(json.dumps([first.key, second.key]))
""",
    )
    edges, unattributed = runs_of(script)
    assert edges[1] == first
    assert edges[2] not in {first, second}
    assert unattributed == {edges[2]}


def test_a_library_that_is_imported_inside_the_run_carries_it_too(script):
    """Integrations are installed when their library comes, and leave nothing at its loader."""
    process = script(
        """
import json, sys
from autoflow import workflow, workflow_input

@workflow_input("project")
def load(project_id):
    return project_id

if __name__ == "__main__":
    assert "concurrent.futures.process" not in sys.modules
    with workflow("outer"):
        with workflow("inner") as inner:
            import concurrent.futures
            import multiprocessing
            spawn = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
                pool.submit(load, 1).result()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                pool.submit(load, 2).result()
    assert "exec_module" not in vars(concurrent.futures.process.__spec__.loader)
    print(json.dumps(inner.key))
"""
    )
    key = json.loads(process.stdout)
    assert runs_of(script) == ({1: key, 2: key}, set())


def test_a_killed_opener_leaves_its_run_open_until_it_is_recorded_as_lost(script):
    """Its child goes on in the run; who takes over the journal records the run as lost, and it is over."""
    script(
        HEAD
        + """
    run = workflow("killed").__enter__()
    load(1)
    os.kill(os.getpid(), 9)
""",
        expect=-9,
    )
    (file,) = (script.home / "runs").iterdir()
    key = file.name.partition("-")[2]
    script(CHILD.replace("int(sys.argv[1])", "2"), AUTOFLOW_RUN=f"key={key}&server=http://127.0.0.1:9&file={file}")
    assert runs_of(script) == ({1: key, 2: key}, set())


def test_a_run_that_is_recorded_as_lost_is_over(script, server):
    """Whoever takes over the journal of a killed process says so to the children it left."""
    script(HEAD + "\n    workflow('killed').__enter__()\n    load(1)\n    os.kill(os.getpid(), 9)\n", expect=-9)
    assert len(list((script.home / "runs").iterdir())) == 1
    script("import autoflow\nautoflow.workflow('next')(lambda: None)()\n", AUTOFLOW_EXIT_FLUSH="0")
    assert len(list((script.home / "runs").iterdir())) == 1  # the server was away: nothing is known of the run
    origin = server.address
    home = script.folder / "other"
    here = {"AUTOFLOW_SERVER": origin, "AUTOFLOW_TOKEN": "t", "AUTOFLOW_HOME": str(home)}
    script(HEAD + "\n    workflow('killed').__enter__()\n    load(1)\n    os.kill(os.getpid(), 9)\n", expect=-9, **here)
    assert len(list((home / "runs").iterdir())) == 1
    script("import autoflow\nautoflow.workflow('next')(lambda: None)()\nassert autoflow.flush(30)\n", **here)
    assert list((home / "runs").iterdir()) == []


def test_children_of_asyncio_are_each_in_their_own_run(script):
    """Two coroutines, each with a run and a program."""
    (script.folder / "child.py").write_text(CHILD)
    keys = run_main(
        script,
        """
    import asyncio

    async def work(number):
        async with workflow(f"run {number}") as run:
            await asyncio.sleep(0.01)
            child = await asyncio.create_subprocess_exec(sys.executable, "child.py", str(number))
            assert await child.wait() == 0
            return run.key

    async def main():
        return await asyncio.gather(*map(work, (1, 2, 3)))

    print(json.dumps(asyncio.run(main())))
""",
    )
    assert runs_of(script) == (dict(enumerate(keys, 1)), set())


def test_a_program_that_records_to_memory_writes_no_file(script):
    """Nor do the children that it starts and reaps."""
    script(
        HEAD
        + """
    with workflow("quiet"):
        load(1)
        subprocess.run([sys.executable, "-c", ""], check=True)
""",
        AUTOFLOW_SERVER="memory",
    )
    assert not script.home.exists()
    assert not (script.folder / ".local").exists()
