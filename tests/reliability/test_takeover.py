"""A process that is stopped holds up nobody else's records, and does no harm when it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from autoflow.process import file_lock
from autoflow.testing import hang, well
from autoflow.wire import methods
from tests.census import census_of
from tests.reliability.kit import ids

pytestmark = [pytest.mark.core, pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")]

SYNC = [sys.executable, "-m", "autoflow.cli.main", "outbox", "sync", "--json"]
MADE = "for number in range(1, 41): load(number)\nos.kill(os.getpid(), signal.SIGKILL)"


def sync(app):
    return subprocess.run(SYNC, env=app.environment, capture_output=True, text=True, check=False, timeout=100)


def stopped(pid):
    """Stop a process, and wait until it is."""
    os.kill(pid, signal.SIGSTOP)
    while file_lock.Holder(pid, file_lock.socket.gethostname(), adopted=True, seen=0.0).state != "stopped":
        time.sleep(0.01)


def test_a_dead_ones_journal_is_taken_from_a_stopped_process(app, platform):
    """Stopped in the middle of sending it: another sends it, and the first, going on, adds and overwrites nothing."""
    platform.stop()
    assert app.run(MADE).code == -signal.SIGKILL
    platform.start()
    platform.behave(lambda exchange: well(exchange) if exchange.probe else hang(exchange))
    first = subprocess.Popen(SYNC, env=app.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert platform.wait_for(lambda: any(method == methods.RECORDS_ADD for method, _ in platform.requests))
    stopped(first.pid)
    platform.behave(well)
    done = sync(app)
    assert done.returncode == 0, done.stderr
    assert ids(platform) == list(range(1, 41))
    before = census_of(app.home)
    assert (before.waiting, before.dead) == (0, 0)
    platform.stop()  # the request of the stopped one ends
    platform.start()
    os.kill(first.pid, signal.SIGCONT)
    first.wait(60)
    assert ids(platform) == list(range(1, 41))
    assert census_of(app.home) == before
    done = sync(app)
    assert done.returncode == 0
    assert ids(platform) == list(range(1, 41))


def test_a_process_that_rests_holds_no_dead_ones_journal(app, platform):
    """An app that could not send a dead one's records, stopped then, is in nobody's way."""
    platform.stop()
    assert app.run(MADE).code == -signal.SIGKILL
    process = app.until_pause("load(1000)\nautoflow.flush(20)\npause()")
    stopped(process.pid)
    platform.start()
    done = sync(app)
    assert set(range(1, 41)) <= set(ids(platform))
    assert done.returncode == 1  # what the stopped process wrote itself is its own to send
    assert f"process {process.pid} on" in done.stderr
    assert "(stopped)" in done.stderr
    os.kill(process.pid, signal.SIGCONT)


def test_sync_says_who_holds_what_waits(app, platform):
    """Records of a living process wait: the command fails, and names the process."""
    platform.stop()
    process = app.until_pause("load(1)\nautoflow.flush(20)\npause()")
    platform.start()
    platform.behave(lambda exchange: exchange.reply(503, None))
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
            os._exit(0 if file_lock.take(path) and signal.pause() is None else 1)
        finally:
            os._exit(1)
    try:
        while file_lock.holder(path) is None:
            time.sleep(0.01)
        stopped(child)
        assert not file_lock.take(path, adopted=True)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert file_lock.take(path, adopted=True)
    assert not file_lock.lost(path)
    file_lock.release(path)
