"""`flush` from any thread, by many at once, during forks and at exit."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import pytest

import autoflow
from autoflow.runtime.destination import outbox_for, resolve
from tests.reliability.kit import ids, load

pytestmark = pytest.mark.core


# -- 58: flush from anywhere


def test_flush_may_be_called_concurrently_from_any_thread(server, towards):
    """(58) Many threads flush, the sender's own among them, while others record: all return, and all is sent."""
    towards(server)
    inner = []
    with autoflow.workflow("w"):
        load(1)
        outbox = outbox_for(resolve())
        outbox.submit(lambda: inner.append(autoflow.flush(30)))

        def work(first):
            for number in range(50):
                load(first + number)
                if number % 10 == 0:
                    autoflow.flush(60)

        threads = [threading.Thread(target=work, args=(1000 * index,)) for index in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        assert autoflow.flush(60)
    assert inner == [False]
    assert len(ids(server)) == len(set(ids(server))) == 401


FORKS = textwrap.dedent(
    """
    import os, threading
    import autoflow

    @autoflow.workflow_input("project")
    def load(project_id): ...

    with autoflow.workflow("w"):
        load(1)
        done = threading.Event()

        def keep_flushing():
            while not done.is_set():
                autoflow.flush(5)

        threads = [threading.Thread(target=keep_flushing) for _ in range(4)]
        for thread in threads:
            thread.start()
        for child in range(10):
            pid = os.fork()
            if pid == 0:
                load(100 + child)
                os._exit(0 if autoflow.flush(60) else 3)
            assert os.waitpid(pid, 0)[1] == 0
        done.set()
        for thread in threads:
            thread.join()
    """
)


def test_flush_while_forking_blocks_nobody(server, tmp_path):
    """(58) Children forked during flushes record, flush and exit."""
    environment = {**os.environ, "AUTOFLOW_HOME": str(tmp_path / "home"), "AUTOFLOW_SERVER": server.address}
    command = [sys.executable, "-W", "ignore", "-c", FORKS]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=100, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(ids(server)) == [1, *range(100, 110)]


LEAVING = textwrap.dedent(
    """
    import atexit, threading
    import autoflow

    @autoflow.workflow_input("project")
    def load(project_id): ...

    atexit.register(lambda: (load(3), autoflow.flush(5)))
    load(1)
    atexit.register(lambda: (load(2), autoflow.flush(5)))
    """
)


def test_flush_at_exit_blocks_nobody(server, tmp_path):
    """(58) Exit callbacks of the app record and flush, before and after autoflow's."""
    environment = {**os.environ, "AUTOFLOW_HOME": str(tmp_path / "home"), "AUTOFLOW_SERVER": server.address}
    command = [sys.executable, "-c", LEAVING]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=100, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(ids(server)) == [1, 2, 3]


def test_any_number_of_seconds_is_a_timeout(server, towards):
    """(58) Zero and infinity are valid timeouts."""
    towards(server)
    with autoflow.workflow("w"):
        load(1)
        autoflow.flush(0)
        autoflow.flush(-1)
        assert autoflow.flush(float("inf"))
