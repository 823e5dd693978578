"""Takeover of journals from a stopped process, and the process after it is resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from autoflow.outbox import journal_lease
from autoflow.testing import hang, well
from autoflow.wire import methods
from tests.census import census_of
from tests.reliability.kit import ids

pytestmark = [
    pytest.mark.core,
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc"),
]

SYNC = [sys.executable, "-m", "autoflow.cli.main", "outbox", "sync", "--json"]
MADE = "for number in range(1, 41): load(number)\nos.kill(os.getpid(), signal.SIGKILL)"


def sync(app):
    return subprocess.run(SYNC, env=app.environment, capture_output=True, text=True, check=False, timeout=100)


def stopped(pid):
    """Stop a process, and wait until it is."""
    os.kill(pid, signal.SIGSTOP)
    while journal_lease.Holder(pid, journal_lease.socket.gethostname(), adopted=True, renewed=0.0).state != "stopped":
        time.sleep(0.01)


def test_a_dead_writers_journal_is_taken_over_from_a_stopped_process(app, server):
    """Stopped in the middle of sending it: another sends it, and the first, going on, adds and overwrites nothing."""
    server.stop()
    assert app.run(MADE).code == -signal.SIGKILL
    server.start()
    server.behave(lambda exchange: well(exchange) if exchange.probe else hang(exchange))
    first = subprocess.Popen(SYNC, env=app.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert server.wait_for(lambda: any(method == methods.RECORDS_ADD for method, _ in server.requests))
    stopped(first.pid)
    server.behave(well)
    done = sync(app)
    assert done.returncode == 0, done.stderr
    assert ids(server) == list(range(1, 41))
    before = census_of(app.home)
    assert (before.waiting, before.dead) == (0, 0)
    server.stop()  # the request of the stopped one ends
    server.start()
    os.kill(first.pid, signal.SIGCONT)
    first.wait(60)
    assert ids(server) == list(range(1, 41))
    assert census_of(app.home) == before
    done = sync(app)
    assert done.returncode == 0
    assert ids(server) == list(range(1, 41))


def test_an_idle_process_holds_no_dead_writers_journal(app, server):
    """An app that could not send a dead one's records, stopped then, is in nobody's way."""
    server.stop()
    assert app.run(MADE).code == -signal.SIGKILL
    process = app.until_pause("load(1000)\nautoflow.flush(20)\npause()")
    stopped(process.pid)
    server.start()
    done = sync(app)
    assert set(range(1, 41)) <= set(ids(server))
    assert done.returncode == 1  # what the stopped process wrote itself is its own to send
    assert f"process {process.pid} on" in done.stderr
    assert "(stopped)" in done.stderr
    os.kill(process.pid, signal.SIGCONT)


def test_sync_names_the_process_that_holds_a_journal(app, server):
    """Records of a living process wait: the command fails, and names the process."""
    server.stop()
    process = app.until_pause("load(1)\nautoflow.flush(20)\npause()")
    server.start()
    server.behave(lambda exchange: exchange.reply(503, None))
    done = sync(app)
    assert done.returncode == 1
    assert f"process {process.pid} on" in done.stderr
    assert "(running)" in done.stderr


def test_a_writers_own_journal_is_never_taken_over(folder):
    """Only who adopted a journal can lose it: a stopped writer's records are its own to send."""
    path = os.path.join(folder, "j.lock")
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if journal_lease.take(path) and signal.pause() is None else 1)
        finally:
            os._exit(1)
    try:
        while journal_lease.holder(path) is None:
            time.sleep(0.01)
        stopped(child)
        assert not journal_lease.take(path, adopted=True)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert journal_lease.take(path, adopted=True)
    assert not journal_lease.lost(path)
    journal_lease.release(path)
