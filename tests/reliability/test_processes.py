"""The ownership of journals, and decorated functions that travel between processes.

Numbers in comments are the scenarios of docs/reliability.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.reliability.processes import PRELUDE

pytestmark = pytest.mark.core


# -- names and leases

NUMBERED = """
    def fork_as(number):
        for _ in range(600):  # somebody else may have the number, for as long as it lives
            with open("/proc/sys/kernel/ns_last_pid", "w") as file:
                file.write(str(number - 1))
            child = os.fork()
            if child == 0 and os.getpid() != number:
                os._exit(0)
            if child in {0, number}:
                return child
            os.waitpid(child, 0)
            time.sleep(0.05)
        raise SystemExit("the number was not given")
"""


def _may_choose_process_numbers():
    try:
        with open("/proc/sys/kernel/ns_last_pid") as file:
            last = file.read()
        with open("/proc/sys/kernel/ns_last_pid", "w") as file:
            file.write(last)
    except OSError:
        return False
    return True


choosing = pytest.mark.skipif(
    not _may_choose_process_numbers(), reason="needs the right to write /proc/sys/kernel/ns_last_pid"
)


@choosing
def test_a_reused_process_id_hides_no_journal(app, server):  # 23
    """A living process with the number of a journal's dead writer keeps nobody from sending that journal."""
    server.stop()
    process = app.until_pause(
        NUMBERED
        + """
    first = os.fork()
    if first == 0:
        load(1)
        os._exit(0)
    os.waitpid(first, 0)
    again = fork_as(first)
    if again == 0:
        tell("here")
        signal.pause()
    os.waitpid(again, 0)
    """
    )
    server.start()
    assert app.sync()["waiting"] == 0
    assert app.delivered() == [1]
    process.kill()


@choosing
def test_a_descendant_with_the_process_id_of_a_dead_ancestor_writes_its_own_journal(app, server):  # 23
    """A grandchild that is given its grandparent's number does not take the grandparent's journal for its own."""
    server.stop()
    left = app.run(
        NUMBERED
        + """
    grandparent = os.fork()
    if grandparent == 0:
        load(1)
        me = os.getpid()
        reading, writing = os.pipe()
        if os.fork() == 0:  # the parent: a daemon that records nothing
            os.read(reading, 1)
            child = fork_as(me)
            if child == 0:
                load(2)
                load(3)
            else:
                os.waitpid(child, 0)
            os._exit(0)
        os.closerange(writing + 1, writing + 1)
        load(4)
        os.kill(me, signal.SIGKILL)
    os.waitpid(grandparent, 0)
    """.replace("os.read(reading, 1)", "os.close(writing); os.read(reading, 1)").replace(
            "        os.closerange(writing + 1, writing + 1)\n", ""
        )
    )
    assert (left.code, left.err) == (0, "")
    actual = sorted(
        [record["subject"]["id"] for record in part if record["type"] == "edge"] for part in app.records().values()
    )
    assert actual == [[1, 4], [2, 3]]


def _may_make_namespaces():
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(["unshare", "-pf", "--uts", "--mount-proc", "true"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.skipif(not _may_make_namespaces(), reason="needs the right to make process namespaces (unshare)")
def test_two_containers_with_equal_process_id_and_host_share_a_volume(app, server):  # 24
    """Both are process 1 of host `same`: their journals do not meet, and only the dead one's is taken over."""
    server.stop()
    script = app.folder / "contained.py"
    script.write_text(
        PRELUDE + "for number in range(100): load(int(sys.argv[1]) + number)\ntell(os.getpid())\nsignal.pause()"
    )
    command = ["unshare", "-pf", "--kill-child", "--uts", "--mount-proc", "sh", "-c"]
    inside = 'hostname same && exec "$0" "$@"'
    boxes = [
        subprocess.Popen(
            [*command, inside, sys.executable, str(script), first],
            env=app.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in ("1000", "2000")
    ]
    try:
        assert [box.stdout.readline() for box in boxes] == ["1\n", "1\n"]
        assert sorted(app.kept_projects()) == [*range(1000, 1100), *range(2000, 2100)]
        boxes[0].kill()
        boxes[0].wait()
        names = {part[1]["subject"]["id"]: name for name, part in app.records().items()}
        living = names[2000]
        server.start()
        app.sync()
        assert sorted(app.delivered())[:100] == list(range(1000, 1100))
        assert server.wait_for(lambda: len(server.edges) == 200)
        assert living in app.lines()  # still its writer's
    finally:
        for box in boxes:
            box.kill()
            box.wait()
            box.stdout.close()
    assert len(app.delivered()) == 200


# -- what travels between processes

MODULE = """
import autoflow

@autoflow.workflow_input("project")
def read(project_id):
    return project_id

class Reader:
    @autoflow.workflow_input("project")
    def read(self, project_id):
        return project_id

def with_run(arguments):
    run, number = arguments
    run.output("project", number)
    return autoflow.current_run().key == run.key
"""


def _travelling(app):
    (app.folder / "travelling.py").write_text(MODULE)
    app.environment["PYTHONPATH"] = os.pathsep.join([str(app.folder), app.environment.get("PYTHONPATH", "")])


def test_decorated_functions_and_runs_travel_to_spawned_processes(app):  # 25
    """Functions, bound methods, runs and carried functions pickle; workers record into their run, a client each."""
    _travelling(app)
    left = app.run(
        """
        import multiprocessing, pickle
        import travelling
        if __name__ == "__main__":
            assert pickle.loads(pickle.dumps(travelling.read)) is travelling.read
            with autoflow.workflow("spawning") as run, multiprocessing.get_context("spawn").Pool(2) as pool:
                copied = pickle.loads(pickle.dumps(run))
                assert (copied.key, copied.name, copied.task_id) == (run.key, run.name, run.task_id)
                assert pool.map(travelling.read, range(1, 21)) == list(range(1, 21))
                assert pool.map(travelling.Reader().read, range(21, 31)) == list(range(21, 31))
                assert pool.map(autoflow.propagate(travelling.read), range(31, 41)) == list(range(31, 41))
                assert all(pool.map(travelling.with_run, [(run, number) for number in range(41, 51)]))
                pool.close()
                pool.join()
        """
    )
    assert (left.code, left.err) == (0, "")
    app.sync()
    assert sorted(app.delivered()) == list(range(1, 51))
    assert len({record["run"] for record in app.server.edges}) == 1
    assert len({record["key"].partition(":")[0] for record in app.server.records}) <= 3  # one journal a process


def test_cloudpickled_functions_work_in_joblib_workers(app):  # 25
    """Joblib and Ray send functions by cloudpickle: a module's and the main script's own record there."""
    pytest.importorskip("joblib", reason="needs joblib, which comes with the examples")
    _travelling(app)
    left = app.run(
        """
        import joblib, travelling
        if __name__ == "__main__":
            with autoflow.workflow("joblib"):
                parallel = joblib.Parallel(n_jobs=2)
                assert parallel(joblib.delayed(travelling.read)(n) for n in range(1, 21)) == list(range(1, 21))
                assert parallel(joblib.delayed(load)(n) for n in range(21, 31)) == list(range(21, 31))
        """
    )
    assert left.code == 0, left.err
    app.sync()
    assert sorted(app.delivered()) == list(range(1, 31))
