"""`autoflow_edges` and `capture`: one test's edges, its children's too, and nobody else's. Real test sessions."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autoflow.testing import capture

APP = """
import os
import autoflow

@autoflow.workflow_input("project")
def load(project_id):
    return None

def load_and_vanish(project_id):
    load(project_id)
    os._exit(0)

def load_and_be_killed(project_id):
    load(project_id)
    os.kill(os.getpid(), 9)
"""

CHILDREN = """
import multiprocessing, os, subprocess, sys
from concurrent.futures import ProcessPoolExecutor

import pytest
from app import load, load_and_be_killed, load_and_vanish

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

def ids(edges):
    return sorted(edge.id for edge in edges())

@pytest.mark.parametrize(
    ("method", "target"),
    [("fork", load), ("spawn", load), ("forkserver", load), ("fork", load_and_vanish), ("spawn", load_and_be_killed)],
)
def test_process(autoflow_edges, method, target):
    load(1)
    child = multiprocessing.get_context(method).Process(target=target, args=(2,))
    child.start()
    child.join()
    assert ids(autoflow_edges) == [1, 2]

@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pool(autoflow_edges, method):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        list(pool.map(load, [1, 2, 3]))
        assert ids(autoflow_edges) == [1, 2, 3]  # while its workers live
    assert ids(autoflow_edges) == [1, 2, 3]

def test_subprocess(autoflow_edges):
    subprocess.run([sys.executable, "-c", "import app; app.load(4)"], check=True)
    assert ids(autoflow_edges) == [4]

def test_bare_fork(autoflow_edges):
    if (pid := os.fork()) == 0:
        load_and_vanish(5)
    os.waitpid(pid, 0)
    assert ids(autoflow_edges) == [5]

def test_child_of_a_child(autoflow_edges):
    code = "import subprocess, sys, app; app.load(6); subprocess.run([sys.executable, '-c', 'import app; app.load(7)'])"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert ids(autoflow_edges) == [6, 7]

def test_nothing_of_the_others(autoflow_edges):
    assert autoflow_edges() == []
"""

ORDER = """
import pytest
from app import load
from autoflow.testing import capture

@pytest.fixture(scope="module")
def whole_module():
    with capture() as captured:
        load(100)
        yield captured

@pytest.mark.parametrize("number", range(1, 6))
def test_records_without_the_fixture(number):
    load(number)

def test_sees_nothing_of_those_before(autoflow_edges):
    assert autoflow_edges() == []
    load(7)
    assert [edge.id for edge in autoflow_edges()] == [7]

def test_sees_nothing_of_the_one_before(autoflow_edges):
    load(8)
    assert [edge.id for edge in autoflow_edges()] == [8]

def test_a_module_sees_what_its_tests_record(whole_module, autoflow_edges):
    load(9)
    assert [edge.id for edge in autoflow_edges()] == [9]
    assert [edge.id for edge in whole_module.edges] == [100, 9]
"""


def _session(folder, tests, *arguments):
    """Run a real test session in an environment without anything of ours; its output if it failed."""
    (folder / "app.py").write_text(APP)
    (folder / "test_app.py").write_text(tests)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTOFLOW_")}
    home = folder / "home"
    environment.update(HOME=str(home), XDG_STATE_HOME=str(home), PYTHONPATH=str(folder))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, "test_app.py"]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not [path for path in home.rglob("*") if path.is_file()]  # no test leaves a trace, nor does a child of one


@pytest.mark.timeout(300)
def test_edges_of_children_reach_the_test(tmp_path):
    """Forked, spawned, in a pool, as a command, and killed right after they recorded."""
    _session(tmp_path, CHILDREN)


@pytest.mark.timeout(300)
def test_two_xdist_workers_are_independent(tmp_path):
    """The same tests side by side."""
    pytest.importorskip("xdist")
    _session(tmp_path, CHILDREN, "-n", "2", "-k", "bare or nothing or (pool and fork)")


def test_a_test_sees_its_own_edges_only(tmp_path):
    """Nothing of tests before it, whether they used the fixture or not; a wider block sees what is inside it."""
    _session(tmp_path, ORDER)


def test_blocks_outside_pytest_clean_up():
    """The folder and the variable are gone when the block ends."""
    with capture():
        folder = os.environ["AUTOFLOW_MEMORY"].partition(":")[2]
        assert os.path.isdir(folder)
        with capture():
            assert os.environ["AUTOFLOW_MEMORY"].endswith(folder)
    assert not os.path.exists(folder)
    assert "AUTOFLOW_MEMORY" not in os.environ
