"""An outage and its end: nothing is lost, no call is slower, and the server is not flooded."""

from __future__ import annotations

import email.utils
import logging
import os
import random
import subprocess
import sys
import textwrap
import time

import pytest

import autoflow
from autoflow.outbox import backoff as backoff_module
from autoflow.outbox.backoff import Backoff
from autoflow.process import rate_limited_log
from autoflow.runtime.destination import outbox_for, resolve
from autoflow.testing import cut, hang, page, slow, status, well
from tests.reliability.kit import counts, ids, load, sender

pytestmark = [pytest.mark.core, pytest.mark.slow]

ALWAYS = [well, status(503), hang, cut, slow(0.2), page(200)]

# -- 26, 27: the server is away


OUTAGE = textwrap.dedent(
    """
    import os, sys, time
    import autoflow

    @autoflow.workflow_input("project")
    def load(project_id): ...

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    calls = int(sys.argv[1])
    with autoflow.workflow("w"):
        for number in range(1, 2001):
            load(number)
        autoflow.flush(2)
        before = resident()
        for number in range(2001, calls + 1):
            load(number)
            if number % 500 == 0:
                autoflow.flush(0.01)  # the sender tries, in vain, in the midst of it
        print(resident() - before)
    """
)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc to read the memory's size from")
@pytest.mark.parametrize("behaviour", ["refused", "hanging"])
def test_waiting_records_take_no_memory(behaviour, server, tmp_path):
    """(26, 27) Ten thousand records wait for a server that is away on disk, not in memory, and all arrive."""
    if behaviour == "refused":
        server.stop()
    else:
        server.behave(hang)
    environment = {
        **os.environ,
        "AUTOFLOW_HOME": str(tmp_path / "home"),
        "AUTOFLOW_SERVER": server.address,
        "AUTOFLOW_EXIT_FLUSH": "0",
    }
    command = [sys.executable, "-c", OUTAGE, "12000"]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    assert int(done.stdout) < 5 << 20
    server.behave(well)
    if behaviour == "refused":
        server.start()
    sync = [sys.executable, "-m", "autoflow.cli.main", "outbox", "sync"]
    subprocess.run(sync, env=environment, capture_output=True, check=True)
    assert ids(server) == list(range(1, 12001))


@pytest.mark.timing
@pytest.mark.parametrize("behaviour", [None, *ALWAYS], ids=["down", "well", "503", "hang", "cut", "slow", "page"])
def test_a_call_takes_the_same_time_whatever_the_server_does(behaviour, server, towards):
    """(26) The median call stays where it is without a server; nothing in it waits for one."""
    towards(server)
    if behaviour is None:
        server.stop()
    else:
        server.behave(behaviour)
    took = []
    with autoflow.workflow("w"):
        for number in range(1, 1001):
            begun = time.perf_counter()
            load(number)
            took.append(time.perf_counter() - begun)
        totals = counts()
        assert totals["recorded"] >= 1001
        assert totals["dead"] == totals["dropped"] == 0
    assert sorted(took)[500] < 0.02


def test_an_outage_of_a_day_is_warned_of_once_and_logged_once_a_minute(server, towards, caplog, monkeypatch):
    """(27, 55) A day without the server: one warning, and each minute one line that counts the others."""
    towards(server)
    server.stop()
    caplog.set_level(logging.DEBUG, "autoflow")
    clock = [time.monotonic()]
    with autoflow.workflow("w"):
        load(1)
        autoflow.flush(2)
        outbox_for(resolve())._sender.stop()
        alone = sender()
        alone._thread.join(60)
        caplog.clear()
        monkeypatch.setattr(rate_limited_log.time, "monotonic", lambda: clock[0])
        tries = 0
        end = clock[0] + 24 * 3600
        while clock[0] < end:
            if alone.session.backoff.wait() == 0:
                assert not alone.step()
                tries += 1
            clock[0] += max(1.0, alone.session.backoff.wait())
    lines = [record for record in caplog.records if record.name == "autoflow"]
    warnings = [record for record in lines if record.levelno >= logging.WARNING]
    assert 24 * 60 <= tries < 24 * 3600 / 5
    assert len(lines) <= 24 * 60 + 2
    assert len(warnings) == 1
    assert "more like it" in caplog.text
    assert counts()["waiting"] >= 2


# -- 28, 29: coming back


@pytest.mark.parametrize("retry_after", [None, 30.0, 1e9])
def test_retries_of_two_hundred_clients_are_spread(retry_after, monkeypatch):
    """(28) After an outage no second sees more than five times the mean of the clients' tries."""
    random.seed(28)
    clock = [0.0]
    monkeypatch.setattr(backoff_module.time, "monotonic", lambda: clock[0])
    clients = [Backoff() for _ in range(200)]
    back_at = 600.0
    arrivals = []
    for client in clients:
        clock[0] = 0.0
        while clock[0] < back_at:
            client.failed(retry_after)
            clock[0] = client.until
        arrivals.append(clock[0])
    first = min(arrivals)
    span = max(arrivals) - first
    buckets = [0] * (int(span) + 1)
    for arrival in arrivals:
        buckets[int(arrival - first)] += 1
    assert span > 20
    assert max(buckets) <= 5 * len(clients) / len(buckets)


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("retry_after", ["2", "date", "abc", "-5", "1e9", "inf", "nan", ""])
def test_retry_after_is_waited_for_and_never_too_long(retry_after, code, server, towards):
    """(29) Whatever the header says, the wait is between Retry-After and some minutes, and no record is dropped."""
    towards(server)
    header = email.utils.formatdate(time.time() + 3600, usegmt=True) if retry_after == "date" else retry_after
    server.behave(status(code, retry_after=header))
    with autoflow.workflow("w"):
        load(1)
        assert not autoflow.flush(60)
        backoff = sender().session.backoff
        least = {"2": 1.0, "date": 250, "1e9": 250, "inf": 250}.get(retry_after, 0.0)
        assert least <= backoff.wait() <= 300 + 60
        request_count = len(server.requests)
        if least:
            server.behave(well)
            assert not autoflow.flush(60)
            assert len(server.requests) == request_count  # who flushes does not override the server's Retry-After
        server.behave(well)
        backoff.succeeded()
        assert autoflow.flush(60)
    assert ids(server) == [1]
    assert counts()["dead"] == counts()["dropped"] == 0
